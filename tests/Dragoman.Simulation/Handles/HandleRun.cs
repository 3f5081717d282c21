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
internal sealed class HandleRun
{
    private const int Partitions = 3;
    private const int Lives = 3;
    private const int Steps = 25;

    private readonly SimScheduler _sim;
    private readonly SimDisk _disk;
    private readonly SimRandom _random;

    /// <summary>Lives begun: each makes other ids, or what one makes could have an id that is there from another.</summary>
    private int _lives;
    private readonly TransactionDefects _defects;
    private readonly List<HandleProducer> _producers = [];
    private readonly List<HandleReader> _readers = [];
    private readonly CommitMode _mode;

    public HandleRun(ulong seed, TransactionDefects? defects = null)
    {
        _defects = defects ?? new TransactionDefects();
        _sim = new SimScheduler(seed);
        // Slow, so that a batch comes again while the first copy is on its way to disk.
        _disk = new SimDisk(_sim, new SimDiskOptions { Capacity = 32 << 20, MaxSyncLatency = TimeSpan.FromMilliseconds(60) });
        _random = _sim.Random.Fork();
        _mode = _random.OneIn(4) ? CommitMode.Written : CommitMode.Fsync;
        for (var i = 0; i < Partitions; i++) _readers.Add(new HandleReader(i));
        for (var i = 0; i < 5; i++) _producers.Add(new HandleProducer(_sim, _random.Fork(), i, _random.Next(Partitions)));
    }

    /// <summary>Which paths this run went through.</summary>
    public Coverage Coverage { get; } = new();

    public void Run()
    {
        try
        {
            for (var life = 0; life <= Lives; life++) RunLife(life);
        }
        catch (Exception fault) when (fault is not SimStepLimitException)
        {
            throw new SimulationFailedException($"{fault.Message} {fault.InnerException}\n{_sim.Describe("The last of it")}", fault);
        }
    }

    private void RunLife(int life)
    {
        var last = life == Lives;
        var process = _sim.StartProcess("broker");
        // What is only written may be lost with the power, and so may what was said about it.
        var crash = last || _random.OneIn(4) ? (CrashKind?)null : _mode == CommitMode.Fsync && _random.OneIn(2) ? CrashKind.PowerLoss : CrashKind.ProcessKill;
        _sim.Note($"life {life} ends with {crash?.ToString() ?? "a good stop"}");
        if (crash is { } kind) _disk.CrashAt(_random.Between(10, 120), kind);
        var lived = _sim.RunUntilDoneOrDead(process.Run("life", () => LiveAsync(process, last, stops: crash is null)), process, 6_000_000);
        _disk.CrashAt(0, CrashKind.ProcessKill);
        if (!lived) Coverage.Saw("crashed in the midst of it");
        else if (crash is { } late) _disk.Crash(late);
    }

    private async Task LiveAsync(SimProcess process, bool last, bool stops)
    {
        var broker = await Broker.Broker.StartAsync(new BrokerOptions { Store = Options() }, _disk, _sim.Time, process, new Random(++_lives), new BrokerSeams { Defects = _defects });
        var settings = TopicSettings.Default with { CommitMode = _mode, RetentionMs = -1 };
        var created = await broker.Topics.CreateAsync(TopicName.InDefault("t"), Partitions, settings);
        Check(created.Status is TopicStatus.Ok or TopicStatus.AlreadyExists, $"the topic is there: {created.Message}");

        var workers = _producers.Select(producer => process.Run($"{producer}", () => WriteAsync(process, broker, producer, last))).ToList();
        var reading = true;
        var readers = process.Run("readers", () => ReadAsync(process, broker, () => reading));
        for (var n = _random.Next(3); n > 0; n--)
        {
            await _sim.DelayAsync(TimeSpan.FromMilliseconds(_random.Next(500)));
            await broker.Store.CheckpointAsync();
        }
        foreach (var worker in workers) await worker;
        // Copies that are still under way may arrive now.
        await _sim.DelayAsync(TimeSpan.FromSeconds(2));
        reading = false;
        await readers;
        Check(!broker.Failed.IsCompleted, "the store has not failed");
        if (last) await VerifyAsync(broker);
        if (stops) await broker.DisposeAsync();
    }

    private FaultyPartition Handle(SimProcess process, Broker.Broker broker, int partition) => new(_sim, process, _random.Fork(), Coverage, Inner(broker, partition));

    private static IPartitionHandle Inner(Broker.Broker broker, int partition) => broker.Topics.Find(TopicName.InDefault("t"))!.Partitions[partition];

    private async Task WriteAsync(SimProcess process, Broker.Broker broker, HandleProducer producer, bool last)
    {
        var handle = Handle(process, broker, producer.Partition);
        for (var i = 0; i < Steps || (last && !producer.IsDone); i++)
        {
            Check(i < 1000, $"{producer} gets its answers");
            await producer.StepAsync(broker, handle, mayBegin: i < Steps);
            await _sim.DelayAsync(TimeSpan.FromMilliseconds(_random.NextDouble() * 5));
        }
    }

    private async Task ReadAsync(SimProcess process, Broker.Broker broker, Func<bool> goOn)
    {
        var handles = _readers.Select((_, i) => Handle(process, broker, i)).ToList();
        while (goOn())
        {
            for (var i = 0; i < _readers.Count; i++) await _readers[i].ReadAsync(handles[i], _random.Between(1, 3000));
            await _sim.DelayAsync(TimeSpan.FromMilliseconds(_random.Next(50)));
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
            while (await again.ReadAsync(Inner(broker, i), _random.Between(1, 5000)))
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

    public static void Check(bool condition, string rule)
    {
        if (!condition) throw new SimulationFailedException($"Broken: {rule}.");
    }

    private static StoreOptions Options() => new()
    {
        Directory = "/data",
        JournalFileBytes = 64 << 10,
        MaxJournalFileBytes = 1 << 20,
        MaxRoundBytes = 16 << 10,
        TailBytes = 64 << 10,
        MaxPendingBytes = 512 << 10,
        ReserveBytes = 16 << 10,
        HeadroomBytes = 512 << 10,
        OwnSegmentBytes = 8 << 10,
        PromoteBytes = 16 << 10,
        MemoryBytes = 64 << 10,
        MemoryBlockBytes = 16 << 10,
        MaxOpenFiles = 8,
        IndexCacheBytes = 4096,
        MaintenanceInterval = TimeSpan.FromMilliseconds(500),
    };
}
