using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Tests.Transactions;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Tests.Queues;

public sealed class TransactionalLogTests
{
    private sealed class Owner : ISubscriptionOwner
    {
        public MessageCounters Counters { get; } = new();

        public Task DepartAsync(Subscription subscription, IReadOnlyList<Departure> departures) => Task.CompletedTask;

        public void OnUnused(Subscription subscription)
        {
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_subscription_delivers_what_transactions_committed_and_nothing_that_was_aborted(int priorities)
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("t");
        var producer = new TransactionalProducer(broker.Broker.Transactions, "p");
        Assert.Equal(TransactionStatus.Ok, await producer.InitialiseAsync());
        var committed = new List<string>();
        for (var number = 0; number < 12; number++)
        {
            Assert.Equal(TransactionStatus.Ok, await producer.AddAsync((topic, 0)));
            foreach (var half in (string[])["a", "b"]) Assert.Equal(PartitionStatus.Ok, await producer.SendAsync(topic, 0, $"{number}{half}"));
            var commits = number % 3 != 1;
            if (commits) committed.AddRange([$"{number}a", $"{number}b"]);
            Assert.Equal(TransactionStatus.Ok, await producer.EndAsync(commits));
            while (broker.Broker.Transactions.Describe(producer.Id)!.State is not (TransactionState.CompleteCommit or TransactionState.CompleteAbort)) await Task.Delay(5, TestContext.Current.CancellationToken);
        }
        var log = ((LocalPartition)topic.Partitions[0]).Log;
        using var host = new SubscriptionHost(broker.Broker.Store, ThreadPoolScheduler.Instance, new ScratchFiles(new OsFileSystem(), Path.GetTempPath(), 1000), new QueueDefects());
        // Where messages have priorities all of them are looked at first; where not, none is.
        var subscription = new Subscription(host, new Owner(), log, null, new SubscriptionState(), QueueSettings.Default with { MaxPriority = priorities });
        using (var seen = subscription.Peek(0, 100).Deliveries!) Assert.Equal(committed, Enumerable.Range(0, seen.Count).Select(i => TestConsumer.Read(seen, i).Text));
        var received = new List<string>();
        while (received.Count < committed.Count)
        {
            var answer = await subscription.ReceiveAsync(5, null, TimeSpan.FromHours(1), TestContext.Current.CancellationToken);
            received.AddRange(TestConsumer.ReadAll(answer.Deliveries).Select(r => r.Text));
        }
        Assert.Equal(committed, received);
        Assert.Empty(TestConsumer.ReadAll((await subscription.ReceiveAsync(5, null, TimeSpan.Zero, default)).Deliveries));
        var conservation = subscription.Conservation;
        Assert.Equal((conservation.In, 24), (conservation.Out, (int)conservation.Leased + 8));
        subscription.Delete();
    }
}
