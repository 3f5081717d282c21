using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Tests.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Tests.Routing;

/// <summary>Topics that hold messages back, and route them when they are due.</summary>
public sealed class DelayedTopicTests
{
    private static readonly TopicName Later = TopicName.InDefault("later");

    private static async Task DeclareAsync(TestBroker broker, string matchedAs = ExchangeTypes.Direct, bool isDurable = true)
    {
        var facet = new ExchangeFacet
        {
            Type = ExchangeTypes.Delayed,
            IsDurable = isDurable,
            Attributes = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, [KeyValuePair.Create(ExchangeTypes.MatchedAsAttribute, matchedAs)]),
        };
        Assert.Equal(RoutingStatus.Ok, (await broker.Broker.Routing.DeclareAsync(Later, facet)).Status);
    }

    private static async Task BindAsync(TestBroker broker, IQueueHandle queue, string key) =>
        Assert.Equal(RoutingStatus.Ok, (await broker.Broker.Routing.BindAsync(Later, queue, key, [])).Status);

    private static IQueueHandle Holding(TestBroker broker) => broker.Broker.Routing.FindHolding(Later)!;

    /// <summary>Publishes as a front end does: to the queue that holds back.</summary>
    private static async Task SendAsync(TestBroker broker, string key, long delayMs, string text, long lifetimeMs = -1)
    {
        using var headers = new RecordHeadersWriter();
        headers.Add("topic", Encoding.UTF8.GetBytes(Later.Name));
        headers.Add("routing-key", Encoding.UTF8.GetBytes(key));
        if (lifetimeMs >= 0) headers.Add(CanonicalHeaders.Lifetime, Encoding.UTF8.GetBytes(lifetimeMs.ToString(CultureInfo.InvariantCulture)));
        var batch = MessageBatch.Rent();
        batch.Add(new MessageProperties { Timestamp = broker.Now(), DeliverAt = broker.Now() + delayMs }, default, Encoding.UTF8.GetBytes(text), headers.Headers);
        Assert.Equal(QueueStatus.Ok, (await Holding(broker).PublishAsync(batch)).Status);
    }

    /// <summary>Lets time pass until it is so; a timer that is set while the clock moves is late by that.</summary>
    private static async Task PassUntilAsync(TestBroker broker, IQueueHandle queue, long ready)
    {
        for (var limit = DateTime.UtcNow.AddSeconds(20); (await queue.GetCountsAsync()).Ready != ready; await Task.Delay(2))
        {
            Assert.True(DateTime.UtcNow < limit, $"{await queue.GetCountsAsync()}");
            broker.Time.Advance(TimeSpan.FromMilliseconds(50));
        }
    }

    [Fact]
    public async Task Messages_are_routed_when_they_are_due_each_in_its_time_and_without_a_history()
    {
        await using var broker = await TestBroker.StartAsync();
        await DeclareAsync(broker, ExchangeTypes.Topic);
        var (rome, all) = (await broker.DeclareAsync("rome"), await broker.DeclareAsync("all"));
        await BindAsync(broker, rome, "it.*");
        await BindAsync(broker, all, "#");
        var start = broker.Now();
        await SendAsync(broker, "it.rome", 3000, "late");
        await SendAsync(broker, "fr.paris", 2000, "between");
        await SendAsync(broker, "it.rome", 1000, "soon");
        var holding = Holding(broker);
        await holding.UntilAsync(c => c.Delayed == 3);
        broker.Time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(3, (await holding.GetCountsAsync()).Delayed);
        Assert.Equal(0, (await all.GetCountsAsync()).Ready);

        for (var ready = 1; ready <= 3; ready++)
        {
            await PassUntilAsync(broker, all, ready);
            Assert.True(broker.Now() >= start + ready * 1000);
        }
        Assert.Equal(["soon", "between", "late"], await all.TakeTextsAsync());
        Assert.Equal(["soon", "late"], await rome.TakeTextsAsync());
        await holding.UntilAsync(c => c is { Ready: 0, Delayed: 0, Leased: 0 });
        await holding.ConservedAsync();
        using var peeked = (await all.PeekAsync(0, 1)).Deliveries!;
        var headers = peeked.Message(0).Headers;
        Assert.False(headers.TryGetLast(CanonicalHeaders.Deaths, out _));
        Assert.False(headers.TryGetLast(CanonicalHeaders.DeliverAt, out _));
        Assert.True(headers.TryGetLast(CanonicalHeaders.Topic, out var topic) && Encoding.UTF8.GetString(topic.Span) == "later");
    }

    [Fact]
    public async Task What_is_held_back_is_there_after_a_restart_and_its_lifetime_begins_when_it_is_due()
    {
        await using var broker = await TestBroker.StartAsync();
        await DeclareAsync(broker);
        var queue = await broker.DeclareAsync("q");
        await BindAsync(broker, queue, "k");
        await SendAsync(broker, "k", 5000, "short", lifetimeMs: 1000);
        await SendAsync(broker, "k", 5000, "long");
        await broker.RestartAsync();
        queue = broker.Queue("q");
        Assert.Equal(0, (await queue.GetCountsAsync()).Ready);
        await PassUntilAsync(broker, queue, 2);
        using (var peeked = (await queue.PeekAsync(0, 1)).Deliveries!)
        {
            var message = peeked.Message(0);
            Assert.True(message.Headers.TryGetLast(CanonicalHeaders.ExpiresAt, out var expires));
            Assert.Equal(message.Timestamp + 1000, long.Parse(Encoding.UTF8.GetString(expires.Span), CultureInfo.InvariantCulture));
        }
        await PassUntilAsync(broker, queue, 1);
        var left = await queue.TakeAsync();
        Assert.Equal("long", Assert.Single(left).Text);
        await queue.SettleAsync(Settlement.Acknowledge, QueueFixture.Tokens(left));

        // What was due while the broker was down goes on at once.
        await SendAsync(broker, "k", 60_000, "while it was down");
        await broker.RestartAsync(() => broker.Time.Advance(TimeSpan.FromMinutes(1)));
        await broker.Queue("q").UntilAsync(c => c.Ready == 1);
    }

    [Fact]
    public async Task Nobody_gets_what_no_route_takes_when_it_is_due()
    {
        await using var broker = await TestBroker.StartAsync();
        await DeclareAsync(broker);
        var queue = await broker.DeclareAsync("q");
        await BindAsync(broker, queue, "k");
        await SendAsync(broker, "nobody", 1000, "lost");
        await SendAsync(broker, "k", 1000, "found");
        await PassUntilAsync(broker, queue, 1);
        await Holding(broker).UntilAsync(c => c is { Ready: 0, Delayed: 0, Leased: 0 });
        await Holding(broker).ConservedAsync();
    }

    [Fact]
    public async Task The_queue_goes_with_its_topic_and_comes_back_with_it_and_if_somebody_deletes_it()
    {
        await using var broker = await TestBroker.StartAsync();
        await DeclareAsync(broker);
        var queue = await broker.DeclareAsync("q");
        await SendAsync(broker, "k", 1000, "gone");
        var first = Holding(broker);
        Assert.Equal(RoutingStatus.Ok, (await broker.Broker.Routing.DeleteAsync(Later)).Status);
        Assert.True(first.IsDeleted);
        Assert.Null(broker.Broker.Routing.FindHolding(Later));

        await DeclareAsync(broker, isDurable: false);
        await BindAsync(broker, queue, "k");
        Assert.False(Holding(broker).Settings.IsDurable);
        await broker.Broker.Queues.DeleteAsync(Holding(broker));
        for (var limit = DateTime.UtcNow.AddSeconds(20); broker.Broker.Routing.FindHolding(Later) is null; await Task.Delay(2)) Assert.True(DateTime.UtcNow < limit);
        await SendAsync(broker, "k", 1000, "here");
        await PassUntilAsync(broker, queue, 1);
        Assert.Equal(["here"], await queue.TakeTextsAsync());
    }
}
