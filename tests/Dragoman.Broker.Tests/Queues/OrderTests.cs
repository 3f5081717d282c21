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
