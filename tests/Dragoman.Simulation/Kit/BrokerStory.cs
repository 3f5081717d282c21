using Dragoman.Storage;

namespace Dragoman.Simulation;

/// <summary>
/// A seeded story of several lives of a broker on one disk, each of which ends with a good stop, a kill or a power cut at any
/// step; the last one with a good stop.
/// </summary>
internal abstract class BrokerStory
{
    private int _lives;

    protected BrokerStory(ulong seed, SimDiskOptions disk)
    {
        Sim = new SimScheduler(seed);
        Disk = new SimDisk(Sim, disk);
        Random = Sim.Random.Fork();
    }

    /// <summary>Which paths this run went through.</summary>
    public Coverage Coverage { get; } = new();

    protected SimScheduler Sim { get; }

    protected SimDisk Disk { get; }

    protected SimRandom Random { get; }

    /// <summary>Lives before the last one.</summary>
    protected virtual int Lives => 3;

    /// <summary>One of so many lives ends with a good stop.</summary>
    protected virtual int LivesPerGoodStop => 4;

    /// <summary>After how many operations of the disk a life that is cut short ends.</summary>
    protected abstract (int Least, int Most) CrashAfter { get; }

    /// <summary>Whether the power may go. What is only written may be lost with it, and so may what was said about it.</summary>
    protected virtual bool MayLosePower => true;

    public void Run()
    {
        try
        {
            for (var life = 0; life <= Lives; life++) RunLife(life);
        }
        catch (Exception fault) when (fault is not SimStepLimitException)
        {
            throw new SimulationFailedException($"{fault.Message} {fault.InnerException}\n{Sim.Describe("The last of it")}", fault);
        }
    }

    public static void Check(bool condition, string rule)
    {
        if (!condition) throw new SimulationFailedException($"Broken: {rule}.");
    }

    /// <summary>One life: it starts a broker, and disposes of it if the life ends with a good stop.</summary>
    protected abstract Task LiveAsync(SimProcess process, bool last, bool stops);

    /// <summary>What a life makes ids of: each makes other ones, or what one makes could have an id that is there from another.</summary>
    protected Random IdsOfLife() => new(++_lives);

    /// <summary>A store in which everything is so small that a short story goes through all that happens to large ones.</summary>
    protected static StoreOptions SmallStore() => new()
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

    private void RunLife(int life)
    {
        var last = life == Lives;
        var process = Sim.StartProcess("broker");
        var crash = last || Random.OneIn(LivesPerGoodStop) ? (CrashKind?)null : MayLosePower && Random.OneIn(2) ? CrashKind.PowerLoss : CrashKind.ProcessKill;
        Sim.Note($"life {life} ends with {crash?.ToString() ?? "a good stop"}");
        if (crash is { } kind) Disk.CrashAt(Random.Between(CrashAfter.Least, CrashAfter.Most), kind);
        var lived = Sim.RunUntilDoneOrDead(process.Run("life", () => LiveAsync(process, last, stops: crash is null)), process, 6_000_000);
        Disk.CrashAt(0, CrashKind.ProcessKill);
        if (!lived) Coverage.Saw("crashed in the midst of it");
        else if (crash is { } late) Disk.Crash(late);
    }
}
