using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Tests.Queues;

public sealed class PlainQueueTests
{
    public static TheoryData<bool, CommitMode> Kinds => new() { { true, CommitMode.Fsync }, { true, CommitMode.Memory }, { false, CommitMode.Fsync } };

    private static QueueSettings Settings(bool durable, CommitMode mode) => QueueSettings.Default with { IsDurable = durable, CommitMode = mode };

    private static async Task<IQueueHandle> DeclareAsync(TestBroker broker, string name, QueueSettings? settings = null)
    {
        var answer = await broker.Broker.Queues.DeclareAsync(QueueName.InDefault(name), settings ?? QueueSettings.Default);
        Assert.Equal(QueueStatus.Ok, answer.Status);
        return answer.Queue!;
    }

    private static async Task ConservedAsync(IQueueHandle queue)
    {
        var conservation = await queue.GetConservationAsync();
        Assert.Equal(conservation.In, conservation.Out);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Messages_come_in_order_and_are_gone_once_acknowledged(bool durable, CommitMode mode)
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await DeclareAsync(broker, "q", Settings(durable, mode));
        var published = await queue.PublishAsync(TestConsumer.Batch("a", "b", "c"));
        Assert.Equal((QueueStatus.Ok, 3), (published.Status, published.Accepted));
        await queue.PublishAsync(TestConsumer.Batch("d"));
        var consumer = await TestConsumer.OpenAsync(queue, credit: 2);
        var received = await consumer.WaitForAsync(2);
        Assert.Equal(["a", "b"], received.Select(r => r.Text));
        Assert.All(received, r => Assert.Equal(1, r.Count));
        var counts = await queue.GetCountsAsync();
        Assert.Equal((2, 2, 1), (counts.Ready, counts.Leased, counts.Consumers));
        await consumer.SettleAsync(Settlement.Acknowledge, received[0].Offset, received[1].Offset);
        consumer.Consumer.Grant(10);
        received = await consumer.WaitForAsync(4);
        Assert.Equal(["a", "b", "c", "d"], received.Select(r => r.Text));
        var answer = await consumer.SettleAsync(Settlement.Acknowledge, received[3].Offset, received[2].Offset, 999_999);
        Assert.Equal(2, answer.Count);
        counts = await queue.GetCountsAsync();
        Assert.Equal((0, 0), (counts.Ready, counts.Leased));
        await ConservedAsync(queue);
    }

    [Fact]
    public async Task Returned_messages_come_back_in_their_place_and_say_so()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await DeclareAsync(broker, "q");
        await queue.PublishAsync(TestConsumer.Batch("a", "b", "c", "d", "e"));
        var consumer = await TestConsumer.OpenAsync(queue, credit: 3);
        await consumer.WaitForAsync(3);
        await consumer.SettleAsync(Settlement.Return, 2, 0);
        await consumer.SettleAsync(Settlement.Release, 1);
        consumer.Consumer.Grant(10);
        var received = await consumer.WaitForAsync(8);
        Assert.Equal(["a", "b", "c", "d", "e"], received.Skip(3).Select(r => r.Text));
        Assert.Equal([2, 1, 2, 1, 1], received.Skip(3).Select(r => r.Count));
        await ConservedAsync(queue);
    }

    [Fact]
    public async Task Consumers_take_turns_and_those_of_higher_priority_come_first()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await DeclareAsync(broker, "q");
        var first = await TestConsumer.OpenAsync(queue, credit: 100);
        var second = await TestConsumer.OpenAsync(queue, credit: 100);
        await queue.PublishAsync(TestConsumer.Batch(Enumerable.Range(0, 10).Select(i => $"{i}")));
        Assert.Equal(["0", "2", "4", "6", "8"], (await first.WaitForAsync(5)).Select(r => r.Text));
        Assert.Equal(["1", "3", "5", "7", "9"], (await second.WaitForAsync(5)).Select(r => r.Text));
        var urgent = await TestConsumer.OpenAsync(queue, credit: 3, new ConsumerOptions { Priority = 5 });
        await queue.PublishAsync(TestConsumer.Batch(Enumerable.Range(0, 5).Select(i => $"u{i}")));
        Assert.Equal(["u0", "u1", "u2"], (await urgent.WaitForAsync(3)).Select(r => r.Text));
        await first.WaitForAsync(6);
        await second.WaitForAsync(6);
    }

    [Fact]
    public async Task One_consumer_is_active_where_there_is_one_at_a_time()
    {
        await using var broker = await TestBroker.StartAsync();
        var settings = QueueSettings.Default with { Subscription = SubscriptionSettings.Default with { Dispatch = DispatchMode.Failover } };
        var queue = await DeclareAsync(broker, "q", settings);
        var first = await TestConsumer.OpenAsync(queue);
        var second = await TestConsumer.OpenAsync(queue);
        await queue.PublishAsync(TestConsumer.Batch("a", "b"));
        await first.WaitForAsync(2);
        Assert.Empty(second.Received);
        await first.Consumer.DisposeAsync();
        var received = await second.WaitForAsync(2);
        Assert.Equal([("a", 2), ("b", 2)], received.Select(r => (r.Text, r.Count)));
        Assert.True(second.IsActive);
    }

    [Fact]
    public async Task A_cancelled_consumer_keeps_what_it_holds()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await DeclareAsync(broker, "q");
        await queue.PublishAsync(TestConsumer.Batch("a", "b"));
        var consumer = await TestConsumer.OpenAsync(queue);
        await consumer.WaitForAsync(2);
        await consumer.Consumer.CancelAsync();
        await queue.PublishAsync(TestConsumer.Batch("c"));
        Assert.Equal(1, (await consumer.SettleAsync(Settlement.Acknowledge, 0)).Count);
        var counts = await queue.GetCountsAsync();
        Assert.Equal((1, 1, 0), (counts.Ready, counts.Leased, counts.Consumers));
        await consumer.Consumer.DisposeAsync();
        var other = await TestConsumer.OpenAsync(queue);
        Assert.Equal([("b", 2), ("c", 1)], (await other.WaitForAsync(2)).Select(r => (r.Text, r.Count)));
    }

    [Fact]
    public async Task Messages_can_be_asked_for_one_by_one()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await DeclareAsync(broker, "q");
        await using var getter = (await queue.ConsumeAsync(new ConsumerOptions { IsPassive = true }, new TestConsumer())).Consumer!;
        Assert.Null((await getter.ReceiveAsync(1)).Deliveries);
        await queue.PublishAsync(TestConsumer.Batch("a", "b", "c"));
        Assert.Equal(["a"], TestConsumer.ReadAll((await getter.ReceiveAsync(1)).Deliveries).Select(r => r.Text));
        Assert.Equal(1, getter.Settle(Settlement.Return, [OffsetRange.Of(0)]));
        Assert.Equal([("a", 2), ("b", 1), ("c", 1)], TestConsumer.ReadAll((await getter.ReceiveAsync(5)).Deliveries).Select(r => (r.Text, r.Count)));
        Assert.Equal(0, (await queue.GetCountsAsync()).Consumers);
    }

    [Fact]
    public async Task A_purge_takes_what_is_ready_and_no_more()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await DeclareAsync(broker, "q");
        await queue.PublishAsync(TestConsumer.Batch(Enumerable.Range(0, 10).Select(i => $"{i}")));
        var consumer = await TestConsumer.OpenAsync(queue, credit: 4);
        await consumer.WaitForAsync(4);
        await consumer.SettleAsync(Settlement.Return, 1);
        Assert.Equal(7, (await queue.PurgeAsync()).Count);
        var counts = await queue.GetCountsAsync();
        Assert.Equal((0, 3), (counts.Ready, counts.Leased));
        await queue.PublishAsync(TestConsumer.Batch("new"));
        consumer.Consumer.Grant(10);
        Assert.Equal("new", (await consumer.WaitForAsync(5))[4].Text);
        await ConservedAsync(queue);
    }

    [Fact]
    public async Task One_publish_reaches_several_queues_and_is_stored_once()
    {
        await using var broker = await TestBroker.StartAsync();
        var queues = new List<IQueueHandle>();
        for (var i = 0; i < 4; i++) queues.Add(await DeclareAsync(broker, $"q{i}", Settings(i != 3, CommitMode.Fsync)));
        await queues[1].PublishAsync(TestConsumer.Batch("before"));
        var outcome = await broker.Broker.Queues.PublishAsync(TestConsumer.Batch("a", "b"), queues);
        Assert.Equal((QueueStatus.Ok, 2), (outcome.Status, outcome.Accepted));
        for (var i = 0; i < 4; i++)
        {
            var consumer = await TestConsumer.OpenAsync(queues[i]);
            string[] expected = i == 1 ? ["before", "a", "b"] : ["a", "b"];
            Assert.Equal(expected, (await consumer.WaitForAsync(expected.Length)).Select(r => r.Text));
        }
    }

    [Fact]
    public async Task A_deleted_queue_ends_its_consumers_and_refuses_what_comes()
    {
        await using var broker = await TestBroker.StartAsync();
        foreach (var settings in new[] { QueueSettings.Default, Settings(false, CommitMode.Fsync), Settings(true, CommitMode.Memory) })
        {
            var queue = await DeclareAsync(broker, "q", settings);
            var consumer = await TestConsumer.OpenAsync(queue, credit: 0);
            await queue.PublishAsync(TestConsumer.Batch("a", "b"));
            Assert.Equal(QueueStatus.InUse, (await broker.Broker.Queues.DeleteAsync(queue, DeleteConditions.IfUnused)).Status);
            Assert.Equal(QueueStatus.NotEmpty, (await broker.Broker.Queues.DeleteAsync(queue, DeleteConditions.IfEmpty)).Status);
            Assert.Equal(QueueStatus.AlreadyExists, (await broker.Broker.Queues.DeclareAsync(QueueName.InDefault("q"), settings)).Status);
            var deleted = await broker.Broker.Queues.DeleteAsync(queue);
            Assert.Equal((QueueStatus.Ok, 2), (deleted.Status, deleted.Messages));
            Assert.True(await consumer.WaitUntilAsync(() => consumer.Ended == ConsumerEnd.Deleted));
            Assert.Equal(QueueStatus.NotFound, (await queue.PublishAsync(TestConsumer.Batch("c"))).Status);
            Assert.Equal(QueueStatus.NotFound, (await queue.ConsumeAsync(new ConsumerOptions(), consumer)).Status);
            Assert.Null(broker.Broker.Queues.Find(QueueName.InDefault("q")));
        }
    }
}
