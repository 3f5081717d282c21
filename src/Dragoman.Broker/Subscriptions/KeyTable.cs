using System.IO.Hashing;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// Which keys are held by whom, which messages wait for theirs or were set aside, and whose turn it is. A message may be
/// had as long as nobody else holds an earlier one of its key, and none waits before it.
/// </summary>
/// <remarks>
/// A key of which messages wait has a turn unless what it waits for is held: then whoever lets go gives it one. Turns are
/// numbers like offsets: a key's turn comes before all messages from that offset on. Where a queue is fair, nobody waits for
/// anybody, and turns are by how many messages of a key are held.
/// </remarks>
/// <param name="isFair">Whether it is.</param>
internal sealed class KeyTable(bool isFair = false)
{
    private const int MostStaleTurns = 1024;

    /// <summary>Holds messages that came back and wait: nobody gets what is behind them.</summary>
    private static readonly object CoolingHolder = new();

    private readonly Dictionary<UInt128, Key> _keys = [];
    private readonly Dictionary<long, Key> _held = [];
    private readonly Dictionary<long, Key> _waiting = [];
    private readonly PriorityQueue<Key, (long Turn, long Second, long Number)> _turns = new();
    private long _turnsGiven;

    /// <summary>What is known of a key.</summary>
    internal sealed class Key(UInt128 hash)
    {
        public readonly UInt128 Hash = hash;

        /// <summary>Messages that are held, in the order of their offsets.</summary>
        public readonly Holds Held = new();

        /// <summary>Messages that wait; some may be gone.</summary>
        public readonly PriorityQueue<long, long> Queue = new();

        /// <summary>How many wait.</summary>
        public int Waiting;

        public bool HasTurn;
        public long Turn;
        public long SecondTurn;
        public long TurnNumber;
    }

    /// <summary>Messages that wait.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Messages that wait and whose key has a turn.</summary>
    public int WaitingWithTurn { get; private set; }

    public static UInt128 Hash(ReadOnlySpan<byte> key) => XxHash128.HashToUInt128(key);

    /// <summary>Who holds a message of a key, the last that is held; null if nobody does.</summary>
    public object? HolderOf(UInt128 key) => _keys.TryGetValue(key, out var known) ? known.Held.Last : null;

    /// <summary>How many messages of a key are held.</summary>
    public int HeldOf(UInt128 key) => _keys.TryGetValue(key, out var known) ? known.Held.Count : 0;

    /// <summary>How many messages of a key are held or wait.</summary>
    public int KnownOf(UInt128 key) => _keys.TryGetValue(key, out var known) ? known.Held.Count + known.Waiting : 0;

    /// <summary>Whether a message of a key came back and waits for its time.</summary>
    public bool IsCooling(UInt128 key) => _keys.TryGetValue(key, out var known) && known.Held.Cooling > 0;

    /// <summary>Whether a message of a key is held by a consumer, rather than under a timed lease.</summary>
    public bool IsWithConsumer(UInt128 key) => _keys.TryGetValue(key, out var known) && known.Held.WithConsumers > 0;

    /// <summary>Who holds the nearest message of a key that comes before one; null if nobody does.</summary>
    public object? HolderBefore(UInt128 key, long offset) => _keys.TryGetValue(key, out var known) ? known.Held.Before(offset) : null;

    /// <summary>Whether a message is held.</summary>
    public bool IsHeld(long offset) => _held.ContainsKey(offset);

    /// <summary>The first message of a key that waits, or -1.</summary>
    public long FirstOf(UInt128 key) => _keys.TryGetValue(key, out var known) ? First(known) : -1;

    /// <summary>A message of a key goes to a holder.</summary>
    public void Hold(UInt128 hash, long offset, object holder)
    {
        var key = Of(hash);
        key.Held.Add(offset, holder);
        _held.Add(offset, key);
        if (isFair) GiveTurn(key);
    }

    /// <summary>A message that is held came back, and keeps its key until its time has come.</summary>
    public void Cool(long offset)
    {
        if (_held.TryGetValue(offset, out var key)) key.Held.Cool(offset);
    }

    /// <summary>A message waits for its key. It does not change whether the key has a turn.</summary>
    public void Wait(UInt128 hash, long offset) => Wait(Of(hash), offset);

    /// <summary>A message is passed over for another key, and waits; its key's turn comes where the message stood.</summary>
    public void SetAside(UInt128 hash, long offset)
    {
        var key = Of(hash);
        var hasTurn = isFair || (key.Waiting == 0 && key.Held.Before(offset) is null);
        Wait(key, offset);
        if (hasTurn) GiveTurn(key, offset);
    }

    /// <summary>A message that was held came back: it waits in its place among those of its key, which has a turn. False if it was not held.</summary>
    public bool TryReturn(long offset, long turn)
    {
        if (!_held.Remove(offset, out var key)) return false;
        key.Held.Remove(offset);
        Wait(key, offset);
        GiveTurn(key, turn);
        return true;
    }

    /// <summary>A message is no longer held: the next one of its key has a turn, where it stood.</summary>
    public void Release(long offset)
    {
        if (!_held.Remove(offset, out var key)) return;
        key.Held.Remove(offset);
        GiveTurn(key);
    }

    /// <summary>A message does not wait any longer; whether it did.</summary>
    public bool Unblock(long offset)
    {
        if (!_waiting.Remove(offset, out var key)) return false;
        key.Waiting--;
        if (key.HasTurn) WaitingWithTurn--;
        if (isFair) GiveTurn(key);
        else ForgetIfEmpty(key);
        return true;
    }

    /// <summary>Finds whose turn it is, and the first message of it.</summary>
    public bool TryPeekTurn(out UInt128 key, out long turn, out long offset)
    {
        while (_turns.TryPeek(out var next, out var place))
        {
            if (next.HasTurn && next.TurnNumber == place.Number)
            {
                (key, turn, offset) = (next.Hash, place.Turn, First(next));
                return true;
            }
            _turns.Dequeue();
        }
        (key, turn, offset) = (default, 0, -1);
        return false;
    }

    /// <summary>Takes a message that waits, to be tried; its key's turn is over.</summary>
    public UInt128 Take(long offset)
    {
        var key = _waiting[offset];
        EndTurn(key);
        _waiting.Remove(offset);
        key.Waiting--;
        ForgetIfEmpty(key);
        return key.Hash;
    }

    /// <summary>A key has a turn once more, where its first message that waits stands.</summary>
    public void GiveTurn(UInt128 hash)
    {
        if (_keys.TryGetValue(hash, out var key)) GiveTurn(key);
    }

    /// <summary>Messages that are gone do not wait any more.</summary>
    public void RemoveGone(OffsetSet gone)
    {
        foreach (var offset in _waiting.Keys)
            if (gone.Contains(offset)) Unblock(offset);
    }

    /// <summary>Has all that wait wait in a lane instead.</summary>
    public void PutBack(ReadyLane lane)
    {
        foreach (var offset in _waiting.Keys) lane.AddSingle(offset);
        ForgetWaiting();
    }

    /// <summary>Nobody waits any more; what is held stays.</summary>
    public void ForgetWaiting()
    {
        foreach (var key in _keys.Values)
        {
            key.Queue.Clear();
            key.Waiting = 0;
            key.HasTurn = false;
            if (key.Held.Count == 0) _keys.Remove(key.Hash);
        }
        WaitingWithTurn = 0;
        _turns.Clear();
        _waiting.Clear();
    }

    public void Clear()
    {
        _keys.Clear();
        _held.Clear();
        _waiting.Clear();
        _turns.Clear();
        WaitingWithTurn = 0;
    }

    private Key Of(UInt128 hash)
    {
        if (!_keys.TryGetValue(hash, out var key)) _keys.Add(hash, key = new Key(hash));
        return key;
    }

    private void Wait(Key key, long offset)
    {
        _waiting.Add(offset, key);
        key.Queue.Enqueue(offset, offset);
        key.Waiting++;
        if (key.HasTurn) WaitingWithTurn++;
    }

    private long First(Key key)
    {
        // Those that were taken out elsewhere are still in the queue, and may have come in anew.
        while (key.Queue.TryPeek(out var offset, out _))
        {
            if (_waiting.TryGetValue(offset, out var waits) && waits == key) return offset;
            key.Queue.Dequeue();
        }
        return -1;
    }

    private void GiveTurn(Key key)
    {
        if (key.Waiting > 0) GiveTurn(key, First(key));
        else ForgetIfEmpty(key);
    }

    private void GiveTurn(Key key, long turn)
    {
        var second = 0L;
        if (isFair) (turn, second) = (key.Held.Count, First(key));
        else if (key.HasTurn && key.Turn <= turn) return;
        if (key.HasTurn && key.Turn == turn && key.SecondTurn == second) return;
        if (!key.HasTurn) WaitingWithTurn += key.Waiting;
        key.HasTurn = true;
        key.Turn = turn;
        key.SecondTurn = second;
        key.TurnNumber = ++_turnsGiven;
        _turns.Enqueue(key, (turn, second, key.TurnNumber));
        if (_turns.Count > MostStaleTurns + 2 * _keys.Count) ForgetStaleTurns();
    }

    /// <summary>Turns that were given anew since are taken out when they come up; of those that never do there may be many.</summary>
    private void ForgetStaleTurns()
    {
        _turns.Clear();
        foreach (var key in _keys.Values)
            if (key.HasTurn) _turns.Enqueue(key, (key.Turn, key.SecondTurn, key.TurnNumber));
    }

    private void EndTurn(Key key)
    {
        if (!key.HasTurn) return;
        key.HasTurn = false;
        WaitingWithTurn -= key.Waiting;
    }

    private void ForgetIfEmpty(Key key)
    {
        if (key.Waiting > 0) return;
        EndTurn(key);
        key.Queue.Clear();
        if (key.Held.Count == 0) _keys.Remove(key.Hash);
    }

    /// <summary>The messages of a key that are held, in order. Most come at the end, and go from the beginning.</summary>
    internal sealed class Holds
    {
        private readonly List<(long Offset, object Holder)> _items = [];
        private int _first;

        public int Count => _items.Count - _first;

        /// <summary>How many came back and wait for their time.</summary>
        public int Cooling { get; private set; }

        /// <summary>How many consumers hold.</summary>
        public int WithConsumers { get; private set; }

        public object? Last => Count > 0 ? _items[^1].Holder : null;

        public object? Before(long offset)
        {
            var index = Find(offset);
            return index > _first ? _items[index - 1].Holder : null;
        }

        public void Add(long offset, object holder)
        {
            if (holder is Consumer) WithConsumers++;
            if (Count == 0 || _items[^1].Offset < offset) _items.Add((offset, holder));
            else _items.Insert(Find(offset), (offset, holder));
        }

        public void Cool(long offset)
        {
            var index = Find(offset);
            if (index == _items.Count || _items[index].Offset != offset || _items[index].Holder == CoolingHolder) return;
            if (_items[index].Holder is Consumer) WithConsumers--;
            _items[index] = (offset, CoolingHolder);
            Cooling++;
        }

        public void Remove(long offset)
        {
            var index = Find(offset);
            if (index == _items.Count || _items[index].Offset != offset) return;
            if (_items[index].Holder == CoolingHolder) Cooling--;
            else if (_items[index].Holder is Consumer) WithConsumers--;
            if (index > _first)
            {
                _items.RemoveAt(index);
                return;
            }
            _items[_first++] = default;
            if (_first < 64 && _first < _items.Count || _first * 2 < _items.Count) return;
            _items.RemoveRange(0, _first);
            _first = 0;
        }

        /// <summary>Where a message is, or would be.</summary>
        private int Find(long offset)
        {
            var (low, high) = (_first, _items.Count);
            while (low < high)
            {
                var middle = (low + high) >>> 1;
                if (_items[middle].Offset < offset) low = middle + 1;
                else high = middle;
            }
            return low;
        }
    }
}
