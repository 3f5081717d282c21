using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Journal;

/// <summary>
/// The journal as preallocated files in a directory: one is written, one is kept ready, those before are sealed.
/// </summary>
internal sealed class FileJournal : IJournal
{
    /// <summary>Space of a file that commits cannot use, and some to spare.</summary>
    public const int FileOverhead = 4096;

    private const string Extension = ".jnl";

    private readonly IFileSystem _files;
    private readonly FileTable _table;
    private readonly StoreOptions _options;
    private readonly FileNumbers _numbers;
    private readonly TailRing _tail;
    private readonly WakeSignal _prepare = new();
    private readonly Lock _lock = new();
    private readonly List<JournalFile> _sealed = [];
    private readonly List<JournalFile> _unsynced = [];
    private readonly Queue<StoreFile> _recyclable = new();
    private readonly AsyncGate _syncGate = new();
    private readonly Task _preparing;

    private Spare? _spare;
    private bool _stopping;
    private bool _stuck;
    private volatile bool _isLow;
    private Action? _spaceLow;
    private bool _syncFailed;
    private Exception? _spaceError;
    private Action<Exception>? _spaceFailed;
    private JournalFile _active;
    private Memory<byte> _round;
    private long _nextRound;
    private ulong _lastHash;
    private long _syncedThrough;

    private sealed record Spare(StoreFile File, int Capacity);

    /// <summary>Where a journal goes on: after the last round that recovery found.</summary>
    public readonly record struct Start(long NextRound, ulong LastHash, int Epoch, bool AfterCleanStop, IReadOnlyList<JournalFile> Sealed);

    private FileJournal(IScheduler scheduler, FileTable table, StoreOptions options, FileNumbers numbers, TailRing tail, Start start, StoreFile first)
    {
        _table = table;
        _files = table.Files;
        _options = options;
        _numbers = numbers;
        _tail = tail;
        _nextRound = start.NextRound;
        _lastHash = start.LastHash;
        _syncedThrough = start.NextRound - 1;
        _sealed.AddRange(start.Sealed);
        Epoch = start.Epoch;
        Space = new SpaceBudget(options.MaxPendingBytes, options.ReserveBytes) { NeedsSpace = _prepare.Set };
        _active = new JournalFile(first, tail, start.NextRound, start.LastHash, start.Epoch)
        {
            Capacity = options.JournalFileBytes,
            HasHeader = true,
            SyncedLength = RoundFormat.FileHeaderSize,
        };
        Space.Change(_active.Capacity - RoundFormat.FileHeaderSize);
        _preparing = scheduler.Run("journal-space", PrepareSparesAsync);
        _prepare.Set();
    }

    public int Epoch { get; }

    public SpaceBudget Space { get; }

    /// <summary>What it has done.</summary>
    public JournalCounters Counters { get; } = new();

    public int MaxRoundPayload => _options.MaxRoundBytes;

    public int Remaining => Math.Max(0, _active.Capacity - _active.Length - RoundFormat.RoundHeaderSize - RoundFormat.Alignment);

    public JournalFile Active => _active;

    public IReadOnlyList<JournalFile> Sealed
    {
        get
        {
            lock (_lock) return [.. _sealed];
        }
    }

    public int SealedCount
    {
        get
        {
            lock (_lock) return _sealed.Count;
        }
    }

    /// <summary>Whether the disk has little more room than a checkpoint of all that is sealed would need.</summary>
    public bool IsSpaceLow => _isLow || Space.IsFull;

    /// <summary>The file after a sealed one, and how its chain begins: where replay starts once the sealed one is gone.</summary>
    public (long File, long FirstRound, ulong PreviousHash) After(JournalFile file)
    {
        lock (_lock)
        {
            var index = _sealed.IndexOf(file);
            var next = index + 1 < _sealed.Count ? _sealed[index + 1] : _active;
            return (next.Number, next.FirstRound, next.PreviousHash);
        }
    }

    public static string PathOf(string directory, long number) => $"{directory}/{number:D20}{Extension}";

    /// <summary>The numbers of the journal files in a directory, in order.</summary>
    public static List<long> List(IFileSystem files, string directory)
    {
        var numbers = new List<long>();
        foreach (var name in files.ListFiles(directory))
            if (name.EndsWith(Extension, StringComparison.Ordinal) && long.TryParse(name.AsSpan(0, name.Length - Extension.Length), out var number)) numbers.Add(number);
        numbers.Sort();
        return numbers;
    }

    /// <summary>Opens the journal for writing, in a file of its own, behind what recovery found.</summary>
    /// <exception cref="DiskFullException">There is no room for a file.</exception>
    public static async Task<FileJournal> OpenAsync(IScheduler scheduler, FileTable table, StoreOptions options, FileNumbers numbers, Start start)
    {
        var number = numbers.Next();
        var path = PathOf(options.Directory, number);
        var handle = table.Files.Open(path, FileOpenMode.CreateNew);
        handle.Preallocate(options.JournalFileBytes);
        var tail = new TailRing(Math.Max(options.TailBytes, 2 * (options.MaxRoundBytes + RoundFormat.RoundHeaderSize + RoundFormat.Alignment)));
        var file = table.Add(number, path);
        file.Pin(handle);
        await WriteHeaderAsync(handle, new RoundFormat.FileHeader(number, start.NextRound, start.LastHash, start.Epoch, start.AfterCleanStop));
        await handle.SyncAsync();
        table.Files.SyncDirectory(options.Directory);
        return new FileJournal(scheduler, table, options, numbers, tail, start, file);
    }

    private static ValueTask WriteHeaderAsync(IStorageFile handle, in RoundFormat.FileHeader header)
    {
        var bytes = new byte[RoundFormat.FileHeaderSize];
        RoundFormat.WriteFileHeader(bytes, header);
        return handle.WriteAsync(0, bytes);
    }

    private static async ValueTask WriteHeaderAsync(JournalFile file)
    {
        await WriteHeaderAsync(file.File.Handle, new RoundFormat.FileHeader(file.Number, file.FirstRound, file.PreviousHash, file.Epoch, AfterCleanStop: false));
        file.HasHeader = true;
    }

    public Memory<byte> Reserve(int payloadLength)
    {
        _round = _tail.Reserve(RoundFormat.Align(RoundFormat.RoundHeaderSize + payloadLength));
        return _round.Slice(RoundFormat.RoundHeaderSize, payloadLength);
    }

    public async ValueTask<(JournalFile File, int PayloadPosition)> AppendAsync(int payloadLength)
    {
        var file = _active;
        var total = RoundFormat.Align(RoundFormat.RoundHeaderSize + payloadLength);
        Invariant.Check(file.Length + total <= file.Capacity, "a round fits the space that was reserved for it");
        if (!file.HasHeader) await WriteHeaderAsync(file);
        var round = _round[..total];
        _lastHash = RoundFormat.SealRound(round.Span, payloadLength, _nextRound, _lastHash, _syncedThrough, file.Number);
        await file.File.Handle.WriteAsync(file.Length, round);
        _nextRound++;
        _tail.Publish(file.Number, file.Length, total);
        var position = file.Length + RoundFormat.RoundHeaderSize;
        file.Length += total;
        Counters.OnRound(total);
        Space.Change(-total);
        return (file, position);
    }

    public bool CanRoll
    {
        get
        {
            lock (_lock) return _spare is not null && _active.Length > RoundFormat.FileHeaderSize;
        }
    }

    public void Roll()
    {
        lock (_lock)
        {
            Invariant.Check(_spare is not null, "admission keeps the next file ready");
            var old = _active;
            Space.Change(-(old.Capacity - old.Length));
            if (old.SyncedLength < old.Length) _unsynced.Add(old);
            _sealed.Add(old);
            _active = new JournalFile(_spare.File, _tail, _nextRound, _lastHash, Epoch) { Capacity = _spare.Capacity };
            Space.Change(-RoundFormat.FileHeaderSize);
            _spare = null;
            HoldIfBehind();
        }
        _prepare.Set();
    }

    public async ValueTask SyncAsync()
    {
        var through = _nextRound - 1;
        JournalFile[] older;
        lock (_lock) older = _unsynced.Count == 0 ? [] : [.. _unsynced];
        foreach (var file in older) await SyncSealedAsync(file);
        var active = _active;
        var length = active.Length;
        if (active.SyncedLength < length)
        {
            // A checkpoint may name the file as the one to replay from before there is a round in it.
            if (!active.HasHeader) await WriteHeaderAsync(active);
            await active.File.Handle.SyncAsync();
            Counters.OnSync();
            active.SyncedLength = length;
        }
        _syncedThrough = through;
    }

    public async ValueTask SyncSealedAsync(JournalFile file)
    {
        // The operating system tells of a failed sync once. Two at a time on one file, and the one that is not told
        // would take for durable what is not.
        await _syncGate.EnterAsync();
        try
        {
            if (_syncFailed) throw new IOException("An earlier sync of the journal failed.");
            lock (_lock)
            {
                if (!_unsynced.Contains(file)) return;
            }
            _syncFailed = true;
            await file.File.Handle.SyncAsync();
            _syncFailed = false;
            lock (_lock)
            {
                file.SyncedLength = file.Length;
                _unsynced.Remove(file);
            }
        }
        finally
        {
            _syncGate.Exit();
        }
    }

    /// <summary>
    /// Checks that what was read from a sealed file is what was written to it: a page that the operating system could
    /// not write may have been read anew from the disk.
    /// </summary>
    /// <exception cref="IOException">The operating system has failed to write to the file.</exception>
    public async ValueTask CheckWrittenAsync(JournalFile file)
    {
        await _syncGate.EnterAsync();
        try
        {
            if (_syncFailed) throw new IOException("An earlier sync of the journal failed.");
            bool check;
            lock (_lock) check = _unsynced.Contains(file);
            if (check) await file.File.Handle.CheckWrittenAsync();
        }
        finally
        {
            _syncGate.Exit();
        }
    }

    /// <summary>Gives up syncing a file: nothing refers to it any more. A sync of it that is under way ends first.</summary>
    public async ValueTask ForgoSyncAsync(JournalFile file)
    {
        await _syncGate.EnterAsync();
        lock (_lock) _unsynced.Remove(file);
        _syncGate.Exit();
    }

    public void Release(JournalFile file, bool keep)
    {
        lock (_lock)
        {
            Invariant.Check(_sealed.Remove(file), "only sealed files leave the journal");
            HoldIfBehind();
            Invariant.Check(!_unsynced.Contains(file), "a file leaves the journal only after what it held is durable");
        }
        if (keep) file.File.Unpin();
        else file.File.Drop(file.Capacity == _options.JournalFileBytes ? Recycle : Remove);
    }

    /// <summary>Notes whether checkpoints can go on; publishers wait for them only if they can.</summary>
    public void SetCheckpointsStuck(bool stuck)
    {
        lock (_lock)
        {
            _stuck = stuck;
            HoldIfBehind();
        }
    }

    private void HoldIfBehind() => Space.Hold(_sealed.Count > _options.MaxSealedFiles && !_stuck);

    private bool IsSpaceScarce => _files.FreeBytes(_options.Directory) < _options.HeadroomBytes;

    private void Recycle(StoreFile file)
    {
        var isScarce = IsSpaceScarce;
        lock (_lock)
        {
            if (!_stopping && !isScarce && _recyclable.Count < _options.RecycledFiles)
            {
                _recyclable.Enqueue(file);
                _prepare.Set();
                return;
            }
        }
        Remove(file);
    }

    private void Remove(StoreFile file)
    {
        file.Close();
        _files.Delete(file.Path);
        _prepare.Set();
    }

    /// <summary>Keeps the next file ready, so that the commit loop never waits for one.</summary>
    private async Task PrepareSparesAsync()
    {
        while (true)
        {
            await _prepare.WaitAsync();
            StoreFile? recycled = null;
            var wanted = Space.LargestWaiting + _options.ReserveBytes + FileOverhead;
            int capacity;
            lock (_lock)
            {
                if (_stopping) return;
                capacity = (int)Math.Clamp(wanted, _options.JournalFileBytes, _options.MaxJournalFileBytes);
                if (_spare is not null && _spare.Capacity >= capacity) continue;
                if (capacity == _options.JournalFileBytes) _recyclable.TryDequeue(out recycled);
            }
            await PrepareAsync(capacity, recycled);
        }
    }

    private async Task PrepareAsync(int capacity, StoreFile? recycled)
    {
        var number = _numbers.Next();
        var path = PathOf(_options.Directory, number);
        IStorageFile? handle = null;
        try
        {
            NoteFreeSpace(capacity);
            // A file used again takes the space that it gave up, and so must find the same room as a new one.
            if (recycled is not null && IsSpaceScarce)
            {
                Remove(recycled);
                recycled = null;
            }
            if (recycled is not null)
            {
                recycled.Close();
                _files.Rename(recycled.Path, path);
                handle = _files.Open(path, FileOpenMode.ReadWrite);
            }
            else
            {
                if (_files.FreeBytes(_options.Directory) < capacity + _options.HeadroomBytes)
                    throw new DiskFullException($"Less than {(capacity + _options.HeadroomBytes) >> 20} MiB are free where {_options.Directory} is.");
                handle = _files.Open(path, FileOpenMode.CreateNew);
                handle.Preallocate(capacity);
                await handle.SyncAsync();
            }
            _files.SyncDirectory(_options.Directory);
        }
        catch (DiskFullException error)
        {
            handle?.Dispose();
            if (handle is not null) _files.Delete(path);
            Space.SetFull(error.Message);
            _spaceLow?.Invoke();
            return;
        }
        catch (IOException error)
        {
            handle?.Dispose();
            _spaceError = error;
            _spaceFailed?.Invoke(error);
            return;
        }
        var file = _table.Add(number, path);
        file.Pin(handle);
        Spare? smaller;
        lock (_lock)
        {
            smaller = _spare;
            _spare = new Spare(file, capacity);
        }
        Space.Change(capacity - (smaller?.Capacity ?? 0));
        if (smaller is not null) Remove(smaller.File);
    }

    private void NoteFreeSpace(int capacity)
    {
        var needed = capacity + _options.HeadroomBytes;
        lock (_lock)
        {
            foreach (var file in _sealed) needed += file.Length;
        }
        _isLow = _files.FreeBytes(_options.Directory) < needed;
        if (_isLow) _spaceLow?.Invoke();
    }

    /// <summary>Called when checkpoints should free space soon.</summary>
    internal void OnSpaceLow(Action action)
    {
        _spaceLow = action;
        if (IsSpaceLow) action();
    }

    /// <summary>Called when reserving space failed for a reason other than a full disk.</summary>
    internal void OnSpaceFailed(Action<Exception> action)
    {
        _spaceFailed = action;
        if (_spaceError is { } error) action(error);
    }

    /// <summary>Looks again whether space has come free.</summary>
    internal void RetrySpace() => _prepare.Set();

    public async ValueTask DisposeAsync()
    {
        lock (_lock) _stopping = true;
        _prepare.Set();
        await _preparing;
        foreach (var file in _recyclable) Remove(file);
        if (_spare is not null)
        {
            _spare.File.Close();
            _files.Delete(_spare.File.Path);
        }
        _active.File.Close();
        foreach (var file in _sealed) file.File.Close();
    }
}

/// <summary>Gives out file numbers, each once.</summary>
internal sealed class FileNumbers(long last)
{
    private long _last = last;

    public long Next() => Interlocked.Increment(ref _last);
}
