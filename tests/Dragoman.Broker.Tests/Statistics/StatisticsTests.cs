using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Tests.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Tests.Statistics;

public sealed class StatisticsTests
{
    [Fact]
    public async Task A_queue_counts_what_comes_in_and_goes_out_by_the_way_it_goes()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        await broker.SendAsync(queue, "a", "b", "c", "d", "e");
        var consumer = await TestConsumer.OpenAsync(queue, credit: 2);
        var held = await consumer.WaitForAsync(2);
        await consumer.SettleAsync(Settlement.Acknowledge, held[0].Offset);
        await consumer.SettleAsync(Settlement.Return, held[1].Offset);
        await consumer.Consumer.CancelAsync();
        var leased = await queue.TakeAsync(max: 2);
        Assert.Equal(["b", "c"], leased.Select(r => r.Text));
        await queue.SettleAsync(Settlement.Acknowledge, QueueFixture.Tokens(leased));
        var eager = await TestConsumer.OpenAsync(queue, credit: 10, new ConsumerOptions { AutoAcknowledge = true });
        await eager.WaitForAsync(2);
        Assert.Empty(await queue.TakeAsync());
        var counters = queue.Counters;
        Assert.Equal(5, counters[MessageCounter.Publish]);
        Assert.Equal(2, counters[MessageCounter.Deliver]);
        Assert.Equal(2, counters[MessageCounter.DeliverNoAck]);
        Assert.Equal(2, counters[MessageCounter.Get]);
        Assert.Equal(1, counters[MessageCounter.GetEmpty]);
        Assert.Equal(1, counters[MessageCounter.Redeliver]);
        Assert.Equal(3, counters[MessageCounter.Ack]);
        Assert.Equal(6, counters.DeliverGet);
    }

    [Fact]
    public async Task Sums_do_not_fall_when_a_queue_goes_and_count_a_message_once_that_several_queues_took()
    {
        await using var broker = await TestBroker.StartAsync();
        var first = await broker.DeclareAsync("first");
        var second = await broker.DeclareAsync("second", QueueSettings.Default with { IsDurable = false });
        await broker.Broker.Queues.PublishAsync(TestConsumer.Batch("a", "b"), [first, second]);
        await broker.SendAsync(first, "c");
        Assert.Equal(3, (await first.TakeAsync()).Count);
        Assert.Equal(2, (await second.TakeAsync()).Count);
        Assert.Equal((3L, 5L), Sums());
        await broker.Broker.Queues.DeleteAsync(first);
        Assert.Equal((3L, 5L), Sums());
        await broker.Broker.Queues.DeleteAsync(second);
        Assert.Equal((3L, 5L), Sums());
        var statistics = broker.Broker.Statistics;
        Assert.Equal((2L, 2L), (statistics.QueuesCreated, statistics.QueuesDeleted));
        await broker.DeclareAsync("third");
        await broker.Broker.Queues.DeclareAsync(QueueName.InDefault("third"), QueueSettings.Default);
        Assert.Equal((3L, 4L), (statistics.QueuesCreated, statistics.QueuesDeclared));

        (long Publish, long Get) Sums()
        {
            Span<long> all = stackalloc long[MessageCounters.Count];
            broker.Broker.Statistics.Sum(broker.Broker.Queues, null, all);
            Span<long> one = stackalloc long[MessageCounters.Count];
            broker.Broker.Statistics.Sum(broker.Broker.Queues, NamespaceName.Default, one);
            Assert.True(all.SequenceEqual(one));
            broker.Broker.Statistics.Sum(broker.Broker.Queues, new NamespaceName("no", "body"), one);
            Assert.Equal(-1, one.IndexOfAnyExcept(0L));
            return (all[(int)MessageCounter.Publish], all[(int)MessageCounter.Get]);
        }
    }

    [Fact]
    public async Task A_topic_counts_what_its_log_takes_and_what_its_routes_hand_to_queues()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("t");
        var queues = new[] { await broker.DeclareAsync("a"), await broker.DeclareAsync("b") };
        foreach (var queue in queues) Assert.Equal(RoutingStatus.Ok, (await broker.Broker.Routing.BindAsync(topic.Name, queue, "", [])).Status);
        using var builder = new RecordBatchBuilder();
        for (var i = 0; i < 3; i++) builder.Add(broker.Now(), default, "m"u8, default);
        Assert.Equal(PartitionStatus.Ok, (await topic.Partitions[0].AppendAsync(builder.Build(new BatchOptions()))).Status);
        foreach (var queue in queues) await queue.UntilAsync(c => c.Ready == 3);
        var counters = broker.Broker.Statistics.Of(topic.Name);
        Assert.Equal(3, counters[MessageCounter.PublishIn]);
        Assert.Equal(3, queues[0].Counters[MessageCounter.Publish]);
        // The forwarder counts when its commit is done, which the queues may hear of first.
        for (var limit = DateTime.UtcNow.AddSeconds(20); counters[MessageCounter.PublishOut] != 6; await Task.Delay(2, TestContext.Current.CancellationToken)) Assert.True(DateTime.UtcNow < limit);
        Assert.Equal(3, broker.Broker.Statistics.Of(NamespaceName.Default)[MessageCounter.Publish]);
    }
}
