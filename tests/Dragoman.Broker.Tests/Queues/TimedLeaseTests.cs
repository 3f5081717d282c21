using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using static Dragoman.Broker.Tests.Queues.QueueFixture;

namespace Dragoman.Broker.Tests.Queues;

public sealed class TimedLeaseTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_lease_ends_by_itself_and_its_token_with_it()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "a", "b", "c");
        var first = await queue.TakeAsync(2, Lease);
        Assert.Equal([("a", 1), ("b", 1)], first.Select(r => (r.Text, r.Count)));
        Assert.Equal(["c"], await queue.TakeTextsAsync());
        broker.Time.Advance(TimeSpan.FromSeconds(29));
        Assert.Empty(await queue.TakeAsync());
        broker.Time.Advance(TimeSpan.FromSeconds(2));
        var again = await queue.TakeAsync(10, Lease);
        Assert.Equal([("a", 2), ("b", 2), ("c", 2)], again.Select(r => (r.Text, r.Count)));
        Assert.Equal(0, (await queue.SettleAsync(Settlement.Acknowledge, Tokens(first))).Count);
        Assert.Equal(3, (await queue.SettleAsync(Settlement.Acknowledge, Tokens(again))).Count);
        Assert.Equal(new SubscriptionCounts(0, 0, 0, 0, 0), await queue.GetCountsAsync());
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task A_lease_can_be_extended_and_given_back()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "a", "b");
        var taken = await queue.TakeAsync(2, Lease);
        broker.Time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(1, (await queue.ExtendAsync(Tokens(taken[0]), Lease)).Count);
        broker.Time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(["b"], await queue.TakeTextsAsync());
        Assert.Equal(1, (await queue.SettleAsync(Settlement.Return, Tokens(taken[0]), TimeSpan.FromSeconds(5))).Count);
        Assert.Equal((0, 1, 1), (await queue.GetCountsAsync()) is var c ? (c.Ready, c.Leased, c.Delayed) : default);
        Assert.Empty(await queue.TakeAsync());
        broker.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal([("a", 2)], (await queue.TakeAsync()).Select(r => (r.Text, r.Count)));
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task Who_is_late_can_still_acknowledge_until_somebody_else_has_had_it()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "a", "b");
        var first = await queue.TakeAsync(2, Lease);
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(1, (await queue.SettleAsync(Settlement.Acknowledge, Tokens(first[0]))).Count);
        var second = await queue.TakeAsync(10, Lease);
        Assert.Equal([("b", 2)], second.Select(r => (r.Text, r.Count)));
        Assert.Equal(0, (await queue.SettleAsync(Settlement.Acknowledge, Tokens(first[1]))).Count);
        Assert.Equal(1, (await queue.SettleAsync(Settlement.Acknowledge, Tokens(second[0]))).Count);
        Assert.Equal(new SubscriptionCounts(0, 0, 0, 0, 0), await queue.GetCountsAsync());
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task Who_is_late_can_take_the_message_back()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "a", "b");
        var taken = await queue.TakeAsync(2, Lease);
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        while ((await queue.GetCountsAsync()).Leased > 0) await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.Equal(1, (await queue.ExtendAsync(Tokens(taken[0]), Lease)).Count);
        Assert.Equal((1, 1), (await queue.GetCountsAsync()) is var after ? (after.Ready, after.Leased) : default);
        Assert.Equal(["b"], await queue.TakeTextsAsync());
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal([("a", 2), ("b", 3)], (await queue.TakeAsync(10, Lease)).Select(r => (r.Text, r.Count)));
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task A_held_message_can_be_shown_once_more()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "a", "b");
        var taken = await queue.TakeAsync(2, Lease);
        broker.Time.Advance(TimeSpan.FromSeconds(20));
        var again = await queue.RepeatAsync(Tokens(taken[0], taken[1]), Lease);
        Assert.Equal([("a", 1), ("b", 1)], TestConsumer.ReadAll(again.Deliveries).Select(r => (r.Text, r.Count)));
        broker.Time.Advance(TimeSpan.FromSeconds(20));
        Assert.Empty(await queue.TakeAsync());
        await queue.SettleAsync(Settlement.Acknowledge, Tokens(taken[0]));
        Assert.Null((await queue.RepeatAsync(Tokens(taken[0], taken[1]), Lease)).Deliveries);
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task Leases_counts_and_delays_survive_a_restart()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "a", "b", "c", "d");
        var taken = await queue.TakeAsync(3, Lease);
        await queue.SettleAsync(Settlement.Return, Tokens(taken[1]), TimeSpan.FromSeconds(60));
        await queue.SettleAsync(Settlement.Return, Tokens(taken[2]));
        Assert.Equal("c", (await queue.TakeAsync(1, Lease))[0].Text);
        for (var round = 0; round < 2; round++)
        {
            await broker.RestartAsync();
            queue = broker.Queue("q");
            var counts = await queue.GetCountsAsync();
            Assert.Equal((1, 2, 1), (counts.Ready, counts.Leased, counts.Delayed));
            await queue.ConservedAsync();
            await broker.Broker.Store.CheckpointAsync(TestContext.Current.CancellationToken);
        }
        Assert.Equal(1, (await queue.SettleAsync(Settlement.Acknowledge, Tokens(taken[0]))).Count);
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal([("c", 3), ("d", 1)], (await queue.TakeAsync()).Select(r => (r.Text, r.Count)));
        broker.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal([("b", 2), ("c", 4), ("d", 2)], (await queue.TakeAsync()).Select(r => (r.Text, r.Count)));
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task Whoever_waits_gets_the_first_message_or_nothing_when_the_time_is_over()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        var waiting = queue.TakeAsync(10, Lease, TimeSpan.FromSeconds(20));
        var other = queue.TakeAsync(10, Lease, TimeSpan.FromSeconds(10));
        await broker.SendAsync(queue, "a", "b");
        Assert.Equal(["a", "b"], (await waiting).Select(r => r.Text));
        Assert.False(other.IsCompleted);
        broker.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Empty(await other);
        using var cancel = new CancellationTokenSource();
        var cancelled = queue.ReceiveAsync(10, Lease, TimeSpan.FromSeconds(10), cancel.Token);
        await cancel.CancelAsync();
        Assert.Null((await cancelled).Deliveries);
        await broker.SendAsync(queue, "c");
        Assert.Equal(["c"], await queue.TakeTextsAsync());
    }

    [Fact]
    public async Task What_comes_back_waits_longer_each_time()
    {
        await using var broker = await TestBroker.StartAsync();
        var settings = SubscriptionSettings.Default with { MinBackOffMs = 1000, MaxBackOffMs = 3000, BackOff = BackOffGrowth.Exponential };
        var queue = await broker.DeclareAsync("q", settings);
        await broker.SendAsync(queue, "a");
        foreach (var wait in new[] { 1000, 2000, 3000, 3000 })
        {
            var taken = await queue.TakeAsync();
            await queue.SettleAsync(Settlement.Return, Tokens(taken));
            broker.Time.Advance(TimeSpan.FromMilliseconds(wait - 1));
            Assert.Empty(await queue.TakeAsync());
            broker.Time.Advance(TimeSpan.FromMilliseconds(1));
        }
        Assert.Equal(5, (await queue.TakeAsync())[0].Count);
    }

    [Theory]
    [InlineData(BackOffScope.All, true, true)]
    [InlineData(BackOffScope.Failed, false, true)]
    [InlineData(BackOffScope.Returned, true, false)]
    [InlineData(BackOffScope.None, false, false)]
    [Trait("Row", "R21")]
    public async Task Those_wait_that_were_given_back_or_those_that_were_lost_as_it_is_said(BackOffScope scope, bool waitsReturned, bool waitsLost)
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { MinBackOffMs = 60_000, MaxBackOffMs = 90_000, BackOffScope = scope });
        await broker.SendAsync(queue, "returned", "lost");
        var taken = await queue.TakeAsync(2, TimeSpan.FromSeconds(1));
        await queue.SettleAsync(Settlement.Return, Tokens(taken[0]));
        broker.Time.Advance(TimeSpan.FromSeconds(2));
        var ready = (waitsReturned ? 0 : 1) + (waitsLost ? 0 : 1);
        await queue.UntilAsync(c => c.Leased == 0 && c.Ready == ready && c.Delayed == 2 - ready);
        broker.Time.Advance(TimeSpan.FromMinutes(1));
        await queue.UntilAsync(c => c.Ready == 2);
        await queue.ConservedAsync();
    }
}
