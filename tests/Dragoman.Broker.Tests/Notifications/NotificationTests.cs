using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Notifications;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Routing.Filters;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Tests.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Tests.Notifications;

/// <summary>Subscriptions of topics: what is published by whatever protocol takes their routes, filtered and made anew, once.</summary>
public sealed class NotificationTests
{
    private static readonly TopicName Orders = TopicName.InDefault("orders");

    /// <summary>Puts what it is told of into angle brackets.</summary>
    private sealed class Brackets : IRouteTransformation
    {
        public string Name => "notification";

        public List<Guid> Ids { get; } = [];

        public void Add(in RoutedMessage message, RuledRoute route, Undeliverable? reason, MessageBatch batch)
        {
            lock (Ids) Ids.Add(message.Id);
            var text = Encoding.UTF8.GetString(message.Message.Value.Span);
            var made = route.Arguments.GetValueOrDefault("raw") == "true" ? text : $"<{text}{(reason is null ? "" : " " + reason.Code)}>";
            batch.Add(new MessageProperties { Timestamp = message.Now }, message.Message.Key, Encoding.UTF8.GetBytes(made));
        }
    }

    private static async Task<Brackets> CreateAsync(TestBroker broker)
    {
        var brackets = new Brackets();
        broker.Broker.Routing.Register(brackets);
        var made = await broker.Broker.Notifications.ChangeTopicAsync(Orders, static known => known ?? new NotificationTopic { Name = Orders, CreatedAtMs = 0 });
        Assert.Equal(NotificationStatus.Ok, made.Status);
        return brackets;
    }

    private static async Task<NotificationSubscription> SubscribeAsync(TestBroker broker, string queue, string? filter = null, FilterScope scope = FilterScope.Attributes, bool raw = false, string? deadLetters = null, bool isConfirmed = true)
    {
        var answer = await broker.Broker.Notifications.SubscribeAsync(new NotificationSubscription
        {
            Id = Guid.NewGuid(),
            Topic = Orders,
            Protocol = "queue",
            Endpoint = queue,
            CreatedAtMs = 0,
            IsConfirmed = isConfirmed,
            Target = QueueName.InDefault(queue),
            DeadLetters = deadLetters is null ? null : QueueName.InDefault(deadLetters),
            FilterPolicy = filter,
            FilterScope = scope,
            Attributes = System.Collections.Immutable.ImmutableSortedDictionary.Create<string, string>().Add("raw", raw ? "true" : "false"),
        });
        Assert.Equal(NotificationStatus.Ok, answer.Status);
        return answer.After!;
    }

    private static Notification Notify(string text, string? key = null, string? deduplication = null, params (string Name, string Value)[] attributes) => new()
    {
        Id = Guid.NewGuid(),
        Body = Encoding.UTF8.GetBytes(text),
        Key = key,
        DeduplicationId = deduplication,
        WriteHeaders = headers =>
        {
            foreach (var (name, value) in attributes) headers.Add(name, Encoding.UTF8.GetBytes(value));
        },
    };

    private static async Task<NotifyAnswer> PublishAsync(TestBroker broker, params Notification[] notifications)
    {
        var answer = await broker.Broker.Notifications.PublishAsync(Orders, notifications);
        Assert.Equal(NotificationStatus.Ok, answer.Status);
        return answer;
    }

    private static async Task ProduceAsync(ITopicHandle topic, params string[] values)
    {
        foreach (var value in values)
        {
            using var builder = new RecordBatchBuilder();
            builder.Add(1000, default, (NullableBytes)Encoding.UTF8.GetBytes(value));
            Assert.Equal(PartitionStatus.Ok, (await topic.Partitions[0].AppendAsync(builder.Build(new BatchOptions()))).Status);
        }
    }

    private static async Task SettledAsync(TestBroker broker)
    {
        for (var limit = DateTime.UtcNow.AddSeconds(20); ; await Task.Delay(2))
        {
            if (broker.Broker.Routing.Forwarding is { Count: > 0 } all && all.All(p => p.NextOffset >= p.EndOffset)) return;
            Assert.True(DateTime.UtcNow < limit, string.Join(", ", broker.Broker.Routing.Forwarding));
        }
    }

    [Fact]
    public async Task What_is_published_reaches_all_confirmed_subscriptions_as_their_routes_make_it()
    {
        await using var broker = await TestBroker.StartAsync();
        await CreateAsync(broker);
        var (plain, raw, some, none) = (await broker.DeclareAsync("plain"), await broker.DeclareAsync("raw"), await broker.DeclareAsync("some"), await broker.DeclareAsync("none"));
        await SubscribeAsync(broker, "plain");
        await SubscribeAsync(broker, "raw", raw: true);
        await SubscribeAsync(broker, "some", """{"colour":["red"]}""");
        await SubscribeAsync(broker, "none", isConfirmed: false);
        await PublishAsync(broker, Notify("a", null, null, ("colour", "blue")), Notify("b", null, null, ("colour", "red")));
        Assert.Equal(["<a>", "<b>"], await plain.TakeTextsAsync());
        Assert.Equal(["a", "b"], await raw.TakeTextsAsync());
        Assert.Equal(["<b>"], await some.TakeTextsAsync());
        Assert.Empty(await none.TakeTextsAsync());
        await some.ConservedAsync();
    }

    [Fact]
    public async Task A_topic_is_the_same_to_bindings_and_subscriptions_and_each_goes_by_itself()
    {
        await using var broker = await TestBroker.StartAsync();
        await CreateAsync(broker);
        var (bound, told) = (await broker.DeclareAsync("bound"), await broker.DeclareAsync("told"));
        await SubscribeAsync(broker, "told", """{"n":[1]}""", FilterScope.Body);
        Assert.Equal(RoutingStatus.Ok, (await broker.Broker.Routing.BindAsync(Orders, bound, "", [])).Status);
        await PublishAsync(broker, Notify("""{"n":1}"""), Notify("""{"n":2}"""));
        Assert.Equal(["""{"n":1}""", """{"n":2}"""], await bound.TakeTextsAsync());
        Assert.Equal(["""<{"n":1}>"""], await told.TakeTextsAsync());
        // As AMQP publishes.
        var route = new RouteResult();
        Assert.True(broker.Broker.Routing.Resolve(Orders, "", default, route));
        var batch = MessageBatch.Rent();
        batch.Add(new MessageProperties { Timestamp = 1 }, default, """{"n":1}"""u8);
        Assert.Equal(QueueStatus.Ok, (await broker.Broker.Queues.PublishAsync(batch, route.Queues, route.Routes)).Status);
        Assert.Equal(["""{"n":1}"""], await bound.TakeTextsAsync());
        Assert.Equal(["""<{"n":1}>"""], await told.TakeTextsAsync());
        // An exchange that comes and goes takes nothing with it.
        await broker.Broker.Routing.DeclareAsync(Orders, new ExchangeFacet { Type = ExchangeTypes.Direct });
        await broker.Broker.Routing.DeleteAsync(Orders);
        await PublishAsync(broker, Notify("""{"n":1}"""));
        Assert.Equal(["""<{"n":1}>"""], await told.TakeTextsAsync());
        // The facet takes its subscriptions with it, and the topic, which is nothing else.
        await broker.Broker.Notifications.ChangeTopicAsync(Orders, static _ => null);
        Assert.Null(broker.Broker.Routing.Find(Orders));
        Assert.Empty(broker.Broker.Notifications.ListSubscriptions());
        Assert.Equal(NotificationStatus.NotFound, (await broker.Broker.Notifications.PublishAsync(Orders, [Notify("x")])).Status);
    }

    [Fact]
    public async Task What_a_log_holds_is_carried_on_filtered_and_made_anew_once_over_restarts()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("orders");
        var brackets = await CreateAsync(broker);
        await broker.DeclareAsync("told");
        await ProduceAsync(topic, """{"n":1,"i":-1}""");
        await SubscribeAsync(broker, "told", """{"n":[1]}""", FilterScope.Body);
        var expected = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 10; i++)
            {
                await ProduceAsync(topic, $$"""{"n":{{i % 2}},"i":{{round * 10 + i}}}""");
                if (i % 2 == 1) expected.Add($$"""<{"n":1,"i":{{round * 10 + i}}}>""");
            }
            await PublishAsync(broker, Notify($$"""{"n":1,"i":"sns {{round}}"}"""));
            expected.Add($$"""<{"n":1,"i":"sns {{round}}"}>""");
            await broker.RestartAsync();
            topic = broker.Broker.Topics.Find(Orders)!;
            // Until somebody says what to make of them, messages wait.
            broker.Broker.Routing.Register(brackets);
        }
        await SettledAsync(broker);
        Assert.Equal(expected, await broker.Queue("told").TakeTextsAsync());
        await broker.Queue("told").ConservedAsync();
    }

    [Fact]
    public async Task What_nobody_knows_how_to_make_is_refused_or_waits()
    {
        await using var broker = await TestBroker.StartAsync();
        await CreateAsync(broker);
        await broker.DeclareAsync("told");
        await SubscribeAsync(broker, "told");
        await broker.RestartAsync();
        Assert.Equal(NotificationStatus.StorageError, (await broker.Broker.Notifications.PublishAsync(Orders, [Notify("lost")])).Status);
        var topic = await broker.CreateTopicAsync("orders");
        await ProduceAsync(topic, "kept");
        Assert.Empty(broker.Broker.Routing.Forwarding);
        broker.Broker.Routing.Register(new Brackets());
        await SettledAsync(broker);
        Assert.Equal(["<kept>"], await broker.Queue("told").TakeTextsAsync());
    }

    [Fact]
    public async Task What_has_no_queue_goes_to_the_dead_letters_of_its_subscription_until_there_is_one_again()
    {
        await using var broker = await TestBroker.StartAsync();
        await CreateAsync(broker);
        var (told, dead) = (await broker.DeclareAsync("told"), await broker.DeclareAsync("dead"));
        await SubscribeAsync(broker, "told", deadLetters: "dead");
        await SubscribeAsync(broker, "never");
        await broker.Broker.Queues.DeleteAsync(told);
        await PublishAsync(broker, Notify("a"));
        Assert.Equal(["<a InvocationFailure>"], await dead.TakeTextsAsync());
        told = await broker.DeclareAsync("told");
        await PublishAsync(broker, Notify("b"));
        Assert.Equal(["<b>"], await told.TakeTextsAsync());
        Assert.Empty(await dead.TakeTextsAsync());
    }

    [Fact]
    public async Task A_topic_that_keeps_order_knows_copies_within_its_window_over_restarts()
    {
        await using var broker = await TestBroker.StartAsync();
        var brackets = new Brackets();
        broker.Broker.Routing.Register(brackets);
        await broker.Broker.Notifications.ChangeTopicAsync(Orders, static _ => new NotificationTopic { Name = Orders, CreatedAtMs = 0, IsOrdered = true });
        await broker.DeclareAsync("told");
        await SubscribeAsync(broker, "told");
        var first = await PublishAsync(broker, Notify("1", "g", "x"), Notify("2", "g", "y"), Notify("1 again", "g", "x"));
        Assert.Equal([0, 1, 0], first.Receipts.Select(static r => r.Sequence));
        Assert.Equal(first.Receipts[0], first.Receipts[2]);
        await broker.RestartAsync();
        broker.Broker.Routing.Register(brackets);
        broker.Time.Advance(TimeSpan.FromMinutes(4));
        var second = await PublishAsync(broker, Notify("1 once more", "g", "x"), Notify("3", "g", "z"));
        Assert.Equal(first.Receipts[0], second.Receipts[0]);
        Assert.Equal(2, second.Receipts[1].Sequence);
        broker.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(3, (await PublishAsync(broker, Notify("1 anew", "g", "x"))).Receipts[0].Sequence);
        Assert.Equal(["<1>", "<2>", "<3>", "<1 anew>"], await broker.Queue("told").TakeTextsAsync());
    }

    [Fact]
    public async Task A_topic_that_keeps_order_and_a_log_has_each_message_there_once_and_forgets_what_its_log_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        var brackets = new Brackets();
        broker.Broker.Routing.Register(brackets);
        await broker.CreateTopicAsync("orders", 2, TopicSettings.Default with { MaxMessageBytes = 1000 });
        await broker.Broker.Notifications.ChangeTopicAsync(Orders, static _ => new NotificationTopic { Name = Orders, CreatedAtMs = 0, IsOrdered = true });
        await broker.DeclareAsync("told");
        await SubscribeAsync(broker, "told", raw: true);
        await PublishAsync(broker, Notify("1", "g", "x"), Notify("2", "h", "y"), Notify("1 again", "g", "x"));
        var tooLong = await broker.Broker.Notifications.PublishAsync(Orders, [Notify(new string('3', 2000), "g", "z")]);
        Assert.Equal(NotificationStatus.Refused, tooLong.Status);
        await SettledAsync(broker);
        await broker.RestartAsync();
        broker.Broker.Routing.Register(brackets);
        await PublishAsync(broker, Notify("2 again", "h", "y"), Notify("3", "g", "z"));
        await SettledAsync(broker);
        var topic = broker.Broker.Topics.Find(Orders)!;
        Assert.Equal(3, topic.Partitions.Sum(static p => p.TryGetOffsets(out var offsets) ? offsets.HighWatermark : -1));
        Assert.Equal(["1", "2", "3"], (await broker.Queue("told").TakeTextsAsync()).Order());
    }

    [Fact]
    public async Task Subscriptions_change_and_go_and_a_second_one_to_the_same_place_is_the_first()
    {
        await using var broker = await TestBroker.StartAsync();
        var brackets = await CreateAsync(broker);
        var told = await broker.DeclareAsync("told");
        var subscription = await SubscribeAsync(broker, "told");
        Assert.Equal(subscription.Id, (await SubscribeAsync(broker, "told")).Id);
        await broker.Broker.Notifications.ChangeSubscriptionAsync(subscription.Id, static s => s with { FilterPolicy = """{"a":["x"]}""" });
        await broker.RestartAsync();
        broker.Broker.Routing.Register(brackets);
        told = broker.Queue("told");
        await PublishAsync(broker, Notify("no"), Notify("yes", null, null, ("a", "x")));
        Assert.Equal(["<yes>"], await told.TakeTextsAsync());
        await broker.Broker.Notifications.ChangeSubscriptionAsync(subscription.Id, static _ => null);
        await PublishAsync(broker, Notify("no", null, null, ("a", "x")));
        Assert.Empty(await told.TakeTextsAsync());
        Assert.Equal(NotificationStatus.NotFound, (await broker.Broker.Notifications.ChangeSubscriptionAsync(subscription.Id, static s => s)).Status);
    }

    [Fact]
    public async Task All_subscriptions_are_told_of_a_message_under_one_id()
    {
        await using var broker = await TestBroker.StartAsync();
        var brackets = await CreateAsync(broker);
        await broker.DeclareAsync("one");
        await broker.DeclareAsync("two");
        await SubscribeAsync(broker, "one");
        await SubscribeAsync(broker, "two");
        var sent = await PublishAsync(broker, Notify("a"));
        Assert.Equal([sent.Receipts[0].Id, sent.Receipts[0].Id], brackets.Ids);
        var route = new RouteResult();
        broker.Broker.Routing.Resolve(Orders, "", default, route);
        var batch = MessageBatch.Rent();
        batch.Add(new MessageProperties { Timestamp = 1 }, default, "b"u8);
        await broker.Broker.Queues.PublishAsync(batch, route.Queues, route.Routes);
        Assert.Equal(4, brackets.Ids.Count);
        Assert.Equal(brackets.Ids[2], brackets.Ids[3]);
        Assert.NotEqual(brackets.Ids[0], brackets.Ids[2]);
    }
}
