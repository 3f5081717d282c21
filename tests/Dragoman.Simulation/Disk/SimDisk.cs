using Dragoman.Storage.Platform;

namespace Dragoman.Simulation;

/// <summary>
/// A disk in memory that behaves as badly as a real one may: see <see cref="CrashKind"/> and the faults in the other half
/// of this class. It outlives the processes that use it; a handle belongs to the process that opened it.
/// </summary>
/// <remarks>
/// Writes and syncs are asynchronous: others run before they complete, after a latency that the seed decides. They must be
/// called from code that the scheduler runs. Everything else is immediate.
/// </remarks>
public sealed partial class SimDisk : IFileSystem
{
    private readonly SimScheduler _scheduler;
    private readonly SimRandom _random;
    private readonly SimDiskOptions _options;
    private readonly SimNamespace _names = new();
    private readonly SortedSet<string> _directories = new(StringComparer.Ordinal) { "/" };
    private readonly Dictionary<string, DirectoryHold> _locks = new(StringComparer.Ordinal);
    private readonly HashSet<SimInode> _open = [];
    private readonly List<WriteInProgress> _writing = [];
    private readonly List<SimProcess> _users = [];

    public SimDisk(SimScheduler scheduler, SimDiskOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        _scheduler = scheduler;
        _random = scheduler.Random.Fork();
        _options = options ?? new SimDiskOptions();
        Capacity = _options.Capacity;
    }

    public SimDiskCounters Counters { get; } = new();

    /// <summary>Rises with every crash. Handles and locks of an earlier epoch are dead.</summary>
    public int Epoch { get; private set; }

    /// <summary>Bytes in use by files that have a name or an open handle. Length counts, holes included.</summary>
    public long UsedBytes => _names.Files.Values.Concat(_open).Distinct().Sum(inode => inode.Length);

    /// <inheritdoc/>
    public void CreateDirectory(string path)
    {
        DemandAlive();
        for (string at = Normal(path); _directories.Add(at); at = SimNamespace.DirectoryOf(at))
        {
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> ListFiles(string directory)
    {
        DemandAlive();
        directory = DemandDirectory(directory);
        return [.. _names.Files.Keys
            .Where(path => SimNamespace.DirectoryOf(path) == directory)
            .Select(path => path[(path.LastIndexOf('/') + 1)..])];
    }

    /// <inheritdoc/>
    public bool FileExists(string path)
    {
        DemandAlive();
        return _names.Files.ContainsKey(Normal(path));
    }

    /// <inheritdoc/>
    public IStorageFile Open(string path, FileOpenMode mode)
    {
        DemandAlive();
        path = Normal(path);
        DemandDirectory(SimNamespace.DirectoryOf(path));
        bool exists = _names.Files.TryGetValue(path, out var inode);
        if (mode != FileOpenMode.CreateNew)
        {
            return new SimFile(this, exists ? inode! : throw new FileNotFoundException($"Could not find file '{path}'.", path), path, mode);
        }

        if (exists)
        {
            throw new IOException($"The file '{path}' already exists.");
        }

        inode = new SimInode();
        Change($"create {path}", () => _names.Create(path, inode));
        return new SimFile(this, inode, path, mode);
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        DemandAlive();
        path = Normal(path);
        DemandDirectory(SimNamespace.DirectoryOf(path));
        if (_names.Files.ContainsKey(path))
        {
            Change($"delete {path}", () => _names.Delete(path));
        }
    }

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        DemandAlive();
        (from, to) = (Normal(from), Normal(to));
        if (!_names.Files.ContainsKey(from))
        {
            throw new FileNotFoundException($"Could not find file '{from}'.", from);
        }

        DemandDirectory(SimNamespace.DirectoryOf(to));
        if (from != to)
        {
            Change($"rename {from} {to}", () => _names.Rename(from, to));
        }
    }

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        DemandAlive();
        path = DemandDirectory(path);
        Counters.DirectorySyncs++;
        Change($"sync directory {path}", () =>
        {
            if (Take(ref _failDirectorySync))
            {
                throw new IOException($"Simulated failure to sync directory '{path}'.");
            }

            if (!IgnoreDirectorySyncs)
            {
                _names.Sync(path);
            }
        });
    }

    /// <inheritdoc/>
    public long FreeBytes(string directory)
    {
        DemandAlive();
        DemandDirectory(directory);
        return Math.Max(Capacity - UsedBytes, 0);
    }

    /// <inheritdoc/>
    public IDisposable LockDirectory(string directory)
    {
        DemandAlive();
        directory = DemandDirectory(directory);
        if (_locks.TryGetValue(directory, out var held) && !held.Owner.IsDead)
        {
            throw new DirectoryInUseException($"'{directory}' is in use by {held.Owner}.");
        }

        string path = Normal($"{directory}/{DirectoryLock.FileName}");
        if (!_names.Files.ContainsKey(path))
        {
            _names.Create(path, new SimInode());
        }

        return _locks[directory] = new DirectoryHold(this, directory, _scheduler.Current);
    }

    private static string Normal(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return path[0] != '/' ? throw new ArgumentException($"'{path}' is not a full path.", nameof(path))
            : path.Length > 1 ? path.Replace("//", "/", StringComparison.Ordinal).TrimEnd('/')
            : path;
    }

    private string DemandDirectory(string path)
    {
        path = Normal(path);
        return _directories.Contains(path) ? path : throw new DirectoryNotFoundException($"Could not find directory '{path}'.");
    }

    // The code of a killed process runs on to the end of its step, and after a fail-stop it may never find out: the
    // disk is where it does.
    private void DemandAlive()
    {
        var process = _scheduler.Current;
        if (process.IsDead)
        {
            throw new SimulatedCrashException($"{process} is dead.");
        }

        if (!_users.Contains(process))
        {
            _users.Add(process);
        }
    }

    // Counts an immediate operation, and crashes before or after it if it is the one.
    private void Change(string what, Action action)
    {
        bool crash = CountOperation(what);
        if (crash && _random.OneIn(2))
        {
            CrashNow();
        }

        action();
        if (crash)
        {
            CrashNow();
        }
    }

    private async Task LatencyAsync(TimeSpan longest)
    {
        if (SynchronizationContext.Current is not SimProcess)
        {
            throw new InvalidOperationException("Writes and syncs of the simulated disk must run on the scheduler: start them through Run or Execute.");
        }

        double factor = Slowness * (_random.Chance(_options.HiccupChance) ? 20 : 1);
        var latency = longest * (_random.NextDouble() * factor);
        if (latency <= TimeSpan.Zero || (factor <= 1 && _random.OneIn(2)))
        {
            await _scheduler.YieldAsync();
        }
        else
        {
            await _scheduler.DelayAsync(latency);
        }
    }

    private void Grow(SimInode inode, long length, Func<IOException> full)
    {
        if (length > inode.Length && length - inode.Length > Capacity - UsedBytes)
        {
            throw full();
        }
    }

    private sealed class DirectoryHold(SimDisk disk, string directory, SimProcess owner) : IDisposable
    {
        public SimProcess Owner => owner;

        public void Dispose()
        {
            if (disk._locks.GetValueOrDefault(directory) == this)
            {
                disk._locks.Remove(directory);
            }
        }
    }

    /// <summary>A write that has begun: so many of its bytes are in the cache.</summary>
    private sealed class WriteInProgress(SimInode inode, long position, ReadOnlyMemory<byte> bytes)
    {
        private int _done;

        public bool IsDone => _done == bytes.Length;

        public int Left => bytes.Length - _done;

        public void Advance(int count)
        {
            if (count > 0)
            {
                inode.Write(position + _done, bytes.Slice(_done, count));
                _done += count;
            }
        }
    }
}
