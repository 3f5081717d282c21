using Dragoman.Storage.Log;

namespace Dragoman.Storage.Platform;

/// <summary>
/// A file of the store that several readers share: opened when first read, closed when others need its handle more,
/// and removed from the disk only when nobody reads it any longer.
/// </summary>
public sealed class StoreFile : IByteSource
{
    private readonly FileTable _table;
    private readonly Lock _lock = new();
    private IStorageFile? _handle;
    private int _users;
    private bool _pinned;
    private bool _dropped;
    private Action<StoreFile>? _whenUnused;

    internal StoreFile(FileTable table, long number, string path)
    {
        _table = table;
        Number = number;
        Path = path;
    }

    /// <summary>The file's number: unique in the store, rising with creation.</summary>
    public long Number { get; }

    /// <summary>The full path.</summary>
    public string Path { get; internal set; }

    /// <summary>Bytes in the file, for those that do not change any more.</summary>
    internal long DataLength { get; set; }

    internal LinkedListNode<StoreFile>? CacheNode { get; set; }

    /// <summary>Keeps the file on disk until <see cref="Release"/>. False once it has been dropped.</summary>
    public bool TryAcquire()
    {
        lock (_lock)
        {
            if (_dropped) return false;
            _users++;
            return true;
        }
    }

    /// <summary>Ends one <see cref="TryAcquire"/>.</summary>
    public void Release()
    {
        Action<StoreFile>? run = null;
        lock (_lock)
        {
            if (--_users == 0 && _dropped) run = _whenUnused;
        }
        run?.Invoke(this);
    }

    /// <summary>Marks the file as no longer part of the store; <paramref name="whenUnused"/> runs once when its last reader is done.</summary>
    internal void Drop(Action<StoreFile> whenUnused)
    {
        lock (_lock)
        {
            Invariant.Check(!_dropped, "a file is dropped once");
            _dropped = true;
            _whenUnused = whenUnused;
            if (_users > 0) return;
        }
        whenUnused(this);
    }

    /// <summary>Gives the file a handle that stays open until <see cref="Close"/>.</summary>
    internal void Pin(IStorageFile handle)
    {
        lock (_lock)
        {
            Invariant.Check(_handle is null, "a file is pinned before it is read");
            _handle = handle;
            _pinned = true;
        }
    }

    /// <summary>Lets the table close the handle when others need it more.</summary>
    internal void Unpin()
    {
        lock (_lock)
        {
            if (!_pinned) return;
            _pinned = false;
        }
        _table.Touch(this);
    }

    /// <summary>Reads exactly the bytes asked for.</summary>
    /// <exception cref="CorruptDataException">The file ends before them.</exception>
    public void Read(long position, Span<byte> buffer)
    {
        var handle = Borrow();
        try
        {
            var read = 0;
            while (read < buffer.Length)
            {
                var n = handle.Read(position + read, buffer[read..]);
                if (n == 0) throw new CorruptDataException($"{Path} ends at {position + read}; {buffer.Length - read} more bytes should be there.");
                read += n;
            }
        }
        finally
        {
            Release();
        }
    }

    private IStorageFile Borrow()
    {
        bool pinned;
        IStorageFile handle;
        lock (_lock)
        {
            _users++;
            handle = _handle ??= _table.OpenForReading(Path);
            pinned = _pinned;
        }
        if (!pinned) _table.Touch(this);
        return handle;
    }

    /// <summary>Closes the handle if nobody uses it; true if it is closed afterwards.</summary>
    internal bool TryCloseIdle()
    {
        lock (_lock)
        {
            if (_pinned || _users > 0) return _handle is null;
            _handle?.Dispose();
            _handle = null;
            return true;
        }
    }

    /// <summary>Closes the handle whatever the state; for files that are gone or a store that stops.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            _pinned = false;
            _handle?.Dispose();
            _handle = null;
        }
        _table.Forget(this);
    }

    /// <summary>The open handle of a pinned file.</summary>
    internal IStorageFile Handle => _handle ?? throw new InvalidOperationException("The file is not open.");
}

/// <summary>
/// Knows the store's files and bounds how many of them are open at once: the one least recently read is closed first.
/// </summary>
public sealed class FileTable(IFileSystem files, int maxOpen)
{
    private readonly LinkedList<StoreFile> _open = new();
    private readonly Lock _lock = new();

    /// <summary>The file system below.</summary>
    public IFileSystem Files { get; } = files;

    /// <summary>A file that is on disk, or about to be. It takes no handle until it is read.</summary>
    public StoreFile Add(long number, string path) => new(this, number, path);

    internal IStorageFile OpenForReading(string path) => Files.Open(path, FileOpenMode.Read);

    internal void Touch(StoreFile file)
    {
        lock (_lock)
        {
            if (file.CacheNode is { } node)
            {
                if (node != _open.First)
                {
                    _open.Remove(node);
                    _open.AddFirst(node);
                }
                return;
            }
            file.CacheNode = _open.AddFirst(file);
            for (var candidate = _open.Last; _open.Count > maxOpen && candidate is not null && candidate != _open.First;)
            {
                var before = candidate.Previous;
                if (candidate.Value.TryCloseIdle())
                {
                    candidate.Value.CacheNode = null;
                    _open.Remove(candidate);
                }
                candidate = before;
            }
        }
    }

    internal void Forget(StoreFile file)
    {
        lock (_lock)
        {
            if (file.CacheNode is not { } node) return;
            _open.Remove(node);
            file.CacheNode = null;
        }
    }
}
