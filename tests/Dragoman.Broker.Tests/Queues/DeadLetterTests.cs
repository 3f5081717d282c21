using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using static Dragoman.Broker.Tests.Queues.QueueFixture;

namespace Dragoman.Broker.Tests.Queues;

public sealed class DeadLetterTests
{
    private static readonly SubscriptionSettings ToDead = SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget("dead", null, null) };

    private static async Task<List<(string Text, IReadOnlyList<Death> Deaths)>> PeekAsync(IQueueHandle queue)
    {
        using var found = (await queue.PeekAsync(0, 100)).Deliveries;
        var all = new List<(string, IReadOnlyList<Death>)>();
        for (var i = 0; i < (found?.Count ?? 0); i++)
        {
            var message = found!.Message(i);
            all.Add((System.Text.Encoding.UTF8.GetString(message.Value.Span), message.Headers.TryGetLast(CanonicalHeaders.Deaths, out var deaths) ? DeathHistory.Decode(deaths.Span) : []));
        }
        return all;
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_rejected_message_goes_to_the_dead_letter_queue_with_its_history(bool sourceIsDurable, bool targetIsDurable)
    {
        await using var broker = await TestBroker.StartAsync();
        var dead = await broker.DeclareAsync("dead", QueueSettings.Default with { IsDurable = targetIsDurable });
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { IsDurable = sourceIsDurable, Subscription = ToDead });
        await broker.SendAsync(queue, new MessageProperties { ExpiresAt = broker.Now() + 60_000 }, "a", "b");
        var taken = await queue.TakeAsync();
        Assert.Equal(1, (await queue.SettleAsync(Settlement.Reject, Tokens(taken[0]))).Count);
        // It is there once the answer is.
        var found = Assert.Single(await PeekAsync(dead));
        Assert.Equal("a", found.Text);
        var death = Assert.Single(found.Deaths);
        Assert.Equal(("q", DeathReason.Rejected, 1, broker.Now(), 60_000), (death.Queue, death.Reason, death.Count, death.FirstTime, death.OriginalLifetimeMs));
        broker.Time.Advance(TimeSpan.FromHours(1));
        await queue.UntilAsync(c => c.Ready + c.Leased == 0);
        await dead.UntilAsync(c => c.Ready == 2);
        await queue.ConservedAsync();
        var conservation = await queue.GetConservationAsync();
        Assert.Equal((2, 0), (conservation.DeadLettered, conservation.Expired));
        Assert.Equal(["a", "b"], (await PeekAsync(dead)).Select(m => m.Text));
        await dead.ConservedAsync();
    }

    [Fact]
    public async Task Without_a_target_what_is_refused_is_dropped()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        var missing = await broker.DeclareAsync("missing", SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget("nowhere", null, null) });
        foreach (var each in new[] { queue, missing })
        {
            await broker.SendAsync(each, "a");
            await each.SettleAsync(Settlement.Reject, Tokens(await each.TakeAsync()));
            Assert.Equal(1, (await each.GetConservationAsync()).Dropped);
            await each.ConservedAsync();
        }
    }

    [Fact]
    public async Task A_dead_letter_that_a_full_target_refuses_is_dropped_and_counted_so_unless_the_target_passes_it_on()
    {
        await using var broker = await TestBroker.StartAsync();
        var last = await broker.DeclareAsync("last");
        var full = QueueSettings.Default with { MaxLength = 1, Overflow = Overflow.Reject };
        await broker.DeclareAsync("dead", full);
        await broker.DeclareAsync("passing", full with { Overflow = Overflow.RejectDeadLetter, Subscription = SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget("last", null, null) } });
        var dropping = await broker.DeclareAsync("q", ToDead);
        var passing = await broker.DeclareAsync("p", ToDead with { DeadLetter = new DeadLetterTarget("passing", null, null) });
        foreach (var queue in new[] { dropping, passing })
        {
            await broker.SendAsync(queue, "a", "b", "c");
            await queue.SettleAsync(Settlement.Reject, Tokens(await queue.TakeAsync()));
            await queue.ConservedAsync();
        }
        var conservation = await dropping.GetConservationAsync();
        Assert.Equal((1, 2), (conservation.DeadLettered, conservation.Dropped));
        Assert.Equal(["a"], (await PeekAsync(broker.Queue("dead"))).Select(m => m.Text));
        conservation = await passing.GetConservationAsync();
        Assert.Equal((3, 0), (conservation.DeadLettered, conservation.Dropped));
        Assert.Equal(["b", "c"], (await PeekAsync(last)).Select(m => m.Text));
        Assert.Equal(["passing", "p"], (await PeekAsync(last))[0].Deaths.Select(d => d.Queue));
    }

    [Fact]
    public async Task A_message_that_is_delivered_too_often_goes()
    {
        await using var broker = await TestBroker.StartAsync();
        var dead = await broker.DeclareAsync("dead");
        var queue = await broker.DeclareAsync("q", ToDead with { MaxDeliveries = 3 });
        await broker.SendAsync(queue, "poison");
        var consumer = await TestConsumer.OpenAsync(queue, credit: 10);
        for (var i = 1; i <= 3; i++)
        {
            await consumer.WaitForAsync(i);
            await consumer.SettleAsync(Settlement.Return, 0);
        }
        await dead.UntilAsync(c => c.Ready == 1);
        Assert.Equal([1, 2, 3], consumer.Received.Select(r => r.Count));
        Assert.Equal(DeathReason.DeliveryLimit, (await PeekAsync(dead))[0].Deaths[0].Reason);
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task Deliveries_that_a_restart_ended_count()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.DeclareAsync("dead");
        await broker.DeclareAsync("q", ToDead with { MaxDeliveries = 3 });
        await broker.SendAsync(broker.Queue("q"), "poison");
        for (var i = 1; i <= 3; i++)
        {
            var consumer = await TestConsumer.OpenAsync(broker.Queue("q"));
            Assert.Equal(i, (await consumer.WaitForAsync(1))[0].Count);
            await broker.RestartAsync();
        }
        Assert.Empty(await broker.Queue("q").TakeAsync());
        await broker.Queue("dead").UntilAsync(c => c.Ready == 1);
    }

    [Fact]
    public async Task Two_queues_that_dead_letter_to_each_other_end_it()
    {
        await using var broker = await TestBroker.StartAsync();
        var a = await broker.DeclareAsync("a", SubscriptionSettings.Default with { MessageLifetimeMs = 100, DeadLetter = new DeadLetterTarget("b", null, null) });
        var b = await broker.DeclareAsync("b", SubscriptionSettings.Default with { MessageLifetimeMs = 100, DeadLetter = new DeadLetterTarget("a", null, null) });
        await broker.SendAsync(a, "round");
        for (var i = 0; i < 4; i++)
        {
            broker.Time.Advance(TimeSpan.FromMilliseconds(101));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        await a.UntilAsync(c => c.Ready == 0);
        await b.UntilAsync(c => c.Ready == 0);
        Assert.Equal(1, (await b.GetConservationAsync()).Expired);
        await a.ConservedAsync();
        await b.ConservedAsync();
    }

    [Fact]
    public async Task Histories_count_repeated_deaths()
    {
        await using var broker = await TestBroker.StartAsync();
        var retry = await broker.DeclareAsync("retry", SubscriptionSettings.Default with { MessageLifetimeMs = 1000, DeadLetter = new DeadLetterTarget("work", null, null) });
        var work = await broker.DeclareAsync("work", SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget("retry", null, null) });
        await broker.SendAsync(work, "again");
        for (var i = 0; i < 3; i++)
        {
            var waiting = work.TakeAsync(1, null, TimeSpan.FromHours(1));
            await work.SettleAsync(Settlement.Reject, Tokens(await waiting));
            await retry.UntilAsync(c => c.Ready == 1);
            broker.Time.Advance(TimeSpan.FromSeconds(1));
        }
        await work.UntilAsync(c => c.Ready == 1);
        var deaths = (await PeekAsync(work))[0].Deaths;
        Assert.Equal([("retry", DeathReason.Expired, 3L), ("work", DeathReason.Rejected, 3L)], deaths.Select(d => (d.Queue, d.Reason, d.Count)));
    }

    private static QueueSettings AtLeastOnce(string topic) => QueueSettings.Default with
    {
        Overflow = Overflow.Reject,
        MaxLength = 20,
        Subscription = SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget(null, topic, "dead"), KeepsDeadLetters = true },
    };

    /// <summary>Has what is to be tried again be tried until a condition holds.</summary>
    private static async Task UntilRetriedAsync(TestBroker broker, IQueueHandle queue, Func<SubscriptionCounts, bool> condition)
    {
        for (var limit = DateTime.UtcNow.AddSeconds(20); !condition(await queue.GetCountsAsync()); await Task.Delay(2))
        {
            broker.Time.Advance(TimeSpan.FromSeconds(1));
            Assert.True(DateTime.UtcNow < limit, $"still {await queue.GetCountsAsync()}");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Row", "R21")]
    public async Task A_dead_letter_that_may_stay_waits_for_room_in_all_its_targets_and_goes_to_each_once(bool targetsAreDurable)
    {
        await using var broker = await TestBroker.StartAsync();
        var full = await broker.DeclareAsync("full", QueueSettings.Default with { IsDurable = targetsAreDurable, MaxLength = 1, Overflow = Overflow.Reject });
        var other = await broker.DeclareAsync("other", QueueSettings.Default with { IsDurable = targetsAreDurable });
        await BindAsync(broker, "x", full, other);
        var queue = await broker.DeclareAsync("q", AtLeastOnce("x"));
        await broker.SendAsync(queue, "a", "b", "c");
        await queue.SettleAsync(Settlement.Reject, Tokens(await queue.TakeAsync()));
        await full.UntilAsync(c => c.Ready == 1);
        Assert.Equal(["a"], (await PeekAsync(other)).Select(m => m.Text));
        Assert.Equal(2, (await queue.GetCountsAsync()).Leased);
        Assert.Equal("a", await TakeOneAsync(full));
        await UntilRetriedAsync(broker, full, c => c.Ready == 1);
        Assert.Equal("b", await TakeOneAsync(full));
        await UntilRetriedAsync(broker, queue, c => c.Leased == 0);
        // It has left before it has arrived: both are one commit.
        await full.UntilAsync(c => c.Ready == 1);
        Assert.Equal("c", await TakeOneAsync(full));
        Assert.Equal(["a", "b", "c"], (await PeekAsync(other)).Select(m => m.Text));
        var conservation = await queue.GetConservationAsync();
        Assert.Equal((3, 0), (conservation.DeadLettered, conservation.Dropped));
        await queue.ConservedAsync();
    }

    [Fact]
    [Trait("Row", "R21")]
    public async Task A_dead_letter_that_may_stay_waits_for_a_route_takes_room_and_survives_a_restart()
    {
        await using var broker = await TestBroker.StartAsync();
        var settings = AtLeastOnce("x");
        var queue = await broker.DeclareAsync("q", settings with { MaxLength = 3, Subscription = settings.Subscription with { MessageLifetimeMs = 1000 } });
        await broker.SendAsync(queue, "a", "b", "c");
        broker.Time.Advance(TimeSpan.FromSeconds(2));
        await queue.UntilAsync(c => c.Leased == 3);
        Assert.Equal(QueueStatus.QueueFull, (await broker.SendAsync(queue, "d")).Status);
        await broker.RestartAsync();
        queue = broker.Queue("q");
        await queue.UntilAsync(c => c.Leased == 3);
        var dead = await broker.DeclareAsync("dead");
        await BindAsync(broker, "x", dead);
        await UntilRetriedAsync(broker, dead, c => c.Ready == 3);
        Assert.Equal(["a", "b", "c"], await dead.TakeTextsAsync());
        Assert.Equal(QueueStatus.Ok, (await broker.SendAsync(queue, "d")).Status);
        await queue.ConservedAsync();
    }

    [Fact]
    [Trait("Row", "R21")]
    public async Task A_dead_letter_stays_only_where_new_messages_are_refused_and_settling_goes_on_meanwhile()
    {
        await using var broker = await TestBroker.StartAsync();
        var settings = AtLeastOnce("nowhere");
        var dropping = await broker.DeclareAsync("dropping", settings with { Overflow = Overflow.DropHead });
        await broker.SendAsync(dropping, "a");
        await dropping.SettleAsync(Settlement.Reject, Tokens(await dropping.TakeAsync()));
        Assert.Equal(1, (await dropping.GetConservationAsync()).Dropped);
        var queue = await broker.DeclareAsync("q", settings);
        await broker.SendAsync(queue, "a", "b");
        var taken = await queue.TakeAsync();
        Assert.Equal(1, (await queue.SettleAsync(Settlement.Reject, Tokens(taken[0]))).Count);
        Assert.Equal(new SubscriptionAnswer(QueueStatus.Ok, 1), await queue.SettleAsync(Settlement.Acknowledge, Tokens(taken[1])));
        Assert.Equal((0, 1), ((await queue.GetCountsAsync()).Ready, (await queue.GetCountsAsync()).Leased));
        // Told otherwise it is dropped the next time.
        await broker.Broker.Queues.ChangeSettingsAsync(queue, s => s with { Overflow = Overflow.DropHead });
        await UntilRetriedAsync(broker, queue, c => c.Leased == 0);
        await queue.ConservedAsync();
    }

    private static async Task BindAsync(TestBroker broker, string topic, params IQueueHandle[] queues)
    {
        await broker.Broker.Routing.DeclareAsync(Dragoman.Broker.Topics.TopicName.InDefault(topic), new Dragoman.Broker.Routing.ExchangeFacet());
        foreach (var queue in queues) await broker.Broker.Routing.BindAsync(Dragoman.Broker.Topics.TopicName.InDefault(topic), queue, "", []);
    }

    private static async Task<string> TakeOneAsync(IQueueHandle queue)
    {
        var taken = Assert.Single(await queue.TakeAsync(1));
        await queue.SettleAsync(Settlement.Acknowledge, Tokens(taken));
        return taken.Text;
    }
}
