using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;
using Dragoman.Storage.State;

namespace Dragoman.Simulation.Storage;

/// <summary>What a run shall do, beyond what its seed decides.</summary>
internal sealed record StorageRunOptions
{
    public PlantedDefects Defects { get; init; } = new();

    public bool IgnoreSyncs { get; init; }

    public int Lives { get; init; } = 4;

    public int Operations { get; init; } = 60;
}

/// <summary>
/// One seeded story of a store: several lives, each with workers that append, delete, truncate, read and checkpoint at
/// once, and each ended by a good stop, a kill, a power cut or a failing disk; after each, the store is opened again
/// and held against the model.
/// </summary>
internal sealed class StorageRun
{
    private const string Directory = "/data";
    private const long State = 1;

    private readonly SimScheduler _sim;
    private readonly SimDisk _disk;
    private readonly StorageModel _model = new();
    private readonly StorageRunOptions _run;
    private readonly SimRandom _random;
    private readonly ulong _seed;
    private EventLog _events = new();
    private Store? _store;
    private int _epoch = -1;
    private LifeEnd _ended = LifeEnd.GoodStop;
    private bool _powerLost;

    public StorageRun(ulong seed, StorageRunOptions? run = null)
    {
        _run = run ?? new StorageRunOptions();
        _seed = seed;
        _sim = new SimScheduler(seed);
        _disk = new SimDisk(_sim, new SimDiskOptions { Capacity = 8 << 20 }) { IgnoreSyncs = _run.IgnoreSyncs };
        _random = _sim.Random.Fork();
    }

    /// <summary>Which paths of the store this run went through.</summary>
    public Coverage Coverage { get; } = new();

    private StoreOptions Options() => new()
    {
        Directory = Directory,
        JournalFileBytes = 96 << 10,
        MaxJournalFileBytes = 1 << 20,
        MaxRoundBytes = 8 << 10,
        TailBytes = 32 << 10,
        MaxPendingBytes = 256 << 10,
        ReserveBytes = 16 << 10,
        HeadroomBytes = 512 << 10,
        OwnSegmentBytes = 8 << 10,
        PromoteBytes = 16 << 10,
        MemoryBytes = 64 << 10,
        MemoryBlockBytes = 16 << 10,
        // Some stores keep a long journal, others none.
        CheckpointAfterFiles = 1 + (int)(_seed % 3),
        CheckpointInterval = TimeSpan.FromMilliseconds(400),
        MaxSealedFiles = 3 + (int)(_seed % 3),
        MaxOpenFiles = 4,
        IndexCacheBytes = 2048,
        MaintenanceInterval = TimeSpan.FromMilliseconds(200),
        AgeRetentionInterval = TimeSpan.FromMilliseconds(300),
        CompactionInterval = TimeSpan.FromMilliseconds(150),
        CompactionKeyBytes = 0,
        CompactionBytesPerSecond = 1 << 20,
    };

    public void Run()
    {
        try
        {
            RunLives();
        }
        catch (SimStepLimitException stuck)
        {
            throw new SimulationFailedException($"{stuck.Message.Split('\n')[0]} The store: failed {_store?.Failed.IsCompleted}, {_store?.Space}.", stuck);
        }
        catch (Exception fault)
        {
            throw new SimulationFailedException($"{fault.Message} {fault.InnerException}\n{_sim.Describe("The last of it")}", fault);
        }
    }

    private void RunLives()
    {
        for (var life = 0; life <= _run.Lives; life++)
        {
            var last = life == _run.Lives;
            var process = _sim.StartProcess("broker");
            var end = last ? LifeEnd.GoodStop : _random.Pick<LifeEnd>([LifeEnd.Kill, LifeEnd.PowerLoss, LifeEnd.PowerLoss, LifeEnd.GoodStop, LifeEnd.DiskError]);
            _sim.Note($"life {life} ends with {end}");
            if (end is LifeEnd.Kill or LifeEnd.PowerLoss) _disk.CrashAt(_random.Between(1, 160), end == LifeEnd.Kill ? CrashKind.ProcessKill : CrashKind.PowerLoss);
            var running = process.Run("life", () => LiveAsync(process, end, last));
            var lived = _sim.RunUntilDoneOrDead(running, process, 4_000_000);
            _disk.CrashAt(0, CrashKind.ProcessKill);
            if (lived && end == LifeEnd.GoodStop)
            {
                _ended = LifeEnd.GoodStop;
                continue;
            }
            _ended = end;
            var kind = end == LifeEnd.PowerLoss || (end == LifeEnd.DiskError && _random.OneIn(2)) ? CrashKind.PowerLoss : CrashKind.ProcessKill;
            if (lived) _disk.Crash(kind);
            _powerLost |= kind == CrashKind.PowerLoss;
        }
    }

    private enum LifeEnd
    {
        GoodStop,
        Kill,
        PowerLoss,
        DiskError,
    }

    private async Task LiveAsync(SimProcess process, LifeEnd end, bool last)
    {
        var machine = new EventLog();
        var opener = new StoreOpener(Options(), _disk, _sim.Time, process, new Random(1), new Dictionary<long, IStateMachine> { [State] = machine }, _run.Defects);
        var store = await opener.OpenAsync();
        _events = machine;
        _store = store;
        foreach (var log in store.Logs)
            if (_model.Logs.TryGetValue(log.Id, out var known) && known.IsCompacted) log.Compaction = StorageWorkload.Compaction;
        Verify(store);
        var work = new StorageWorkload(_sim, store, _model, _random.Fork(), Coverage, State);
        if (end == LifeEnd.DiskError)
        {
            if (_random.OneIn(2)) _disk.FailSync(_random.Between(1, 40));
            else _disk.FailWrite(_random.Between(1, 40));
        }
        var workers = new List<Task>();
        for (var i = 0; i < 4; i++) workers.Add(process.Run($"worker {i}", () => work.RunAsync(_run.Operations)));
        foreach (var worker in workers) await worker;
        if (end == LifeEnd.DiskError) return;
        if (store.Failed.IsCompleted) throw new SimulationFailedException("The store failed although the disk did not.", await store.Failed);
        if (last || _random.OneIn(2))
        {
            work.VerifyAll();
            await store.CheckpointAsync();
            work.VerifyAll();
        }
        if (end == LifeEnd.GoodStop)
        {
            await store.DisposeAsync();
            foreach (var commit in _model.Commits) Check(commit.Acknowledged, "a good stop leaves no commit behind");
        }
        else
        {
            await _sim.DelayAsync(TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>Holds what recovery found against what was handed over before.</summary>
    private void Verify(Store store)
    {
        if (_epoch >= 0)
        {
            if (_ended == LifeEnd.GoodStop) Check(store.Epoch == _epoch, "the epoch stays after a good stop");
            else Check(store.Epoch >= _epoch, "the epoch never falls");
        }
        _epoch = store.Epoch;
        var present = -1;
        for (var i = 0; i < _model.Commits.Count; i++)
        {
            if (!IsPresent(store, _model.Commits[i], i)) continue;
            Check(present == i - 1, $"commit {_model.Commits[i].Number} is there, and {_model.Commits[Math.Max(i - 1, 0)].Number}, handed over before it, is not");
            present = i;
        }
        for (var i = present + 1; i < _model.Commits.Count; i++)
        {
            var commit = _model.Commits[i];
            var mustSurvive = commit.Acknowledged && (commit.Mode == CommitMode.Fsync || !_powerLost);
            Check(!mustSurvive, $"commit {commit.Number}, acknowledged in mode {commit.Mode}, is gone");
        }
        Coverage.Recovered(present + 1, _model.Commits.Count);
        _powerLost = false;
        _model.CutAfter(present);
        Check(_events.Events.SequenceEqual(_model.SettledEvents), "the state is what its events make of it");
        foreach (var log in _model.Live) StorageWorkload.VerifyLog(store, log, atRest: true);
        foreach (var log in store.Logs) Check(_model.Logs.TryGetValue(log.Id, out var known) && !known.IsDeleted, $"log {log.Id} should not be there");
    }

    private bool IsPresent(Store store, StorageModel.Commit commit, int index)
    {
        if (commit.HasEvent) return _events.Events.Contains(commit.Number);
        foreach (var (log, batch) in commit.Batches)
        {
            if (Find(store, log.Id) is { } found) return found.HighWatermark > batch.BaseOffset;
        }
        foreach (var log in commit.Created)
            if (Find(store, log.Id) is not null) return true;
        foreach (var log in commit.Deleted)
            if (Find(store, log.Id) is null) return true;
        // What it changed is gone with a later deletion: it is there if any later commit is.
        for (var i = index + 1; i < _model.Commits.Count; i++)
            if (IsPresent(store, _model.Commits[i], i)) return true;
        return false;
    }

    private static PartitionLog? Find(Store store, long id)
    {
        foreach (var log in store.Logs)
            if (log.Id == id) return log;
        return null;
    }

    public static void Check(bool condition, string rule)
    {
        if (!condition) throw new SimulationFailedException($"Broken: {rule}.");
    }
}
