using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Takes messages in: which may come, and what becomes of each.</summary>
internal sealed partial class Subscription
{
    private static readonly byte[] SpecialEvent = [1, (byte)SubscriptionState.Kind.Special];

    private ReadyLane?[] _lanes = [];
    private LogCursor? _scan;
    private int _topLane;

    /// <summary>Messages before this one have been looked at: they are in a lane, or somewhere else on purpose.</summary>
    private long _frontier;

    /// <summary>Bytes of the values that are ready, where they are limited.</summary>
    private long _readyBytes;

    private bool CountsBytes => _queueSettings.MaxLengthBytes >= 0;

    /// <summary>Puts back what the state tells, when the subscription starts.</summary>
    private void Recover()
    {
        _frontier = _gone.Prefix;
        var apart = new List<OffsetRange>();
        foreach (var (offset, lease) in _machine.Leases)
        {
            if (_gone.Contains(offset)) continue;
            _nextLease = Math.Max(_nextLease, lease.Number);
            _leases.Add(offset, new Lease { Number = lease.Number, Deadline = lease.Deadline, Count = Math.Max(CountOf(offset), 1) });
            _deadlines.Add(lease.Deadline, offset, offset + 1);
            apart.Add(OffsetRange.Of(offset));
        }
        foreach (var (offset, due) in _machine.Delays)
        {
            if (_gone.Contains(offset)) continue;
            apart.Add(OffsetRange.Of(offset));
            if (Delivery.Dispatch == DispatchMode.ByKey)
            {
                _leases.Add(offset, new Lease { IsCooling = true, Deadline = due, Count = Math.Max(CountOf(offset), 1) });
                _deadlines.Add(due, offset, offset + 1);
                continue;
            }
            _delays.Add(offset, (due, 0));
            AddDelayed(due, offset, offset + 1, lane: 0);
        }
        var end = End;
        if (_frontier >= end || MustLook || apart.Count > 0 && Delivery.Dispatch == DispatchMode.ByKey) return;
        OffsetRanges.Normalize(apart);
        foreach (var range in apart)
        {
            if (range.Start > _frontier) Lane(0).AddRange(_frontier, Math.Min(range.Start, end), isPlain: true);
            _frontier = Math.Max(_frontier, range.End);
        }
        if (_frontier < end) Lane(0).AddRange(_frontier, end, isPlain: true);
        _frontier = Math.Max(_frontier, end);
    }

    /// <summary>Whether messages that were not seen on their way in must be read before they can be delivered.</summary>
    private bool MustLook => _machine.HasSpecial || _queueSettings.MaxPriority > 0 || _queueSettings.DelayMs > 0 || CountsBytes;

    /// <summary>Whether the subscription has something to do although nothing happens.</summary>
    public bool HasBusinessOnStart => !IsInert && HasBusiness;

    private bool HasBusiness => _frontier < End || !_deadlines.IsEmpty || !_delayed.IsEmpty || _queueSettings.ExpiresAfterMs >= 0 || MayExpire;

    private ReadyLane Lane(int priority)
    {
        if (priority >= _lanes.Length) Array.Resize(ref _lanes, priority + 1);
        _topLane = Math.Max(_topLane, priority);
        return _lanes[priority] ??= new ReadyLane(Log, priority);
    }

    /// <summary>Looks at all messages anew that nobody holds and that did not come back: what is known of them was not enough.</summary>
    private void LookAgain()
    {
        foreach (var lane in _lanes) lane?.Clear();
        _leftInLane.Clear();
        _delayed.Clear();
        _expiries.Clear();
        _expirySizes.Clear();
        _waitingForTime.Clear();
        _readyBytes = 0;
        _keys?.ForgetWaiting();
        _arrivedQuietly.Clear();
        _expiryApart = long.MaxValue;
        _frontier = _gone.Prefix;
        foreach (var (offset, delay) in _delays)
            if (!_gone.Contains(offset)) AddDelayed(delay.Due, offset, offset + 1, delay.Lane);
    }

    /// <summary>
    /// Decides which messages of a batch may come. The caller holds the lock.
    /// </summary>
    /// <returns>The batch itself; another one, with fewer messages; or null for none.</returns>
    public MessageBatch? Admit(MessageBatch batch, long now, out int accepted, out List<(int Index, long Offset)>? duplicates)
    {
        duplicates = null;
        accepted = batch.Count;
        var settings = _queueSettings;
        if (settings.DeduplicationWindowMs > 0) duplicates = FindDuplicates(batch, now);
        if (settings.Overflow != Overflow.DropHead && (settings.MaxLength >= 0 || settings.MaxLengthBytes >= 0)) accepted = Room(batch, duplicates);
        return accepted == batch.Count && duplicates is null ? batch : Select(batch, accepted, duplicates);
    }

    /// <summary>The messages up to a limit that are not copies; null if there are none.</summary>
    private static MessageBatch? Select(MessageBatch batch, int limit, List<(int Index, long Offset)>? copies)
    {
        var next = 0;
        var selected = batch.Select(index =>
        {
            if (index >= limit) return false;
            if (copies is null || next == copies.Count || copies[next].Index != index) return true;
            next++;
            return false;
        });
        if (selected.Count > 0) return selected;
        selected.Dispose();
        return null;
    }

    private List<(int Index, long Offset)>? FindDuplicates(MessageBatch batch, long now)
    {
        List<(int, long)>? duplicates = null;
        Dictionary<UInt128, int>? within = null;
        var end = Log.EndOffset;
        foreach (var (index, properties) in batch.Special)
        {
            if (properties.DeduplicationId is not { } text) continue;
            var id = DeduplicationTable.Hash(text);
            var ahead = index - (duplicates?.Count ?? 0);
            if (_machine.Deduplication.TryFind(id, now, out var offset)) (duplicates ??= []).Add((index, offset));
            else if (!(within ??= []).TryAdd(id, ahead)) (duplicates ??= []).Add((index, end + within[id]));
        }
        return duplicates;
    }

    /// <summary>How many messages, from the first on, there is room for.</summary>
    private int Room(MessageBatch batch, List<(int Index, long Offset)>? duplicates)
    {
        // Dead letters that may stay take room, or there would be no end to them.
        var messages = ReadyUpTo(Log.EndOffset) + (_queueSettings.KeepsDeadLetters ? _departingOffsets.Count : 0);
        var bytes = _readyBytes;
        var sizes = new List<int>();
        if (CountsBytes) batch.ReadSizes(sizes);
        var next = 0;
        for (var index = 0; index < batch.Count; index++)
        {
            if (duplicates is not null && next < duplicates.Count && duplicates[next].Index == index)
            {
                next++;
                continue;
            }
            if (_queueSettings.MaxLength >= 0 && messages >= _queueSettings.MaxLength) return index;
            if (CountsBytes && bytes >= _queueSettings.MaxLengthBytes) return index;
            messages++;
            if (CountsBytes) bytes += sizes[index];
        }
        return batch.Count;
    }

    /// <summary>
    /// Takes in that a batch was appended. The caller holds the lock, and that of the log, and enqueues the commit.
    /// </summary>
    public void Arrived(Commit commit, long baseOffset, MessageBatch batch, long now)
    {
        if (IsInert) return;
        if (_queueSettings.DeduplicationWindowMs > 0 && batch.Special.Count > 0) Remember(commit, baseOffset, batch, now);
        var isSpecial = IsSpecial(batch);
        if (isSpecial && !_machine.HasSpecial) Emit(commit, SpecialEvent);
        // Where others have appended before, all that came since is looked at in its order.
        if (isSpecial || _frontier != baseOffset) Volatile.Write(ref _restsUntilAsked, false);
        if (_frontier != baseOffset) return;
        if (CountsBytes) _readyBytes += batch.ValueBytes;
        _frontier = baseOffset + batch.Count;
        if (!isSpecial && _queueSettings.DelayMs <= 0)
        {
            if (IsFair && batch.HasKeys) ArrivedFairly(baseOffset, batch);
            else Lane(0).AddRange(baseOffset, baseOffset + batch.Count, isPlain: true);
            if (_restsUntilAsked && Delivery.MessageLifetimeMs >= 0 && _headExpiry == long.MaxValue)
            {
                // It may be the head of its lane, and no pass looks at it now.
                _headExpiry = batch.FirstTimestamp + Delivery.MessageLifetimeMs;
                _host.Timers.Arm(this, _headExpiry);
            }
            return;
        }
        var special = batch.Special;
        var next = 0;
        var plain = new MessageProperties { Timestamp = now };
        List<int>? sizes = null;
        if (CountsBytes && Delivery.Expiry == ExpiryScope.Anywhere) batch.ReadSizes(sizes = []);
        for (var index = 0; index < batch.Count;)
        {
            if (next < special.Count && special[next].Index == index)
            {
                Place(baseOffset + index, 1, special[next++].Properties, now, sizes?[index] ?? 0);
                index++;
                continue;
            }
            var end = next < special.Count ? special[next].Index : batch.Count;
            Place(baseOffset + index, end - index, plain, now, size: 0);
            index = end;
        }
    }

    private bool IsSpecial(MessageBatch batch)
    {
        foreach (var (_, properties) in batch.Special)
            if (properties.ExpiresAt >= 0 || properties.DeliverAt >= 0 || (properties.Priority > 0 && _queueSettings.MaxPriority > 0)) return true;
        return false;
    }

    private void Remember(Commit commit, long baseOffset, MessageBatch batch, long now)
    {
        var ids = new List<(UInt128, long)>();
        foreach (var (index, properties) in batch.Special)
            if (properties.DeduplicationId is { } id) ids.Add((DeduplicationTable.Hash(id), baseOffset + index));
        if (ids.Count == 0) return;
        var buffer = new ArrayBufferWriter<byte>(32 + ids.Count * 26);
        DeduplicationTable.WriteEvent(new CompactWriter(buffer), now, now + _queueSettings.DeduplicationWindowMs, ids);
        Emit(commit, buffer.WrittenSpan);
    }

    private void Emit(Commit commit, ReadOnlySpan<byte> evt)
    {
        if (_state is not null) _state.Emit(commit, evt);
        else _machine.Apply(evt);
    }

    /// <summary>Puts messages where they belong.</summary>
    /// <param name="offset">The first.</param>
    /// <param name="count">How many, all alike.</param>
    /// <param name="properties">What is said of them.</param>
    /// <param name="now">The time.</param>
    /// <param name="size">Bytes of the value of one that has a lifetime, where they are counted.</param>
    private void Place(long offset, int count, in MessageProperties properties, long now, int size)
    {
        var due = properties.DeliverAt >= 0 ? properties.DeliverAt : _queueSettings.DelayMs > 0 ? properties.Timestamp + _queueSettings.DelayMs : -1;
        var lane = LaneOf(properties.Priority);
        if (AddExpiry(offset, count, properties, size)) due = Math.Min(due, properties.ExpiresAt);
        if (due > now) AddDelayed(due, offset, offset + count, lane);
        else if (count == 1 && _endedLeases.Count > 0 && _endedLeases.ContainsKey(offset)) Lane(lane).AddSingle(offset);
        else Lane(lane).AddRange(offset, offset + count, properties.ExpiresAt < 0);
    }

    /// <summary>
    /// A message whose lease ended before it was looked at: whoever held it may still have it once more, so it has to be found
    /// where it is.
    /// </summary>
    private void KeepLate(long offset, int lane, int size)
    {
        ref var ended = ref CollectionsMarshal.GetValueRefOrNullRef(_endedLeases, offset);
        if (!Unsafe.IsNullRef(ref ended)) ended = ended with { Lane = (byte)lane, Size = size };
    }

    /// <summary>Has messages with a lifetime of their own taken out when it is over, wherever they are.</summary>
    private bool AddExpiry(long offset, int count, in MessageProperties properties, int size)
    {
        if (properties.ExpiresAt < 0 || Delivery.Expiry != ExpiryScope.Anywhere) return false;
        _expiries.Add(properties.ExpiresAt, offset, offset + count);
        // A queue whose bytes are limited holds few enough for that.
        if (CountsBytes) _expirySizes[offset] = size;
        return true;
    }

    private int LaneOf(int priority) => Math.Clamp(priority, 0, _queueSettings.MaxPriority);

    /// <summary>Looks at messages that were not seen on their way in, as far as they were read.</summary>
    /// <returns>Whether all were looked at.</returns>
    private bool Look(long end, long now)
    {
        var scan = _scan ??= new LogCursor(Log);
        for (var looked = 0; _frontier < end; looked++)
        {
            _frontier = _gone.NextOutside(_frontier);
            if (_frontier >= end) break;
            if (looked == MaxDealt || !scan.TryMoveTo(_frontier)) return false;
            var record = scan.Current;
            var offset = record.Offset;
            if (offset > _frontier)
            {
                SettleGap(_frontier, offset);
                _frontier = offset;
                continue;
            }
            _frontier++;
            var view = scan.Read();
            var properties = SpecialHeaders.Read(view.Headers) with { Timestamp = record.Timestamp };
            ref var lease = ref CollectionsMarshal.GetValueRefOrNullRef(_leases, offset);
            if (!Unsafe.IsNullRef(ref lease))
            {
                if (CountsBytes) lease.Size = view.Value.Length;
                lease.Lane = (byte)LaneOf(properties.Priority);
                AddExpiry(offset, 1, properties, view.Value.Length);
                HoldKeyAfterRestart(offset, view.Key);
                continue;
            }
            if (_departingOffsets.Contains(offset)) continue;
            if (CountsBytes) _readyBytes += view.Value.Length;
            // Also of one that waits: whoever held it finds it in that lane when its time has come.
            if (_endedLeases.Count > 0) KeepLate(offset, LaneOf(properties.Priority), CountsBytes ? view.Value.Length : 0);
            if (_delays.TryGetValue(offset, out var delay))
            {
                _delays[offset] = (delay.Due, (byte)LaneOf(properties.Priority));
                AddExpiry(offset, 1, properties, view.Value.Length);
                continue;
            }
            Place(offset, 1, properties, now, view.Value.Length);
        }
        _scan = null;
        scan.Drop();
        return true;
    }

    /// <summary>Offsets at which there is no message, as Kafka's transactions leave them: marks, and what was aborted.</summary>
    private void SettleGap(long start, long end)
    {
        while (start < end)
        {
            var stop = Math.Min(_gone.NextInside(start), end);
            if (stop > start) SettleAs(SettleReason.Filtered, start, stop);
            start = _gone.NextOutside(stop);
        }
    }
}
