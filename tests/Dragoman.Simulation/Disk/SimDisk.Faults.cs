namespace Dragoman.Simulation;

/// <summary>The faults, and what a test may look at.</summary>
public sealed partial class SimDisk
{
    private long _failWrite;
    private long _failSync;
    private long _failDirectorySync;
    private long _failRead;
    private long _crashAt;
    private CrashKind _crashKind;

    /// <summary>
    /// Bytes that files can occupy together. A reservation beyond it is refused with
    /// <see cref="Storage.Platform.DiskFullException"/>, a write with a plain <see cref="IOException"/>.
    /// </summary>
    public long Capacity { get; set; }

    /// <summary>Multiplies every latency.</summary>
    public double Slowness { get; set; } = 1;

    /// <summary>A planted bug: file syncs do nothing, and say that they did.</summary>
    public bool IgnoreSyncs { get; set; }

    /// <summary>A planted bug: directory syncs do nothing, and say that they did.</summary>
    public bool IgnoreDirectorySyncs { get; set; }

    /// <summary>Changes, sector by sector and name by name, that a power loss could take now.</summary>
    public int PendingChanges => _names.PendingChanges + _names.Files.Values.Sum(inode => inode.PendingChanges);

    /// <summary>Every file, in ordinal order.</summary>
    public IReadOnlyList<string> AllFiles => [.. _names.Files.Keys];

    /// <summary>The next write (1), the one after it (2), ... fails, with some first part of it done.</summary>
    public void FailWrite(int nth = 1) => _failWrite = nth;

    /// <summary>
    /// The next sync (1), the one after it (2), ... fails. Some of what it should have made durable is; the rest never
    /// will be unless it is written anew, however often it is synced.
    /// </summary>
    public void FailSync(int nth = 1) => _failSync = nth;

    /// <summary>The next directory sync (1), the one after it (2), ... fails and does nothing.</summary>
    public void FailDirectorySync(int nth = 1) => _failDirectorySync = nth;

    /// <summary>The next read (1), the one after it (2), ... fails.</summary>
    public void FailRead(int nth = 1) => _failRead = nth;

    /// <summary>
    /// Crashes in the next operation that changes the disk (1), in the one after it (2), ...: before it, after it, or in
    /// the midst of a write. The process that called it is killed and the call throws
    /// <see cref="SimulatedCrashException"/>. 0 cancels.
    /// </summary>
    public void CrashAt(long nth, CrashKind kind)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nth);
        _crashAt = nth;
        _crashKind = kind;
    }

    /// <summary>
    /// Crashes now. Every process that has used the disk since the last crash is killed, the test itself aside; every
    /// handle and lock is dead. What a new process finds is decided here and now.
    /// </summary>
    public void Crash(CrashKind kind)
    {
        _scheduler.Note($"crash {kind}");
        Counters.Crashes++;
        Epoch++;
        foreach (var process in _users.Where(process => process != _scheduler.Root))
        {
            process.Kill();
        }

        foreach (var write in _writing)
        {
            write.Advance(_random.Pick([0, write.Left, _random.Next(write.Left + 1)]));
        }

        if (kind == CrashKind.PowerLoss)
        {
            _names.LosePower(_random);
            foreach (var inode in _names.Files.Values)
            {
                inode.LosePower(_random);
            }
        }

        foreach (var inode in _open)
        {
            inode.OpenHandles = 0;
        }

        _open.Clear();
        _users.Clear();
        _writing.Clear();
        _locks.Clear();
        _crashAt = _failWrite = _failSync = _failDirectorySync = _failRead = 0;
    }

    /// <summary>Flips one bit of a byte at rest.</summary>
    /// <param name="path">A file that exists.</param>
    /// <param name="position">A position below its length.</param>
    public void Corrupt(string path, long position)
    {
        var inode = _names.Files[Normal(path)];
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, inode.Length);
        _scheduler.Note($"corrupt {path} at {position}");
        inode.Corrupt(position, (byte)(1 << _random.Next(8)));
    }

    /// <summary>A file's bytes as a process would read them now, without counting or failing.</summary>
    public byte[] Peek(string path)
    {
        var inode = _names.Files[Normal(path)];
        byte[] bytes = new byte[inode.Length];
        inode.Read(0, bytes);
        return bytes;
    }

    private static bool Take(ref long countdown) => countdown > 0 && --countdown == 0;

    private bool CountOperation(string what)
    {
        Counters.Operations++;
        _scheduler.Note($"{_scheduler.Current} {what}");
        return Take(ref _crashAt);
    }

    private void CrashNow()
    {
        var process = _scheduler.Current;
        Crash(_crashKind);
        throw new SimulatedCrashException($"{process} has crashed.");
    }
}
