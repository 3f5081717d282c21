using Dragoman.Broker;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage;
using Dragoman.Storage.Journal;

namespace Dragoman.Simulation.Handles;

/// <summary>
/// One seeded story of partitions that are reached through handles which delay, move and fail: several lives of a broker,
/// idempotent producers that send again what was not answered, and readers. Lives end with a good stop, a kill or a power cut.
/// Every batch that was acknowledged is there at its offset, in order, and once.
/// </summary>
internal sealed class HandleRun : BrokerStory
{
    private const int Partitions = 3;
    private const int Steps = 25;

    private readonly TransactionDefects _defects;
    private readonly List<HandleProducer> _producers = [];
    private readonly List<HandleReader> _readers = [];
    private readonly CommitMode _mode;

    public HandleRun(ulong seed, TransactionDefects? defects = null)
        // The disk is slow, so that a batch comes again while the first copy is on its way to it.
        : base(seed, new SimDiskOptions { Capacity = 32 << 20, MaxSyncLatency = TimeSpan.FromMilliseconds(60) })
    {
        _defects = defects ?? new TransactionDefects();
        _mode = Random.OneIn(4) ? CommitMode.Written : CommitMode.Fsync;
        for (var i = 0; i < Partitions; i++) _readers.Add(new HandleReader(i));
        for (var i = 0; i < 5; i++) _producers.Add(new HandleProducer(Sim, Random.Fork(), i, Random.Next(Partitions)));
    }

    protected override (int Least, int Most) CrashAfter => (10, 120);

    protected override bool MayLosePower => _mode == CommitMode.Fsync;

    protected override async Task LiveAsync(SimProcess process, bool last, bool stops)
    {
        var broker = await Broker.Broker.StartAsync(new BrokerOptions { Store = SmallStore() }, Disk, Sim.Time, process, IdsOfLife(), new BrokerSeams { Defects = _defects });
        var settings = TopicSettings.Default with { CommitMode = _mode, RetentionMs = -1 };
        var created = await broker.Topics.CreateAsync(TopicName.InDefault("t"), Partitions, settings);
        Check(created.Status is TopicStatus.Ok or TopicStatus.AlreadyExists, $"the topic is there: {created.Message}");

        var workers = _producers.Select(producer => process.Run($"{producer}", () => WriteAsync(process, broker, producer, last))).ToList();
        var reading = true;
        var readers = process.Run("readers", () => ReadAsync(process, broker, () => reading));
        for (var n = Random.Next(3); n > 0; n--)
        {
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(500)));
            await broker.Store.CheckpointAsync();
        }
        foreach (var worker in workers) await worker;
        // Copies that are still under way may arrive now.
        await Sim.DelayAsync(TimeSpan.FromSeconds(2));
        reading = false;
        await readers;
        Check(!broker.Failed.IsCompleted, "the store has not failed");
        if (last) await VerifyAsync(broker);
        if (stops) await broker.DisposeAsync();
    }

    private FaultyPartition Handle(SimProcess process, Broker.Broker broker, int partition) => new(Sim, process, Random.Fork(), Coverage, Inner(broker, partition));

    private static IPartitionHandle Inner(Broker.Broker broker, int partition) => broker.Topics.Find(TopicName.InDefault("t"))!.Partitions[partition];

    private async Task WriteAsync(SimProcess process, Broker.Broker broker, HandleProducer producer, bool last)
    {
        var handle = Handle(process, broker, producer.Partition);
        for (var i = 0; i < Steps || (last && !producer.IsDone); i++)
        {
            Check(i < 1000, $"{producer} gets its answers");
            await producer.StepAsync(broker, handle, mayBegin: i < Steps);
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.NextDouble() * 5));
        }
    }

    private async Task ReadAsync(SimProcess process, Broker.Broker broker, Func<bool> goOn)
    {
        var handles = _readers.Select((_, i) => Handle(process, broker, i)).ToList();
        while (goOn())
        {
            for (var i = 0; i < _readers.Count; i++) await _readers[i].ReadAsync(handles[i], Random.Between(1, 3000));
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(50)));
        }
    }

    /// <summary>All that was acknowledged is there, where it was said to be; what a reader has seen is what there is.</summary>
    private async Task VerifyAsync(Broker.Broker broker)
    {
        for (var i = 0; i < Partitions; i++)
        {
            while (await _readers[i].ReadAsync(Inner(broker, i), 1 << 20))
            {
            }
            var again = new HandleReader(i);
            while (await again.ReadAsync(Inner(broker, i), Random.Between(1, 5000)))
            {
            }
            Check(again.Seen.SequenceEqual(_readers[i].Seen), $"partition {i} reads the same from its start as it did over time");
        }
        foreach (var producer in _producers)
        {
            var seen = _readers[producer.Partition].Seen;
            Check(producer.Acknowledged.Count == seen.Count(s => s.Producer == producer.Number), $"{producer} finds what it was told to be there, and no more");
            foreach (var (batch, offset) in producer.Acknowledged)
                Check(offset < seen.Count && seen[(int)offset] == (producer.Number, batch), $"batch {batch} of {producer} is at offset {offset}, where it was said to be");
        }
    }
}
