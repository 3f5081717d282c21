using BenchmarkDotNet.Attributes;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;

namespace Dragoman.Benchmarks;

/// <summary>
/// Publish, lease and settle through the delivery engine, without any protocol; one operation is one message of 100 bytes
/// on its whole way.
/// </summary>
[MemoryDiagnoser]
[OneWorker(launchCount: 1, warmupCount: 3, iterationCount: 5, invocationCount: 4)]
public class DeliveryEngineBenchmarks
{
    private const int Messages = 16_384;

    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private readonly byte[] _value = new byte[100];
    private BenchmarkBroker _broker = null!;
    private IQueueHandle _queue = null!;
    private Sink? _sink;
    private LeaseToken[] _tokens = [];

    /// <summary>Messages that are published, leased and settled together; the next ones follow when these are done.</summary>
    [Params(1, 128)]
    public int Batch { get; set; }

    /// <summary>Where the queue keeps its messages: in the journal, or in memory.</summary>
    [Params(CommitMode.Written, CommitMode.Memory)]
    public CommitMode Mode { get; set; }

    [GlobalSetup(Target = nameof(ConnectionLeases))]
    public async Task SetupConsumer()
    {
        await Setup();
        _sink = new Sink();
        var answer = await _queue.ConsumeAsync(new ConsumerOptions(), _sink);
        answer.Consumer!.Grant(int.MaxValue);
    }

    [GlobalSetup(Target = nameof(TimedLeases))]
    public async Task Setup()
    {
        _broker = await BenchmarkBroker.StartAsync();
        _queue = (await _broker.Broker.Queues.DeclareAsync(QueueName.InDefault("benchmark"), QueueSettings.Default with { CommitMode = Mode })).Queue!;
        _tokens = new LeaseToken[Batch];
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        var counts = await _queue.GetConservationAsync();
        if (counts.In != counts.Out || counts.Acknowledged != counts.Accepted) throw new InvalidOperationException($"Messages were lost on the way: {counts}");
        await _broker.DisposeAsync();
    }

    /// <summary>Delivered to a consumer as they come, as AMQP's and Pulsar's are.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task ConnectionLeases()
    {
        var delivered = _sink!.WhenDeliveredAsync(Messages);
        for (var n = 0; n < Messages; n += Batch) await PublishAsync();
        await delivered;
        // Settling is done with a commit that nobody waits for: this one is behind it.
        await _queue.SettleUpToAsync(_sink.LastOffset);
    }

    /// <summary>Asked for, and leased for a time, as those of SQS and Pub/Sub are.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task TimedLeases()
    {
        for (var n = 0; n < Messages; n += Batch)
        {
            await PublishAsync();
            for (var got = 0; got < Batch;)
            {
                var answer = await _queue.ReceiveAsync(Batch, Lease, Lease);
                var count = Take(answer.Deliveries!);
                await _queue.SettleAsync(Settlement.Acknowledge, _tokens.AsMemory(0, count));
                got += count;
            }
        }
    }

    private async ValueTask PublishAsync()
    {
        var batch = MessageBatch.Rent();
        for (var i = 0; i < Batch; i++) batch.Add(new MessageProperties { Timestamp = 1_700_000_000_000 }, default, _value);
        var outcome = await _queue.PublishAsync(batch);
        if (outcome.Status != QueueStatus.Ok) throw new InvalidOperationException($"{outcome.Status}: {outcome.Message}");
    }

    private int Take(DeliveryBatch deliveries)
    {
        var count = deliveries.Count;
        for (var i = 0; i < count; i++) _tokens[i] = new LeaseToken(deliveries[i].Offset, deliveries[i].Lease);
        deliveries.Dispose();
        return count;
    }

    private sealed class Sink : IDeliverySink
    {
        private int _awaited;
        private TaskCompletionSource _done = new();

        public long LastOffset { get; private set; }

        public Task WhenDeliveredAsync(int messages)
        {
            _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _awaited, messages);
            return _done.Task;
        }

        public void OnDeliveries(IConsumer consumer, DeliveryBatch deliveries)
        {
            var count = deliveries.Count;
            LastOffset = deliveries[count - 1].Offset;
            consumer.Settle(Settlement.Acknowledge, [new OffsetRange(deliveries[0].Offset, LastOffset + 1)]);
            deliveries.Dispose();
            if (Interlocked.Add(ref _awaited, -count) == 0) _done.SetResult();
        }
    }
}
