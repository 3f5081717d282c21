using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Tests.Queues;
using Dragoman.Broker.Tests.Transactions;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Tests.Routing;

/// <summary>Routes of topics that keep a log: cursors that carry on what the log holds.</summary>
public sealed class ForwardingTests
{
    private static readonly TopicName Orders = TopicName.InDefault("orders");

    private static async Task DeclareExchangeAsync(TestBroker broker, string name, string type) =>
        Assert.Equal(RoutingStatus.Ok, (await broker.Broker.Routing.DeclareAsync(TopicName.InDefault(name), new ExchangeFacet { Type = type })).Status);

    private static async Task BindAsync(TestBroker broker, string source, IQueueHandle queue, string key = "", params RouteArgument[] arguments) =>
        Assert.Equal(RoutingStatus.Ok, (await broker.Broker.Routing.BindAsync(TopicName.InDefault(source), queue, key, arguments)).Status);

    private static async Task BindAsync(TestBroker broker, string source, string target, string key = "") =>
        Assert.Equal(RoutingStatus.Ok, (await broker.Broker.Routing.BindAsync(TopicName.InDefault(source), TopicName.InDefault(target), key, [])).Status);

    private static async Task ProduceAsync(ITopicHandle topic, int partition, string? key, string value, params (string Name, string Value)[] headers)
    {
        using var builder = new RecordBatchBuilder();
        using var writer = new RecordHeadersWriter();
        foreach (var (name, text) in headers) writer.Add(name, Encoding.UTF8.GetBytes(text));
        builder.Add(1000, key is null ? default : Encoding.UTF8.GetBytes(key), (NullableBytes)Encoding.UTF8.GetBytes(value), writer.Headers);
        Assert.Equal(PartitionStatus.Ok, (await topic.Partitions[partition].AppendAsync(builder.Build(new BatchOptions()))).Status);
    }

    private static Task ProduceAsync(ITopicHandle topic, string? key, params string[] values) => ProduceAllAsync(topic, key, values);

    private static async Task ProduceAllAsync(ITopicHandle topic, string? key, string[] values)
    {
        foreach (var value in values) await ProduceAsync(topic, 0, key, value);
    }

    /// <summary>Waits until all that is stable was carried on.</summary>
    private static async Task SettledAsync(TestBroker broker)
    {
        for (var limit = DateTime.UtcNow.AddSeconds(20); ; await Task.Delay(2))
        {
            if (broker.Broker.Routing.Forwarding.All(p => p.NextOffset >= p.EndOffset)) return;
            Assert.True(DateTime.UtcNow < limit, string.Join(", ", broker.Broker.Routing.Forwarding));
        }
    }

    [Fact]
    public async Task Records_reach_the_queues_that_the_type_of_the_exchange_says_once_and_in_order()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("orders");
        await DeclareExchangeAsync(broker, "orders", ExchangeTypes.Topic);
        var (rome, all, two) = (await broker.DeclareAsync("rome"), await broker.DeclareAsync("all"), await broker.DeclareAsync("two"));
        await BindAsync(broker, "orders", rome, "it.rome");
        await BindAsync(broker, "orders", all, "#");
        await BindAsync(broker, "orders", two, "it.*");
        await BindAsync(broker, "orders", two, "*.rome");
        await ProduceAsync(topic, "it.rome", "a", "b");
        await ProduceAsync(topic, "fr.paris", "c");
        await ProduceAsync(topic, 0, "fr.paris", "d", ("routing-key", "it.rome"));
        await ProduceAsync(topic, null, "e");
        await SettledAsync(broker);
        Assert.Equal(["a", "b", "d"], await rome.TakeTextsAsync());
        Assert.Equal(["a", "b", "c", "d", "e"], await all.TakeTextsAsync());
        Assert.Equal(["a", "b", "d"], await two.TakeTextsAsync());
        await all.ConservedAsync();
    }

    [Fact]
    public async Task Headers_decide_where_the_type_says_so()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("orders");
        await DeclareExchangeAsync(broker, "orders", ExchangeTypes.Headers);
        var queue = await broker.DeclareAsync("q");
        await BindAsync(broker, "orders", queue, "", new RouteArgument("colour", "", "red"u8.ToArray()));
        await ProduceAsync(topic, 0, "k", "no", ("colour", "blue"));
        await ProduceAsync(topic, 0, "k", "yes", ("colour", "red"));
        await SettledAsync(broker);
        Assert.Equal(["yes"], await queue.TakeTextsAsync());
    }

    [Fact]
    public async Task Nothing_arrives_twice_over_restarts_and_nothing_is_left_behind()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("orders", 2);
        var queue = await broker.DeclareAsync("q");
        await BindAsync(broker, "orders", queue);
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 20; i++) await ProduceAsync(topic, i % 2, "k", $"{i % 2} {round} {i:00}");
            // At whatever point it is.
            await broker.RestartAsync();
            topic = broker.Broker.Topics.Find(Orders)!;
        }
        await SettledAsync(broker);
        var texts = await broker.Queue("q").TakeTextsAsync();
        Assert.Equal(60, texts.Count);
        foreach (var partition in new[] { "0", "1" })
            Assert.Equal(texts.Where(t => t.StartsWith(partition, StringComparison.Ordinal)).Order(), texts.Where(t => t.StartsWith(partition, StringComparison.Ordinal)));
        Assert.Equal(60, texts.Distinct().Count());
        await broker.Queue("q").ConservedAsync();
    }

    [Fact]
    public async Task A_route_begins_at_the_end_and_carries_nothing_after_it_is_gone()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("orders");
        var (early, late) = (await broker.DeclareAsync("early"), await broker.DeclareAsync("late"));
        await ProduceAsync(topic, "k", "0");
        Assert.Empty(broker.Broker.Routing.Forwarding);
        await BindAsync(broker, "orders", early);
        await ProduceAsync(topic, "k", "1");
        await BindAsync(broker, "orders", late);
        await ProduceAsync(topic, "k", "2");
        await SettledAsync(broker);
        await broker.Broker.Routing.UnbindAsync(Orders, early, "", []);
        await ProduceAsync(topic, "k", "3");
        await SettledAsync(broker);
        await broker.Broker.Queues.DeleteAsync(late);
        Assert.Empty(broker.Broker.Routing.Forwarding);
        await ProduceAsync(topic, "k", "4");
        await BindAsync(broker, "orders", early);
        await ProduceAsync(topic, "k", "5");
        await broker.RestartAsync();
        await SettledAsync(broker);
        Assert.Equal(["1", "2", "5"], await broker.Queue("early").TakeTextsAsync());
    }

    [Fact]
    public async Task A_log_that_comes_after_the_route_is_carried_from_its_start()
    {
        await using var broker = await TestBroker.StartAsync();
        await DeclareExchangeAsync(broker, "orders", ExchangeTypes.Fanout);
        var queue = await broker.DeclareAsync("q");
        await BindAsync(broker, "orders", queue);
        foreach (var round in new[] { "first", "second" })
        {
            var topic = await broker.CreateTopicAsync("orders");
            await ProduceAsync(topic, "k", $"{round} 1", $"{round} 2");
            await SettledAsync(broker);
            await broker.Broker.Topics.AddPartitionsAsync(Orders, 2);
            await ProduceAsync(topic, 1, "k", $"{round} 3");
            await SettledAsync(broker);
            await broker.Broker.Topics.DeleteAsync(Orders);
        }
        Assert.Equal(["first 1", "first 2", "first 3", "second 1", "second 2", "second 3"], await queue.TakeTextsAsync());
        Assert.Single(broker.Broker.Routing.RoutesTo(queue));
    }

    [Fact]
    public async Task Routes_of_a_topic_that_was_only_a_log_go_with_it()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("orders");
        var queue = await broker.DeclareAsync("q");
        await BindAsync(broker, "orders", queue);
        await broker.Broker.Topics.DeleteAsync(Orders);
        Assert.Empty(broker.Broker.Routing.RoutesTo(queue));
        await broker.RestartAsync();
        Assert.Empty(broker.Broker.Routing.RoutesTo(broker.Queue("q")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transaction_is_carried_on_when_it_is_committed_and_never_if_it_is_aborted(bool commit)
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("orders");
        var queue = await broker.DeclareAsync("q");
        await BindAsync(broker, "orders", queue);
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        await producer.InitialiseAsync();
        await ProduceAsync(topic, "k", "before");
        await producer.AddAsync((topic, 0));
        await producer.SendAsync(topic, 0, "within");
        await ProduceAsync(topic, "k", "beside");
        await producer.SendAsync(topic, 0, "within too");
        await SettledAsync(broker);
        Assert.Equal(1, (await queue.GetCountsAsync()).Ready);
        await producer.EndAsync(commit);
        await ProduceAsync(topic, "k", "after");
        await queue.UntilAsync(c => c.Ready >= (commit ? 5 : 3));
        await SettledAsync(broker);
        Assert.Equal(commit ? ["before", "within", "beside", "within too", "after"] : ["before", "beside", "after"], await queue.TakeTextsAsync());
    }

    [Fact]
    public async Task Topics_with_logs_hand_on_to_each_other_and_nothing_goes_round()
    {
        await using var broker = await TestBroker.StartAsync();
        var (orders, copies) = (await broker.CreateTopicAsync("orders"), await broker.CreateTopicAsync("copies", 3));
        await DeclareExchangeAsync(broker, "plain", ExchangeTypes.Fanout);
        var (fromOrders, fromCopies) = (await broker.DeclareAsync("of orders"), await broker.DeclareAsync("of copies"));
        await BindAsync(broker, "orders", "plain");
        await BindAsync(broker, "plain", "copies");
        await BindAsync(broker, "copies", "orders");
        await BindAsync(broker, "orders", fromOrders);
        await BindAsync(broker, "copies", fromCopies);
        await ProduceAsync(orders, "k", "o1", "o2");
        await fromCopies.UntilAsync(c => c.Ready == 2);
        await ProduceAsync(copies, "k", "c1");
        await fromOrders.UntilAsync(c => c.Ready == 3);
        await SettledAsync(broker);
        Assert.Equal(["o1", "o2", "c1"], await fromOrders.TakeTextsAsync());
        Assert.Equal(["c1", "o1", "o2"], (await fromCopies.TakeTextsAsync()).Order());
        Assert.Equal(["o1", "o2", "c1"], await TransactionalProducer.ReadCommittedAsync(orders.Partitions[0]));
    }

    [Fact]
    public async Task Messages_that_are_published_and_those_that_die_go_through_the_log()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("dead");
        var (grave, loop) = (await broker.DeclareAsync("grave"), await broker.DeclareAsync("loop", SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget(null, "dead", null) }));
        await BindAsync(broker, "dead", grave);
        await BindAsync(broker, "dead", loop);
        var source = await broker.DeclareAsync("source", SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget(null, "dead", null) });
        await broker.SendAsync(source, "gone", "gone too");
        var taken = await source.TakeAsync();
        await source.SettleAsync(Settlement.Reject, QueueFixture.Tokens(taken));
        await grave.UntilAsync(c => c.Ready == 2);
        Assert.Equal(["gone", "gone too"], await grave.TakeTextsAsync());
        Assert.Equal(["gone", "gone too"], await TransactionalProducer.ReadCommittedAsync(topic.Partitions[0]));
        // Those that nobody rejects, but that expire where they lie, do not go round.
        await loop.UntilAsync(c => c.Ready == 2);
        await source.ConservedAsync();
    }

    [Fact]
    public async Task Records_that_retention_took_first_are_counted_and_told_of()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("orders");
        var queue = await broker.DeclareAsync("q");
        var heard = new Observer();
        broker.Broker.Routing.AddObserver(heard);
        await BindAsync(broker, "orders", queue);
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        await producer.InitialiseAsync();
        await producer.AddAsync((topic, 0));
        // An open transaction holds the cursor back while the records behind it are removed.
        await producer.SendAsync(topic, 0, "open");
        await ProduceAsync(topic, "k", "1", "2", "3");
        await topic.Partitions[0].TruncateAsync(3);
        await producer.EndAsync(false);
        await queue.UntilAsync(c => c.Ready == 1);
        Assert.Equal(["3"], await queue.TakeTextsAsync());
        Assert.Equal([(0L, 3L)], heard.Lost);
        Assert.Equal(3, Assert.Single(broker.Broker.Routing.Forwarding).Lost);
    }

    [Theory]
    [InlineData(Overflow.DropHead)]
    [InlineData(Overflow.Reject)]
    [InlineData(Overflow.RejectDeadLetter)]
    public async Task A_full_queue_does_what_its_policy_says_and_holds_up_nobody(Overflow overflow)
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("orders");
        var (full, other, dead) = (
            await broker.DeclareAsync("full", QueueSettings.Default with { MaxLength = 2, Overflow = overflow, Subscription = SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget("dead", null, null) } }),
            await broker.DeclareAsync("other"), await broker.DeclareAsync("dead"));
        await BindAsync(broker, "orders", full);
        await BindAsync(broker, "orders", other);
        await ProduceAsync(topic, "k", "1", "2", "3", "4");
        await SettledAsync(broker);
        await other.UntilAsync(c => c.Ready == 4);
        if (overflow != Overflow.Reject) await dead.UntilAsync(c => c.Ready == 2);
        Assert.Equal(overflow == Overflow.DropHead ? ["3", "4"] : ["1", "2"], await full.TakeTextsAsync());
        Assert.Equal(overflow switch { Overflow.DropHead => ["1", "2"], Overflow.Reject => [], _ => ["3", "4"] }, await dead.TakeTextsAsync());
        Assert.Equal(overflow == Overflow.DropHead ? 0 : 2, Assert.Single(broker.Broker.Routing.Forwarding).Refused);
    }

    [Fact]
    public async Task Queues_and_topics_in_memory_take_part()
    {
        await using var broker = await TestBroker.StartAsync();
        var inMemory = TopicSettings.Default with { CommitMode = CommitMode.Memory };
        var topic = await broker.CreateTopicAsync("orders", settings: inMemory);
        var copies = await broker.CreateTopicAsync("copies", settings: inMemory);
        var (durable, transient) = (await broker.DeclareAsync("durable"), await broker.DeclareAsync("transient", QueueSettings.Default with { IsDurable = false }));
        await BindAsync(broker, "orders", durable);
        await BindAsync(broker, "orders", transient);
        await BindAsync(broker, "orders", "copies");
        await ProduceAsync(topic, "k", "1", "2");
        await durable.UntilAsync(c => c.Ready == 2);
        Assert.Equal(["1", "2"], await transient.TakeTextsAsync());
        Assert.Equal(["1", "2"], await TransactionalProducer.ReadCommittedAsync(copies.Partitions[0]));
        await broker.RestartAsync();
        await ProduceAsync(broker.Broker.Topics.Find(Orders)!, "k", "3");
        await broker.Queue("durable").UntilAsync(c => c.Ready == 3);
        Assert.Equal(["1", "2", "3"], await broker.Queue("durable").TakeTextsAsync());
        Assert.Equal(0, Assert.Single(broker.Broker.Routing.Forwarding).Lost);
    }

    [Fact]
    public async Task Many_large_records_come_through_in_order_however_they_were_batched()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("orders");
        await DeclareExchangeAsync(broker, "orders", ExchangeTypes.Direct);
        var (a, both) = (await broker.DeclareAsync("a"), await broker.DeclareAsync("both"));
        await BindAsync(broker, "orders", a, "a");
        await BindAsync(broker, "orders", both, "a");
        await BindAsync(broker, "orders", both, "b");
        var payload = new string('x', 100_000);
        for (var batch = 0; batch < 10; batch++)
        {
            using var builder = new RecordBatchBuilder();
            for (var i = 0; i < 30; i++)
                builder.Add(1000, i % 3 == 0 ? "b"u8 : "a"u8, (NullableBytes)Encoding.UTF8.GetBytes($"{batch * 30 + i:000}{payload}"));
            Assert.Equal(PartitionStatus.Ok, (await topic.Partitions[0].AppendAsync(builder.Build(new BatchOptions { Codec = CompressionCodec.Zstd }))).Status);
        }
        await SettledAsync(broker);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i:000}"), (await both.TakeTextsAsync(300)).Select(t => t[..3]));
        Assert.Equal(Enumerable.Range(0, 300).Where(i => i % 3 != 0).Select(i => $"{i:000}"), (await a.TakeTextsAsync(300)).Select(t => t[..3]));
    }

    private sealed class Observer : IForwardingObserver
    {
        public List<(long From, long To)> Lost { get; } = [];

        public void OnFellBehind(TopicName topic, int partition, long firstLost, long next) => Lost.Add((firstLost, next));

        public void OnStalled(TopicName topic, int partition, Exception reason)
        {
        }
    }
}
