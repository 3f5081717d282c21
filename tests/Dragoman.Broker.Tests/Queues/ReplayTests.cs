using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using static Dragoman.Broker.Tests.Queues.QueueFixture;

namespace Dragoman.Broker.Tests.Queues;

public sealed class ReplayTests
{
    [Fact]
    public async Task Settled_messages_can_be_replayed_within_the_window()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.DeclareAsync("q", SubscriptionSettings.Default with { ReplayWindowMs = 60_000 });
        var queue = broker.Queue("q");
        await broker.SendAsync(queue, "a", "b");
        broker.Time.Advance(TimeSpan.FromSeconds(30));
        await broker.SendAsync(queue, "c", "d");
        await queue.SettleAsync(Settlement.Acknowledge, Tokens(await queue.TakeAsync(3)));
        var answer = await queue.SeekAsync(1);
        Assert.Equal((QueueStatus.Ok, 2), (answer.Status, answer.Count));
        await broker.RestartAsync();
        queue = broker.Queue("q");
        Assert.Equal([("b", 1), ("c", 1), ("d", 1)], (await queue.TakeAsync()).Select(r => (r.Text, r.Count)));
        await queue.ConservedAsync();
        answer = await queue.SeekAsync(broker.Time.GetUtcNow());
        Assert.Equal(QueueStatus.Ok, answer.Status);
        Assert.Equal(["c", "d"], (await queue.TakeAsync()) is var taken ? taken.Select(r => r.Text) : []);
        Assert.Equal(1, (await queue.GetConservationAsync()).Purged);
        await queue.ConservedAsync();
        await queue.SettleAsync(Settlement.Acknowledge, Tokens(taken));
        broker.Time.Advance(TimeSpan.FromSeconds(100));
        for (var limit = DateTime.UtcNow.AddSeconds(20); (await queue.SeekAsync(0)).Status != QueueStatus.OutOfRange; broker.Time.Advance(TimeSpan.FromSeconds(5)))
        {
            Assert.True(DateTime.UtcNow < limit);
            await queue.SettleUpToAsync(100);
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Without_a_window_there_is_no_way_back()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "a", "b", "c");
        await queue.SettleAsync(Settlement.Acknowledge, Tokens(await queue.TakeAsync(2)));
        Assert.Equal(QueueStatus.OutOfRange, (await queue.SeekAsync(0)).Status);
        Assert.Equal(QueueStatus.Ok, (await queue.SeekAsync(3)).Status);
        Assert.Empty(await queue.TakeAsync());
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task Everything_up_to_a_message_can_be_settled_at_once()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "a", "b", "c", "d", "e");
        var taken = await queue.TakeAsync(2);
        await queue.SettleAsync(Settlement.Return, Tokens(taken[1]), TimeSpan.FromSeconds(10));
        Assert.Equal(4, (await queue.SettleUpToAsync(3)).Count);
        Assert.Equal((1, 0, 0), await queue.GetCountsAsync() is var c ? (c.Ready, c.Leased, c.Delayed) : default);
        await queue.ConservedAsync();
        broker.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(["e"], await queue.TakeTextsAsync());
    }

    [Fact]
    public async Task A_look_takes_nothing()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "a", "b", "c");
        await queue.SettleAsync(Settlement.Acknowledge, Tokens(await queue.TakeAsync(1)));
        Assert.Equal(["b", "c"], TestConsumer.ReadAll((await queue.PeekAsync(0, 10)).Deliveries).Select(r => r.Text));
        Assert.Equal(["c"], TestConsumer.ReadAll((await queue.PeekAsync(2, 10)).Deliveries).Select(r => r.Text));
        Assert.Equal(["b", "c"], await queue.TakeTextsAsync());
    }
}
