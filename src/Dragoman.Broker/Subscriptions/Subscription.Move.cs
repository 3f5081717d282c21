using Dragoman.Broker.Queues;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Purges, cumulative settling, seeks and looks: what concerns many messages at once.</summary>
internal sealed partial class Subscription
{
    public async ValueTask<SubscriptionAnswer> PurgeAsync(bool everything)
    {
        long purged;
        Task<Exception?> committed;
        lock (Gate)
        {
            if (IsOver) return new SubscriptionAnswer(OverStatus);
            if (everything)
            {
                DropLeases(long.MaxValue);
                if (_queueSettings.DeduplicationWindowMs > 0) _pending.ForgetIds(End);
            }
            purged = SettleUnheld(SettleReason.Purged, End, withDelayed: everything);
            committed = Committed();
        }
        Schedule();
        return Answer(purged, await committed);
    }

    public async ValueTask<SubscriptionAnswer> SettleUpToAsync(long offset)
    {
        long settled;
        Task<Exception?> committed;
        lock (Gate)
        {
            if (IsOver) return new SubscriptionAnswer(OverStatus);
            var end = Math.Min(offset + 1, End);
            DropLeases(end);
            settled = SettleUnheld(SettleReason.Acknowledged, end, withDelayed: true);
            committed = Committed();
        }
        Schedule();
        return Answer(settled, await committed);
    }

    /// <summary>Ends all leases of messages before an offset, without putting the messages back.</summary>
    private void DropLeases(long end)
    {
        if (_leases.Count == 0) return;
        var dropped = new List<long>();
        foreach (var offset in _leases.Keys)
            if (offset < end) dropped.Add(offset);
        foreach (var offset in dropped)
        {
            _leases.Remove(offset, out var lease);
            if (lease.Holder is { } holder) holder.Held--;
            ReleaseKey(offset);
        }
    }

    /// <summary>Settles all messages before an offset that nobody holds and that are not on their way elsewhere.</summary>
    private long SettleUnheld(SettleReason reason, long end, bool withDelayed)
    {
        var apart = new List<OffsetRange>();
        foreach (var offset in _leases.Keys) apart.Add(OffsetRange.Of(offset));
        foreach (var offset in _departingOffsets) apart.Add(OffsetRange.Of(offset));
        if (!withDelayed)
            apart.AddRange(_waitingForTime.Ranges());
        OffsetRanges.Normalize(apart);
        var settled = 0L;
        var from = _gone.Prefix;
        foreach (var range in apart)
        {
            settled += SettleAll(reason, from, Math.Min(range.Start, end));
            from = Math.Max(from, range.End);
        }
        settled += SettleAll(reason, from, end);
        _frontier = Math.Max(_frontier, _gone.Prefix);
        ForgetGone();
        return settled;
    }

    private long SettleAll(SettleReason reason, long from, long end)
    {
        var settled = 0L;
        for (from = _gone.NextOutside(from); from < end; from = _gone.NextOutside(from))
        {
            var stop = Math.Min(_gone.NextInside(from), end);
            settled += stop - from;
            SettleAs(reason, from, stop);
        }
        return settled;
    }

    /// <summary>Takes messages that are gone out of where they wait.</summary>
    private void ForgetGone()
    {
        _keys?.RemoveGone(_gone);
        for (var left = _arrivedQuietly.Count; left > 0; left--)
            if (_arrivedQuietly.Dequeue() is var arrived && !_gone.Contains(arrived.Offset)) _arrivedQuietly.Enqueue(arrived);
        foreach (var offset in _delays.Keys)
            if (_gone.Contains(offset)) _delays.Remove(offset);
        for (var at = _waitingForTime.First; at != long.MaxValue; at = _waitingForTime.NextInside(at))
        {
            var stop = Math.Min(_waitingForTime.NextOutside(at), _gone.NextInside(at));
            if (stop == at) _waitingForTime.Remove(at, stop = Math.Min(_waitingForTime.NextOutside(at), _gone.NextOutside(at)));
            at = stop;
        }
        // Their times are void, and may be many.
        if (_waitingForTime.Count == 0) _delayed.Clear();
        if (CountsBytes) LookAgain();
    }

    public async ValueTask<SubscriptionAnswer> SeekAsync(long offset)
    {
        try
        {
            await NoDeparturesAsync();
            var commit = await _host.Store.BeginAsync(IsVolatile ? CommitMode.Memory : CommitMode.Fsync, PendingBytes + 256, urgent: true, default);
            ValueTask committed;
            long concerned;
            lock (Gate)
            {
                if (_isDeparting || IsOver || offset < Log.StartOffset || offset > End)
                {
                    _host.Store.Abandon(commit);
                    if (_isDeparting) return new SubscriptionAnswer(QueueStatus.InUse, 0, "Messages are being moved out; try again.");
                    return IsOver
                        ? new SubscriptionAnswer(OverStatus)
                        : new SubscriptionAnswer(QueueStatus.OutOfRange, 0, $"Offset {offset} lies outside what is kept, which is {Log.StartOffset} to {End}. A longer replay window keeps more.");
                }
                concerned = SeekLocked(commit, offset);
                committed = EnqueueSeek(commit);
            }
            await committed;
            Schedule();
            return new SubscriptionAnswer(QueueStatus.Ok, concerned);
        }
        catch (StorageFullException full)
        {
            return Answer(0, full);
        }
        catch (StoreFailedException failed)
        {
            return Answer(0, failed);
        }
    }

    /// <summary>Waits until nothing is on its way elsewhere, so that it is not in two places afterwards.</summary>
    private async ValueTask NoDeparturesAsync()
    {
        Task<Exception?> departed;
        lock (Gate)
        {
            if (!_isDeparting) return;
            departed = Committed();
        }
        await departed;
    }

    private long SeekLocked(Commit commit, long offset)
    {
        DropLeases(long.MaxValue);
        _departing.Clear();
        _leavingAgain.Clear();
        _departingOffsets.Clear();
        NoteDeparted(_departures);
        EmitPending(commit);
        var before = _machine.Replayed;
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(16);
        var writer = new CompactWriter(buffer);
        writer.Byte(1);
        writer.Byte((byte)SubscriptionState.Kind.Seek);
        writer.Number(offset);
        Emit(commit, buffer.WrittenSpan);
        _gone = _machine.Settled.Clone();
        _counts.Clear();
        _endedLeases.Clear();
        _delays.Clear();
        _deadlines.Clear();
        _reached = offset;
        _keys?.Clear();
        LookAgain();
        return _machine.Replayed - before;
    }

    private ValueTask EnqueueSeek(Commit commit)
    {
        lock (Log.Lock)
        {
            Truncate(commit);
            return _host.Store.Enqueue(commit);
        }
    }

    public ValueTask<SubscriptionAnswer> SeekAsync(DateTimeOffset time) =>
        SeekAsync(TimeLookup.FirstAtOrAfter(Log, time.ToUnixTimeMilliseconds(), End)?.Offset ?? End);

    /// <summary>Shows messages that are not settled, without taking them.</summary>
    public ReceiveAnswer Peek(long fromOffset, int maxMessages)
    {
        var cursor = new LogCursor(Log);
        var found = DeliveryBatch.Rent();
        try
        {
            var end = End;
            var offset = Math.Max(fromOffset, Log.StartOffset);
            while (found.Count < maxMessages && offset < end)
            {
                lock (Gate)
                {
                    if (IsOver) return new ReceiveAnswer(OverStatus, null);
                    offset = _gone.NextOutside(offset);
                    while (offset < end && found.Count < maxMessages && cursor.TryMoveTo(offset))
                    {
                        var record = cursor.Current;
                        if (record.Offset >= end) break;
                        if (!_gone.Contains(record.Offset))
                            found.Add(new Delivery(record.Offset, CountOf(record.Offset), 0, record.Timestamp, record.Size), cursor.Buffer, record.Position);
                        offset = _gone.NextOutside(record.Offset + 1);
                    }
                }
                if (offset >= end || found.Count == maxMessages) break;
                if (!cursor.FillStable(offset, FillBytes)) break;
                if (!cursor.TryMoveTo(offset)) offset = Math.Max(cursor.NextOffset, offset + 1);
            }
            if (found.Count > 0) return new ReceiveAnswer(QueueStatus.Ok, found);
        }
        finally
        {
            cursor.Drop();
        }
        found.Dispose();
        return new ReceiveAnswer(QueueStatus.Ok, null);
    }
}
