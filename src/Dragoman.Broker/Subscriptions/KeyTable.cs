using System.IO.Hashing;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// Which keys are held by whom, and which messages wait for theirs. A key is held as long as a message of it is; further
/// ones go to the same holder or wait, in order.
/// </summary>
internal sealed class KeyTable
{
    private readonly Dictionary<UInt128, Key> _keys = [];
    private readonly Dictionary<long, UInt128> _held = [];
    private readonly Dictionary<long, UInt128> _released = [];
    private readonly Dictionary<long, UInt128> _blocked = [];

    private sealed class Key
    {
        public object? Holder;
        public int Held;
        public readonly PriorityQueue<long, long> Blocked = new();
    }

    /// <summary>Messages that wait for their keys.</summary>
    public int Blocked => _blocked.Count;

    public static UInt128 Hash(ReadOnlySpan<byte> key) => XxHash128.HashToUInt128(key);

    /// <summary>Who holds a key; null if nobody does.</summary>
    public object? HolderOf(UInt128 key) => _keys.TryGetValue(key, out var known) && known.Held > 0 ? known.Holder : null;

    /// <summary>Whether a message is held.</summary>
    public bool IsHeld(long offset) => _held.ContainsKey(offset);

    /// <summary>Whether an earlier message of the key waits.</summary>
    public bool HasEarlier(UInt128 key, long offset) =>
        _keys.TryGetValue(key, out var known) && known.Blocked.TryPeek(out var first, out _) && first < offset;

    /// <summary>A message of a key goes to a holder.</summary>
    public void Hold(UInt128 key, long offset, object? holder)
    {
        if (!_keys.TryGetValue(key, out var known)) _keys.Add(key, known = new Key());
        known.Holder = holder;
        known.Held++;
        _held.Add(offset, key);
        _released.Remove(offset);
    }

    /// <summary>A message that is held passes to another holder, and with it what else of its key comes.</summary>
    public void Pass(long offset, object holder)
    {
        if (_held.TryGetValue(offset, out var key)) _keys[key].Holder = holder;
    }

    /// <summary>A message waits until its key is free.</summary>
    public void Block(UInt128 key, long offset)
    {
        if (!_keys.TryGetValue(key, out var known)) _keys.Add(key, known = new Key());
        known.Blocked.Enqueue(offset, offset);
        _released.Remove(offset);
        _blocked.Add(offset, key);
    }

    /// <summary>A message is gone; whether it waited.</summary>
    public bool Unblock(long offset)
    {
        if (!_blocked.Remove(offset, out var key)) return false;
        _keys[key].Blocked.Remove(offset, out _, out _);
        return true;
    }

    /// <summary>
    /// A message is no longer held, or is gone: returns the next one of its key that should be tried, or -1.
    /// </summary>
    public long Release(long offset)
    {
        if (_held.Remove(offset, out var key)) _keys[key].Held--;
        else if (!_released.Remove(offset, out key)) return -1;
        if (!_keys.TryGetValue(key, out var known)) return -1;
        var next = -1L;
        if (known.Blocked.Count > 0)
        {
            next = known.Blocked.Dequeue();
            _blocked.Remove(next);
            _released[next] = key;
        }
        else if (known.Held == 0)
        {
            _keys.Remove(key);
        }
        return next;
    }

    /// <summary>Messages that are gone do not wait any more.</summary>
    public void RemoveGone(OffsetSet gone)
    {
        foreach (var offset in _blocked.Keys)
            if (gone.Contains(offset)) Unblock(offset);
    }

    /// <summary>Messages that were to be tried next for their keys and are gone: whoever is behind them comes next.</summary>
    public List<long> GoneWhileNext(OffsetSet gone)
    {
        var found = new List<long>();
        foreach (var offset in _released.Keys)
            if (gone.Contains(offset)) found.Add(offset);
        return found;
    }

    /// <summary>Nobody waits any more; what is held stays.</summary>
    public void ForgetBlocked()
    {
        foreach (var (key, known) in _keys)
        {
            known.Blocked.Clear();
            if (known.Held == 0) _keys.Remove(key);
        }
        _released.Clear();
        _blocked.Clear();
    }

    public void Clear()
    {
        _keys.Clear();
        _held.Clear();
        _released.Clear();
        _blocked.Clear();
    }
}
