using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using static Dragoman.Broker.Tests.Queues.QueueFixture;

namespace Dragoman.Broker.Tests.Queues;

public sealed class OrderTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_more_urgent_messages_come_first(bool restart)
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { MaxPriority = 5 });
        var batch = MessageBatch.Rent();
        foreach (var (text, priority) in new[] { ("a", -1), ("b", 3), ("c", 0), ("d", 9), ("e", 3), ("f", 5) })
            batch.Add(new MessageProperties { Timestamp = broker.Now(), Priority = (short)priority }, default, Encoding.UTF8.GetBytes(text));
        await queue.PublishAsync(batch, null, TestContext.Current.CancellationToken);
        if (restart)
        {
            await broker.RestartAsync();
            queue = broker.Queue("q");
        }
        Assert.Equal(["d", "f", "b"], await queue.TakeTextsAsync(3));
        await broker.SendAsync(queue, new MessageProperties { Priority = 4 }, "g");
        Assert.Equal(["g", "e", "a", "c"], await queue.TakeTextsAsync());
        await queue.ConservedAsync();
        broker.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["d", "f", "g", "b", "e", "a", "c"], await queue.TakeTextsAsync());
    }

    [Fact]
    public async Task The_messages_of_a_key_go_to_one_at_a_time_in_order()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Dispatch = DispatchMode.ByKey });
        foreach (var (key, text) in new[] { ("A", "a1"), ("A", "a2"), ("B", "b1"), ("A", "a3"), ("B", "b2"), ("C", "c1") })
            await queue.PublishAsync(broker.Batch(new MessageProperties(), key, text), null, TestContext.Current.CancellationToken);
        var first = await queue.TakeAsync(2);
        Assert.Equal(["a1", "a2"], first.Select(r => r.Text));
        var second = await queue.TakeAsync(2);
        Assert.Equal(["b1", "b2"], second.Select(r => r.Text));
        Assert.Equal(["c1"], await queue.TakeTextsAsync());
        Assert.Empty(await queue.TakeAsync());
        await queue.SettleAsync(Settlement.Acknowledge, Tokens(first[0]));
        Assert.Empty(await queue.TakeAsync());
        await queue.SettleAsync(Settlement.Return, Tokens(first[1]));
        Assert.Equal(["a2", "a3"], (await queue.TakeAsync()).Select(r => r.Text));
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task Consumers_by_key_keep_their_keys_while_they_hold_messages_of_them()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Dispatch = DispatchMode.ByKey });
        var consumers = new[] { await TestConsumer.OpenAsync(queue, 10), await TestConsumer.OpenAsync(queue, 10) };
        foreach (var (key, text) in new[] { ("A", "a1"), ("B", "b1"), ("A", "a2"), ("B", "b2"), ("B", "b3"), ("A", "a3") })
            await queue.PublishAsync(broker.Batch(new MessageProperties(), key, text), null, TestContext.Current.CancellationToken);
        Assert.Equal(["a1", "a2", "a3"], (await consumers[0].WaitForAsync(3)).Select(r => r.Text));
        Assert.Equal(["b1", "b2", "b3"], (await consumers[1].WaitForAsync(3)).Select(r => r.Text));
        await consumers[0].Consumer.DisposeAsync();
        Assert.Equal(["a1", "a2", "a3"], (await consumers[1].WaitForAsync(6)).Skip(3).Select(r => r.Text));
    }

    [Fact]
    public async Task Who_takes_messages_gets_as_many_of_a_key_as_there_are_before_those_of_the_next()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Dispatch = DispatchMode.ByKey });
        await SendAsync(broker, queue, "a1", "b1", "a2", "c1", "a3", "b2");
        var first = await queue.TakeAsync(2);
        Assert.Equal(["a1", "a2"], first.Select(r => r.Text));
        Assert.Equal(["b1", "b2", "c1"], await queue.TakeTextsAsync());
        await queue.SettleAsync(Settlement.Acknowledge, Tokens([.. first]));
        await SendAsync(broker, queue, "d1", "a4");
        Assert.Equal(["a3", "a4", "d1"], await queue.TakeTextsAsync());
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task A_key_that_comes_back_is_behind_the_others()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Dispatch = DispatchMode.ByKey });
        await SendAsync(broker, queue, "a1", "a2", "a3", "b1", "c1", "b2");
        Assert.Equal(["a1", "a2"], await queue.TakeTextsAsync(2));
        Assert.Equal(["b1"], await queue.TakeTextsAsync(1));
        broker.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["c1", "a1", "a2", "a3", "b1", "b2"], await queue.TakeTextsAsync());
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task A_message_that_comes_back_does_not_wait_for_later_ones_of_its_key()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Dispatch = DispatchMode.ByKey });
        await SendAsync(broker, queue, "a1", "a2", "a3", "a4", "b1");
        var first = await queue.TakeAsync(3);
        await queue.SettleAsync(Settlement.Return, Tokens(first[0]), TimeSpan.Zero);
        Assert.Equal(["b1", "a1"], await queue.TakeTextsAsync());
        Assert.Empty(await queue.TakeTextsAsync());
        await queue.SettleAsync(Settlement.Acknowledge, Tokens(first[1]));
        Assert.Empty(await queue.TakeTextsAsync());
        await queue.ExtendAsync(Tokens(first[2]), TimeSpan.FromMinutes(5));
        broker.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["a1", "b1"], (await queue.TakeTextsAsync()).Order());
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task Only_so_many_messages_are_passed_over_for_more_of_a_key()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Dispatch = DispatchMode.ByKey });
        var batch = MessageBatch.Rent();
        for (var i = 0; i < 5000; i++)
            batch.Add(new MessageProperties { Timestamp = broker.Now() }, Encoding.UTF8.GetBytes(i is 0 or 500 or 4500 ? "A" : $"{i}"), Encoding.UTF8.GetBytes($"{i}"));
        await queue.PublishAsync(batch, null, TestContext.Current.CancellationToken);
        Assert.Equal(["0", "500", "1", "2"], await queue.TakeTextsAsync(4));
        await queue.ConservedAsync();
        // Messages that were passed over are where they were for whoever else takes.
        var consumer = await TestConsumer.OpenAsync(queue, 5000);
        var others = (await consumer.WaitForAsync(4995)).Select(r => int.Parse(r.Text, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(Enumerable.Range(3, 4997).Except([500, 4500]), others);
        await queue.ConservedAsync();
    }

    [Theory]
    [InlineData(100)]
    [InlineData(3000)]
    public async Task Many_messages_of_a_key_do_not_hold_up_those_of_others_where_a_queue_is_fair(int many)
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Dispatch = DispatchMode.Fair });
        await SendAsync(broker, queue, Enumerable.Range(0, many).Select(i => $"noisy {i}"));
        var held = await queue.TakeAsync(20);
        Assert.Equal("noisy 0", held[0].Text);
        await SendAsync(broker, queue, ["quiet 1", "Quiet 2", "quiet 3"]);
        await broker.SendAsync(queue, "without a key");
        Assert.Equal(["quiet 1", "Quiet 2"], await queue.TakeTextsAsync(2));
        // One of the key is held now, and twenty of the other.
        Assert.DoesNotContain("noisy", string.Join(' ', await queue.TakeTextsAsync(1)), StringComparison.Ordinal);
        await queue.SettleAsync(Settlement.Return, Tokens(held), TimeSpan.Zero);
        await queue.ConservedAsync();
        Assert.Equal(many + 1, (await queue.TakeAsync(many + 100)).Count);
        await queue.ConservedAsync();
    }

    [Theory]
    [InlineData(DispatchMode.Fair)]
    [InlineData(DispatchMode.ByKey)]
    public async Task Messages_that_wait_apart_expire_although_nobody_asks(DispatchMode dispatch)
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Dispatch = dispatch, MessageLifetimeMs = 60_000, LeaseMs = 300_000 });
        await SendAsync(broker, queue, Enumerable.Range(0, 50).Select(i => $"{(char)('a' + i % 3)} {i}"));
        // The others of its key wait for the first, or were passed over for it.
        Assert.Single(await queue.TakeAsync(1));
        Assert.Equal(2, (await queue.TakeAsync(2)).Count);
        broker.Time.Advance(TimeSpan.FromSeconds(30));
        await SendAsync(broker, queue, ["x 1", "y 2", "a 3"]);
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        await queue.UntilAsync(c => c is { Ready: 3, Leased: 3 });
        broker.Time.Advance(TimeSpan.FromSeconds(61));
        await queue.UntilAsync(c => c is { Ready: 0, Leased: 3 });
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task What_one_key_has_too_many_of_is_delivered_all_the_same()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Dispatch = DispatchMode.Fair });
        var texts = Enumerable.Range(0, 4000).Select(i => $"{(char)('a' + i % 7 * (i % 3))} {i}").ToList();
        await SendAsync(broker, queue, texts);
        var taken = new List<string>();
        while (await queue.TakeAsync(10) is { Count: > 0 } some)
        {
            taken.AddRange(some.Select(r => r.Text));
            await queue.SettleAsync(Settlement.Acknowledge, Tokens(some[1..]));
        }
        Assert.Equal(texts.Order(StringComparer.Ordinal), taken.Order(StringComparer.Ordinal));
        await queue.ConservedAsync();
        await broker.RestartAsync();
        queue = broker.Queue("q");
        broker.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(400, (await queue.TakeAsync(1000)).Count);
        await queue.ConservedAsync();
    }

    private static async Task SendAsync(TestBroker broker, IQueueHandle queue, IEnumerable<string> texts)
    {
        foreach (var some in texts.Chunk(500))
        {
            var batch = MessageBatch.Rent();
            foreach (var text in some) batch.Add(new MessageProperties { Timestamp = broker.Now() }, Encoding.UTF8.GetBytes(text[..1]), Encoding.UTF8.GetBytes(text));
            await queue.PublishAsync(batch, null, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_purge_forgets_deduplication_ids()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { DeduplicationWindowMs = 300_000 });
        await broker.SendAsync(queue, new MessageProperties { DeduplicationId = "x" }, "a");
        await broker.SendAsync(queue, new MessageProperties { DeduplicationId = "x" }, "b");
        await queue.PurgeAsync(everything: true);
        await broker.RestartAsync();
        queue = broker.Queue("q");
        await broker.SendAsync(queue, new MessageProperties { DeduplicationId = "x" }, "c");
        Assert.Equal(["c"], await queue.TakeTextsAsync());
        await broker.SendAsync(queue, new MessageProperties { DeduplicationId = "x" }, "d");
        Assert.Empty(await queue.TakeTextsAsync());
        await queue.ConservedAsync();
    }

    /// <summary>Sends messages whose keys are their first letters.</summary>
    private static async Task SendAsync(TestBroker broker, IQueueHandle queue, params string[] texts)
    {
        foreach (var text in texts) await queue.PublishAsync(broker.Batch(new MessageProperties(), text[..1], text), null, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Messages_that_the_filter_leaves_out_are_settled()
    {
        await using var broker = await TestBroker.StartAsync();
        var filter = new HeaderFilter([[new HeaderCondition("priority", HeaderMatch.Equal, "7")], [new HeaderCondition("expires-at", HeaderMatch.Exists)]]);
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Filter = filter });
        await broker.SendAsync(queue, new MessageProperties { Priority = 7 }, "a");
        await broker.SendAsync(queue, new MessageProperties { Priority = 6 }, "b");
        await broker.SendAsync(queue, new MessageProperties { ExpiresAt = long.MaxValue - 1 }, "c");
        await broker.SendAsync(queue, "d");
        await broker.RestartAsync();
        queue = broker.Queue("q");
        Assert.Equal(filter, queue.Settings.Subscription.Filter);
        Assert.Equal(["a", "c"], await queue.TakeTextsAsync());
        Assert.Equal(2, (await queue.GetConservationAsync()).Filtered);
        await queue.ConservedAsync();
    }
}
