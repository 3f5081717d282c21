using System.Text;
using Dragoman.Broker;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Routing.Forwarding;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Simulation.Forwarding;

/// <summary>
/// One seeded story of a topic whose log is carried on: to a queue, to another topic with a log, and from there to a second
/// queue; and to one in memory. Idempotent producers write, consumers take out some of what arrives, and the broker's lives
/// end with a good stop, a kill or a power cut at any step.
/// </summary>
internal sealed class ForwardingRun : BrokerStory
{
    private const int Partitions = 2;

    private static readonly TopicName Source = TopicName.InDefault("orders");
    private static readonly TopicName Copies = TopicName.InDefault("copies");

    private readonly ForwardingDefects _defects;
    private readonly ForwardingModel _model = new();
    private readonly int[] _sent = new int[Partitions];
    private readonly (byte[] Batch, int Count)?[] _underWay = new (byte[], int)?[Partitions];

    public ForwardingRun(ulong seed, ForwardingDefects? defects = null)
        : base(seed, new SimDiskOptions { Capacity = 32 << 20 })
    {
        _defects = defects ?? new ForwardingDefects();
    }

    protected override int LivesPerGoodStop => 5;

    protected override int Lives => 4;

    protected override (int Least, int Most) CrashAfter => (20, 200);

    protected override async Task LiveAsync(SimProcess process, bool last, bool stops)
    {
        var broker = await Broker.Broker.StartAsync(
            new BrokerOptions { Store = SmallStore() with { JournalFileBytes = 128 << 10 } }, Disk, Sim.Time, process, IdsOfLife(), new BrokerSeams { Forwarding = _defects });
        await DeclareAsync(broker);
        var workers = new List<Task>();
        for (var partition = 0; partition < Partitions; partition++)
        {
            var chosen = partition;
            workers.Add(process.Run($"producer {chosen}", () => ProduceAsync(broker, chosen, last ? 5 : 40)));
        }
        var consuming = true;
        foreach (var queue in new[] { "first", "second" }) workers.Add(process.Run($"consumer of {queue}", () => ConsumeAsync(broker, queue, () => consuming)));
        workers.Add(process.Run("checkpoints", () => CheckpointAsync(broker)));
        for (var i = 0; i < Partitions; i++) await workers[i];
        if (last) await SettleAsync(broker);
        consuming = false;
        foreach (var worker in workers) await worker;
        ForwardingModel.Check(!broker.Failed.IsCompleted, "the store has not failed");
        if (last) await VerifyAsync(broker);
        if (stops) await broker.DisposeAsync();
    }

    private static async Task DeclareAsync(Broker.Broker broker)
    {
        foreach (var name in new[] { Source, Copies })
        {
            var created = await broker.Topics.CreateAsync(name, Partitions, TopicSettings.Default with { RetentionMs = -1 });
            ForwardingModel.Check(created.Status is TopicStatus.Ok or TopicStatus.AlreadyExists, $"topic '{name}' is there: {created.Message}");
        }
        var inMemory = QueueSettings.Default with { IsDurable = false };
        foreach (var (queue, source, settings) in new[] { ("first", Source, QueueSettings.Default), ("second", Copies, QueueSettings.Default), ("passing", Source, inMemory) })
        {
            var declared = await broker.Queues.DeclareAsync(QueueName.InDefault(queue), settings);
            ForwardingModel.Check(declared.Queue is not null, $"queue '{queue}' is there: {declared.Message}");
            ForwardingModel.Check((await broker.Routing.BindAsync(source, declared.Queue!, "", [])).Status == RoutingStatus.Ok, $"queue '{queue}' is bound");
        }
        ForwardingModel.Check((await broker.Routing.BindAsync(Source, Copies, "", [])).Status == RoutingStatus.Ok, "the topics are bound");
        ForwardingModel.Check((await broker.Routing.BindAsync(Copies, Source, "", [])).Status == RoutingStatus.Ok, "and the other way round");
    }

    /// <summary>An idempotent producer of one partition: it asks again, in the next life, for what it got no answer to.</summary>
    private async Task ProduceAsync(Broker.Broker broker, int partition, int batches)
    {
        var handle = broker.Topics.Find(Source)!.Partitions[partition];
        for (var i = 0; i < batches; i++)
        {
            var (batch, count) = _underWay[partition] ??= BatchOf(partition, Random.Between(1, 4));
            var answer = await handle.AppendAsync((byte[])batch.Clone());
            if (answer.Status == PartitionStatus.Full)
            {
                await Sim.DelayAsync(TimeSpan.FromMilliseconds(20));
                continue;
            }
            ForwardingModel.Check(answer.Status is PartitionStatus.Ok or PartitionStatus.Duplicate, $"a batch is taken: {answer.Status} {answer.Message}");
            if (answer.Status == PartitionStatus.Duplicate) Coverage.Saw("found a batch there whose answer was lost");
            for (var n = 0; n < count; n++) _model.Acknowledged[partition].Add(ForwardingModel.ValueOf(partition, _sent[partition]++));
            _underWay[partition] = null;
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.NextDouble() * 4));
        }
    }

    private (byte[] Batch, int Count) BatchOf(int partition, int count)
    {
        using var builder = new RecordBatchBuilder();
        for (var i = 0; i < count; i++)
        {
            var value = ForwardingModel.ValueOf(partition, _sent[partition] + i).PadRight(Random.Between(10, 400), '.');
            builder.Add(1000, Encoding.UTF8.GetBytes($"k{partition}"), (NullableBytes)Encoding.UTF8.GetBytes(value));
        }
        return (builder.Build(new BatchOptions { Producer = new BatchProducer(100 + partition, 0, _sent[partition]) }).ToArray(), count);
    }

    private async Task ConsumeAsync(Broker.Broker broker, string name, Func<bool> goOn)
    {
        var queue = broker.Queues.Find(QueueName.InDefault(name))!;
        while (goOn())
        {
            var answer = await queue.ReceiveAsync(Random.Between(1, 20), TimeSpan.FromSeconds(1), TimeSpan.Zero);
            ForwardingModel.Check(answer.Status == QueueStatus.Ok, $"queue '{name}' can be read: {answer.Status}");
            var tokens = See(name, answer.Deliveries);
            if (tokens.Count > 0 && Random.OneIn(2)) await queue.SettleAsync(Settlement.Acknowledge, tokens.ToArray());
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(40)));
        }
    }

    private List<LeaseToken> See(string queue, DeliveryBatch? deliveries)
    {
        var tokens = new List<LeaseToken>();
        for (var i = 0; i < (deliveries?.Count ?? 0); i++)
        {
            var delivery = deliveries![i];
            // Through another topic the partition is chosen anew, and a lease that ends lets later messages go ahead.
            _model.See(queue, Encoding.UTF8.GetString(deliveries.Message(i).Value.Span).TrimEnd('.'), delivery.Offset, ordered: delivery.Count == 1 && queue == "first");
            tokens.Add(new LeaseToken(delivery.Offset, delivery.Lease));
        }
        deliveries?.Dispose();
        return tokens;
    }

    private async Task CheckpointAsync(Broker.Broker broker)
    {
        for (var n = Random.Next(3); n > 0; n--)
        {
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(200)));
            await broker.Store.CheckpointAsync();
            Coverage.Saw("made a checkpoint");
        }
    }

    private async Task SettleAsync(Broker.Broker broker)
    {
        for (var round = 0; broker.Routing.Forwarding.Any(p => p.NextOffset < p.EndOffset); round++)
        {
            ForwardingModel.Check(round < 2000, $"everything is carried on in the end: {string.Join(", ", broker.Routing.Forwarding)}");
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(20));
        }
    }

    private async Task VerifyAsync(Broker.Broker broker)
    {
        foreach (var name in new[] { "first", "second" })
        {
            var queue = broker.Queues.Find(QueueName.InDefault(name))!;
            for (long from = 0; ;)
            {
                var answer = await queue.PeekAsync(from, 100);
                if (answer.Deliveries is not { Count: > 0 } found) break;
                from = found[found.Count - 1].Offset + 1;
                for (var i = 0; i < found.Count; i++) _model.See(name, Encoding.UTF8.GetString(found.Message(i).Value.Span).TrimEnd('.'), found[i].Offset, ordered: false);
                found.Dispose();
            }
            _model.CheckComplete(name);
            ForwardingModel.Check((await queue.GetConservationAsync()) is var sum && sum.In == sum.Out, $"queue '{name}' has what came in: {sum}");
        }
        if (_model.CountOf("second") > 100) Coverage.Saw("carried more than a hundred values to the end");
    }
}
