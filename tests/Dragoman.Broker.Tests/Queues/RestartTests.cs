using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Tests.Queues;

public sealed class RestartTests
{
    private static IQueueHandle Queue(TestBroker broker, string name = "q") => broker.Broker.Queues.Find(QueueName.InDefault(name))!;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_durable_queue_goes_on_where_it_was(bool checkpoint)
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.Broker.Queues.DeclareAsync(QueueName.InDefault("q"), QueueSettings.Default);
        var queue = Queue(broker);
        await queue.PublishAsync(TestConsumer.Batch(Enumerable.Range(0, 10).Select(i => $"{i}")));
        var consumer = await TestConsumer.OpenAsync(queue, credit: 6);
        await consumer.WaitForAsync(6);
        await consumer.SettleAsync(Settlement.Return, 2);
        consumer.Consumer.Grant(1);
        await consumer.WaitForAsync(7);
        await consumer.SettleAsync(Settlement.Acknowledge, 0, 1, 3, 5);
        if (checkpoint) await broker.Broker.Store.CheckpointAsync();
        await broker.RestartAsync();
        if (checkpoint) await broker.Broker.Store.CheckpointAsync();
        if (checkpoint) await broker.RestartAsync();
        queue = Queue(broker);
        Assert.Equal(6, (await queue.GetCountsAsync()).Ready);
        consumer = await TestConsumer.OpenAsync(queue);
        var received = await consumer.WaitForAsync(6);
        Assert.Equal([("2", 3), ("4", 2), ("6", 1), ("7", 1), ("8", 1), ("9", 1)], received.Select(r => (r.Text, r.Count)));
        await consumer.SettleAsync(Settlement.Acknowledge, received.Select(r => r.Offset).ToArray());
        var conservation = await queue.GetConservationAsync();
        Assert.Equal((10, 10), (conservation.Accepted, conservation.Acknowledged));
    }

    [Fact]
    public async Task What_is_in_memory_is_gone_and_transient_queues_are_too()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.Broker.Queues.DeclareAsync(QueueName.InDefault("m"), QueueSettings.Default with { CommitMode = CommitMode.Memory });
        await broker.Broker.Queues.DeclareAsync(QueueName.InDefault("t"), QueueSettings.Default with { IsDurable = false });
        await Queue(broker, "m").PublishAsync(TestConsumer.Batch("a"));
        var consumer = await TestConsumer.OpenAsync(Queue(broker, "m"));
        var before = await consumer.WaitForAsync(1);
        await broker.RestartAsync();
        Assert.Null(Queue(broker, "t"));
        var queue = Queue(broker, "m");
        Assert.Equal(0, (await queue.GetCountsAsync()).Ready);
        broker.Time.Advance(TimeSpan.FromMilliseconds(1));
        await queue.PublishAsync(TestConsumer.Batch("b"));
        consumer = await TestConsumer.OpenAsync(queue);
        var after = await consumer.WaitForAsync(1);
        Assert.Equal("b", after[0].Text);
        Assert.True(after[0].Offset >= before[0].Offset);
    }

    [Fact]
    public async Task A_deleted_queue_stays_deleted_and_its_state_with_it()
    {
        await using var broker = await TestBroker.StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await broker.Broker.Queues.DeclareAsync(QueueName.InDefault($"q{i}"), QueueSettings.Default);
            await Queue(broker, $"q{i}").PublishAsync(TestConsumer.Batch("a", "b"));
            var consumer = await TestConsumer.OpenAsync(Queue(broker, $"q{i}"), credit: 1);
            await consumer.WaitForAsync(1);
            await consumer.SettleAsync(Settlement.Acknowledge, 0);
            if (i == 7) await broker.Broker.Store.CheckpointAsync();
        }
        for (var i = 0; i < 20; i += 2) await broker.Broker.Queues.DeleteAsync(Queue(broker, $"q{i}"));
        for (var round = 0; round < 3; round++)
        {
            await broker.RestartAsync();
            for (var i = 0; i < 20; i++)
            {
                if (i % 2 == 0) Assert.Null(Queue(broker, $"q{i}"));
                else Assert.Equal(1, (await Queue(broker, $"q{i}").GetCountsAsync()).Ready);
            }
            Assert.Equal(10, broker.Broker.Queues.List().Count);
            await broker.Broker.Store.CheckpointAsync();
        }
    }

    [Fact]
    public async Task A_lease_that_ended_while_the_broker_was_down_brings_its_message_back_once()
    {
        await using var broker = await TestBroker.StartAsync();
        // Where messages have priorities, all are looked at anew after a start.
        await broker.DeclareAsync("q", QueueSettings.Default with { MaxPriority = 9 });
        await broker.SendAsync(broker.Queue("q"), new Messages.MessageProperties { Priority = 5 }, "a");
        await broker.SendAsync(broker.Queue("q"), new Messages.MessageProperties { Priority = 1 }, "b");
        Assert.Equal("a", Assert.Single(await broker.Queue("q").TakeAsync(1)).Text);
        broker.Time.Advance(TimeSpan.FromMinutes(1));
        await broker.RestartAsync();
        var queue = broker.Queue("q");
        await queue.UntilAsync(c => c.Ready == 2);
        await queue.ConservedAsync();
        Assert.Equal([("a", 2), ("b", 1)], (await queue.TakeAsync()).Select(r => (r.Text, r.Count)));
    }
}
