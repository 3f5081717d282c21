using Dragoman.Broker.Channels;

namespace Dragoman.Redis.Keys;

/// <summary>
/// The keys of this front end: strings, in memory alone, for client libraries that keep something beside their messages.
/// They are gone with the process, and bounded. One lock is held over all of them.
/// </summary>
internal sealed class KeyStore : IDisposable
{
    /// <summary>How many databases there are.</summary>
    public const int Databases = 16;

    // What a key takes besides its bytes.
    private const int Overhead = 160;

    private readonly Database[] _databases;
    private readonly LinkedList<Entry> _byUse = new();
    private readonly PriorityQueue<(Entry Entry, long ExpiresAt), long> _due = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly long _cap;
    private long _versions;
    private long _maxMemory;
    private bool _evicts;
    private long _timerAt = long.MaxValue;

    /// <summary>Creates an empty store.</summary>
    /// <param name="cap">Bytes at most, whatever is configured.</param>
    /// <param name="time">The clock.</param>
    /// <param name="channels">Where keyspace notifications go.</param>
    public KeyStore(long cap, TimeProvider time, ChannelSpace channels)
    {
        _cap = cap;
        _time = time;
        Events = new KeyEvents(channels);
        _databases = [.. Enumerable.Range(0, Databases).Select(number => new Database(this, number))];
        _timer = time.CreateTimer(static state => ((KeyStore)state!).ExpireDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A key and its value.</summary>
    internal sealed class Entry(Database database, byte[] key)
    {
        public Database Database { get; } = database;

        public byte[] Key { get; } = key;

        public byte[] Value { get; set; } = [];

        /// <summary>When it ends, in milliseconds since 1970; -1 for never.</summary>
        public long ExpiresAt { get; set; } = -1;

        /// <summary>Differs whenever the key was changed.</summary>
        public long Version { get; set; }

        public LinkedListNode<Entry>? Node { get; set; }

        public long Bytes => Key.Length + Value.Length + Overhead;
    }

    /// <summary>Held while keys are read or changed.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Tells of what happens to keys.</summary>
    public KeyEvents Events { get; }

    /// <summary>Bytes that keys and values take.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Bytes that they may take; 0 for as many as there may be at all.</summary>
    public long MaxMemory
    {
        get => _maxMemory;
        set
        {
            lock (Lock)
            {
                _maxMemory = value;
                TryMakeRoom(0);
            }
        }
    }

    /// <summary>Whether the keys that were not used for longest make room for others.</summary>
    public bool Evicts
    {
        get => _evicts;
        set
        {
            lock (Lock)
            {
                _evicts = value;
                TryMakeRoom(0);
            }
        }
    }

    /// <summary>The time in milliseconds since 1970.</summary>
    public long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A database by its number.</summary>
    public Database this[int number] => _databases[number];

    /// <summary>Makes room for more; false if there is none.</summary>
    public bool TryMakeRoom(long bytes)
    {
        var limit = _maxMemory > 0 ? Math.Min(_maxMemory, _cap) : _cap;
        while (UsedBytes + bytes > limit)
        {
            if (!_evicts || _byUse.First is not { } oldest) return bytes == 0;
            oldest.Value.Database.Remove(oldest.Value);
            Events.Tell('e', "evicted", oldest.Value.Database.Number, oldest.Value.Key);
        }
        return true;
    }

    internal void Added(Entry entry)
    {
        entry.Node = _byUse.AddLast(entry);
        UsedBytes += entry.Bytes;
    }

    internal void Removed(Entry entry)
    {
        _byUse.Remove(entry.Node!);
        UsedBytes -= entry.Bytes;
        entry.ExpiresAt = -1;
    }

    internal void Used(Entry entry)
    {
        if (_byUse.Last == entry.Node) return;
        _byUse.Remove(entry.Node!);
        _byUse.AddLast(entry.Node!);
    }

    internal void Changed(Entry entry, long bytesBefore)
    {
        UsedBytes += entry.Bytes - bytesBefore;
        entry.Version = ++_versions;
        Used(entry);
    }

    internal void SetExpiry(Entry entry, long expiresAt)
    {
        entry.ExpiresAt = expiresAt;
        if (expiresAt < 0) return;
        // Times that were put off stay in the queue until they come; too many of them are cleared out.
        if (_due.Count > 1024 && _due.Count > 4 * _byUse.Count)
        {
            _due.Clear();
            foreach (var other in _byUse)
                if (other.ExpiresAt >= 0) _due.Enqueue((other, other.ExpiresAt), other.ExpiresAt);
        }
        else
        {
            _due.Enqueue((entry, expiresAt), expiresAt);
        }
        Schedule();
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void ExpireDue()
    {
        lock (Lock)
        {
            _timerAt = long.MaxValue;
            var now = Now;
            while (_due.TryPeek(out var due, out var at) && at <= now)
            {
                _due.Dequeue();
                if (due.Entry.ExpiresAt == due.ExpiresAt) due.Entry.Database.Expire(due.Entry);
            }
            Schedule();
        }
    }

    private void Schedule()
    {
        if (!_due.TryPeek(out _, out var at) || at >= _timerAt) return;
        _timerAt = at;
        // Far times are looked at again: a timer's span is limited.
        var span = Math.Clamp(at - Now, 0, 3_600_000);
        if (span == 3_600_000) _timerAt = Now + span;
        _timer.Change(TimeSpan.FromMilliseconds(span + 1), Timeout.InfiniteTimeSpan);
    }
}
