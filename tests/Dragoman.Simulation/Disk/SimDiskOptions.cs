namespace Dragoman.Simulation;

/// <summary>What a crash takes with it.</summary>
public enum CrashKind
{
    /// <summary>The process dies. What it handed to the operating system stays; a write in progress is there in part.</summary>
    ProcessKill,

    /// <summary>
    /// The machine loses power. Of what was not synced each sector, and each chain of directory changes, may survive or
    /// be lost on its own; one sector of a file may be torn.
    /// </summary>
    PowerLoss,
}

/// <summary>How large and how fast a <see cref="SimDisk"/> is.</summary>
public sealed record SimDiskOptions
{
    /// <summary>Bytes that files can occupy together.</summary>
    public long Capacity { get; init; } = 1L << 40;

    /// <summary>The longest an ordinary write takes.</summary>
    public TimeSpan MaxWriteLatency { get; init; } = TimeSpan.FromMicroseconds(50);

    /// <summary>The longest an ordinary sync takes.</summary>
    public TimeSpan MaxSyncLatency { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>How often a write or a sync takes twenty times that.</summary>
    public double HiccupChance { get; init; } = 1.0 / 100;
}

/// <summary>What a <see cref="SimDisk"/> has been asked since it was made, crashes notwithstanding.</summary>
public sealed record SimDiskCounters
{
    /// <summary>
    /// Everything that changes the disk: writes, syncs, directory syncs, creations, deletions, renames, preallocations
    /// and truncations. <see cref="SimDisk.CrashAt"/> counts these.
    /// </summary>
    public long Operations { get; internal set; }

    public long Writes { get; internal set; }

    public long Syncs { get; internal set; }

    public long DirectorySyncs { get; internal set; }

    public long Reads { get; internal set; }

    public long BytesWritten { get; internal set; }

    public long BytesRead { get; internal set; }

    public long Crashes { get; internal set; }
}
