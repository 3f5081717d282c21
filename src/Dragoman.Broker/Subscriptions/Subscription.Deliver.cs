using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Hands messages out.</summary>
internal sealed partial class Subscription
{
    private const int FillBytes = 64 << 10;
    private const int SmallFillBytes = 8 << 10;
    private const int MaxDealt = 1024;
    private const int MaxRounds = 64;
    private const int MaxLoads = 256;
    private const int RetryMs = 1000;

    private readonly LogCursor _single;
    private readonly List<Consumer> _outgoing = [];
    private readonly List<ReceiveRequest> _answered = [];
    private readonly List<OffsetRange> _leased = [];

    /// <summary>Messages before this one have been offered to all who had credit when they came. Belongs to the pass.</summary>
    private long _passed;

    /// <summary>What a round of a pass needs next: messages read by a cursor, from an offset on, or just another turn.</summary>
    private readonly record struct Need(LogCursor? Cursor, long Offset)
    {
        public static Need Nothing { get; } = new(null, -1);

        public static Need Turn { get; } = new(null, 0);

        public bool IsNothing => Offset < 0;
    }

    /// <summary>Takes in what is new and due, and hands out what there is.</summary>
    private void Pass()
    {
        var now = _host.Now;
        for (var loads = 0; LoadDue() && loads < MaxLoads; loads++)
            lock (Gate) TakeDue(now);
        for (var round = 0; ; round++)
        {
            Need need;
            long end;
            int fill;
            lock (Gate)
            {
                if (_isDeleted) return;
                end = End;
                if (round == 0)
                {
                    // Not from before the lock: whoever asked meanwhile is told of nothing older than the question.
                    now = _host.Now;
                    if (!_isStopping) TakeDue(now);
                }
                need = _isStopping ? Need.Nothing : _frontier < end && !Look(end, now) ? new Need(_scan, _frontier) : Deal(end, now);
                fill = _ring.Current is { Credit: < 32 } ? SmallFillBytes : FillBytes;
            }
            Push();
            if (need.IsNothing)
            {
                _passed = end;
                break;
            }
            if (round == MaxRounds)
            {
                Schedule();
                break;
            }
            if (need.Cursor is not null && !need.Cursor.TryMoveTo(need.Offset)) Read(need.Cursor, need.Offset, end, fill);
        }
        KeepWindow(now);
        lock (Gate)
        {
            if (_isDeleted) return;
            if (_consumers.Count == 0) DropBuffers();
            var due = _isStopping ? long.MaxValue : NextDue(now);
            var rests = RestsUntilAsked;
            Volatile.Write(ref _restsUntilAsked, rests);
            // What was committed since this pass looked, by somebody who still saw it rest, is seen by another one.
            Interlocked.MemoryBarrier();
            if (due <= now || (!rests && !_isStopping && End > _passed)) Schedule();
            else if (due != long.MaxValue) _host.Timers.Arm(this, due);
        }
        StartSpills();
        StartCommit();
        StartDepartures();
    }

    /// <summary>
    /// Nobody wants messages, and none has to be looked at for its own sake before somebody does. Those whose commit is under
    /// way, or has ended since the pass looked, do have to: this pass has not seen them, and they saw no rest.
    /// </summary>
    private bool RestsUntilAsked =>
        _receives.Count == 0 && _ring.IsEmpty && _frontier == _passed && !MustLook && !MayDropHeads && Delivery.ReplayWindowMs <= 0;

    private bool MayDropHeads => _queueSettings.Overflow == Overflow.DropHead && (_queueSettings.MaxLength >= 0 || CountsBytes);

    private void Read(LogCursor cursor, long offset, long end, int bytes)
    {
        cursor.FillStable(offset, cursor == _single ? 1 : cursor == _aside ? SmallFillBytes : bytes);
        if (cursor.TryMoveTo(offset)) return;
        // Nothing but the marks of transactions, and what aborted ones wrote: they are no messages.
        lock (Gate)
        {
            if (!_isDeleted && cursor.NextOffset > offset) SettleGap(offset, Math.Min(cursor.NextOffset, end));
        }
    }

    private void DropBuffers()
    {
        _single.Drop();
        _aside?.Drop();
        foreach (var lane in _lanes) lane?.Cursor.Drop();
    }

    /// <summary>Hands out messages that were read, until there is no demand or nothing more was read.</summary>
    private Need Deal(long end, long now)
    {
        if (_arrivedQuietly.Count > 0) TakeArrivedQuietly(end);
        for (var dealt = 0; dealt < MaxDealt; dealt++)
        {
            SkipAnswered();
            var request = _receives.Count > 0 ? _receives.Peek() : null;
            var consumer = request is null ? _ring.Current : request.Consumer;
            if (request is null && consumer is null) return Trim(end, now);
            var lane = Top(end, out var offset, out var isSingle, out var isPlain);
            if (!isSingle && Delivery.Dispatch == DispatchMode.ByKey && _keys?.Waiting >= Delivery.MaxLookAhead) lane = null;
            if (IsFair && TryFair(lane, offset, isSingle, isPlain, now, request, consumer, out var need))
            {
                if (!need.IsNothing) return need;
                continue;
            }
            if (Delivery.Dispatch == DispatchMode.ByKey && TryTurn(request, lane is null ? long.MaxValue : offset, isSingle, out var waiting))
            {
                need = DealWaiting(waiting, request, consumer, now);
                if (!need.IsNothing) return need;
                continue;
            }
            if (lane is null)
            {
                AnswerReceives();
                return Trim(end, now);
            }
            var cursor = isSingle ? _single : lane.Cursor;
            if (!cursor.TryMoveTo(offset)) return new Need(cursor, offset);
            if (cursor.Current.Offset != offset)
            {
                SettleGap(offset, isSingle ? offset + 1 : Math.Min(cursor.Current.Offset, end));
                continue;
            }
            lane.Take(isSingle);
            if (ResolveLeave(cursor, isPlain, now)) continue;
            if (Delivery.Dispatch == DispatchMode.ByKey)
            {
                if (!TryKey(cursor, request, ref consumer)) continue;
            }
            else if (IsFair)
            {
                HoldFair(cursor);
            }
            Hand(consumer, request, cursor, lane, now);
        }
        return Need.Turn;
    }

    /// <summary>The lane with the most urgent message that can be delivered; null if there is none.</summary>
    private ReadyLane? Top(long end, out long offset, out bool isSingle, out bool isPlain)
    {
        for (var priority = _topLane; priority >= 0; priority--)
        {
            var lane = priority < _lanes.Length ? _lanes[priority] : null;
            if (lane is not null && TryPeek(lane, out offset, out isSingle, out isPlain))
            {
                if (offset < end) return lane;
                continue;
            }
            if (priority == _topLane && priority > 0) _topLane--;
        }
        (offset, isSingle, isPlain) = (-1, false, false);
        return null;
    }

    /// <summary>Finds the first message of a lane; those that left although they were in it are taken out now.</summary>
    private bool TryPeek(ReadyLane lane, out long offset, out bool isSingle, out bool isPlain)
    {
        while (lane.TryPeek(_gone, out offset, out isSingle, out isPlain))
        {
            if (_leftInLane.Count == 0 || !_leftInLane.Remove(offset)) return true;
            lane.Take(isSingle);
        }
        return false;
    }

    /// <summary>
    /// Settles, or sends away, a message that is not to be delivered: its time is up, it was delivered too often, or it is
    /// filtered out. It has been taken out of its lane.
    /// </summary>
    private bool ResolveLeave(LogCursor cursor, bool isPlain, long now)
    {
        var record = cursor.Current;
        if (MayExpire && ExpiryOf(cursor, isPlain) is var expiry && expiry <= now && !IsNowOrNever(record, expiry)) Leave(record.Offset, DeathReason.Expired);
        else if (Delivery.MaxDeliveries >= 0 && CountOf(record.Offset) >= Delivery.MaxDeliveries) Leave(record.Offset, DeathReason.DeliveryLimit);
        else if (Delivery.Filter is { } filter && !filter.Matches(cursor.Read().Headers)) SettleAs(SettleReason.Filtered, record.Offset, record.Offset + 1);
        else return false;
        Uncount(cursor);
        ReleaseKey(record.Offset);
        return true;
    }

    /// <summary>Whether a message without any time to live has just come in: whoever has credit may still have it.</summary>
    private bool IsNowOrNever(in CursorRecord record, long expiry) => expiry == record.Timestamp && record.Offset >= _passed;

    /// <summary>A ready message is not ready any more.</summary>
    private void Uncount(LogCursor cursor)
    {
        if (CountsBytes) _readyBytes -= cursor.Read().Value.Length;
    }

    private void Hand(Consumer? consumer, ReceiveRequest? request, LogCursor cursor, ReadyLane lane, long now)
    {
        var record = cursor.Current;
        var offset = record.Offset;
        var size = CountsBytes ? cursor.Read().Value.Length : 0;
        _readyBytes -= size;
        var count = CountOf(offset) + 1;
        var number = 0L;
        Count(consumer, request, count);
        if (consumer is { Options.AutoAcknowledge: true })
        {
            SettleAs(SettleReason.Acknowledged, offset, offset + 1);
            ReleaseKey(offset);
        }
        else
        {
            var deadline = 0L;
            if (consumer is null)
            {
                number = request!.Number;
                if (number == 0) request.Number = number = ++_nextLease;
                deadline = now + request.LeaseMs;
                _deadlines.Add(deadline, offset, offset + 1);
                request.Deadline = deadline;
            }
            else
            {
                consumer.Held++;
            }
            if (_endedLeases.Count > 0) _endedLeases.Remove(offset);
            _leases.Add(offset, new Lease { Holder = consumer, Number = number, Deadline = deadline, Count = count, Size = size, Lane = (byte)lane.Priority });
            SetCount(offset, _host.Defects.CountTwice && count > 1 ? count + 1 : count);
        }
        var delivery = new Delivery(offset, count, number, record.Timestamp, record.Size);
        if (request is not null)
        {
            (request.Deliveries ??= DeliveryBatch.Rent()).Add(delivery, cursor.Buffer, record.Position);
            if (request.Deliveries.Count < request.MaxMessages) return;
            _receives.Dequeue();
            Finish(request);
            return;
        }
        if (consumer!.Outgoing is null)
        {
            consumer.Outgoing = DeliveryBatch.Rent();
            _outgoing.Add(consumer);
        }
        consumer.Outgoing.Add(delivery, cursor.Buffer, record.Position);
        consumer.Spend(record.Size);
        if (!consumer.HasCredit) _ring.Remove(consumer);
        else if (consumer == _ring.Current) _ring.Turn();
    }

    private void Count(Consumer? consumer, ReceiveRequest? request, int count)
    {
        var settles = consumer is not { Options.AutoAcknowledge: true };
        var counter = request is null ? settles ? MessageCounter.Deliver : MessageCounter.DeliverNoAck : settles ? MessageCounter.Get : MessageCounter.GetNoAck;
        _counters.AddAlone(counter, 1);
        if (count > 1) _counters.AddAlone(MessageCounter.Redeliver, 1);
    }

    /// <summary>Nothing is ready: those who asked for what there is get what they have, and those who have nothing may wait.</summary>
    private void AnswerReceives()
    {
        for (var left = _receives.Count; left > 0; left--)
        {
            var request = _receives.Dequeue();
            if (request.IsAnswered) continue;
            if (request.Deliveries is null && request.WaitUntil > 0) _receives.Enqueue(request);
            else Finish(request);
        }
    }

    /// <summary>A request has what it gets.</summary>
    private void Finish(ReceiveRequest request)
    {
        request.IsAnswered = true;
        if (request.Deliveries is null) _counters.AddAlone(MessageCounter.GetEmpty, 1);
        if (request.Consumer is null && request.Deliveries is { } deliveries && _state is not null)
        {
            _leased.Clear();
            for (var i = 0; i < deliveries.Count; i++) OffsetRanges.Add(_leased, deliveries[i].Offset);
            OffsetRanges.Normalize(_leased);
            if (!_host.Defects.LoseLeases) _pending.Lease(request.Number, request.Deadline, _leased);
        }
        _answered.Add(request);
    }

    /// <summary>Lets the consumers have what was handed out to them, without the lock.</summary>
    private void Push()
    {
        foreach (var consumer in _outgoing)
        {
            var deliveries = consumer.Outgoing!;
            consumer.Outgoing = null;
            consumer.Sink.OnDeliveries(consumer, deliveries);
        }
        _outgoing.Clear();
        foreach (var request in _answered)
        {
            if (!request.Answer.TrySetResult(new ReceiveAnswer(QueueStatus.Ok, request.Deliveries))) request.Deliveries?.Dispose();
        }
        _answered.Clear();
    }

    /// <summary>
    /// Takes messages out that are too many, or whose time is up at the head of a lane, although nobody asks for any.
    /// </summary>
    private Need Trim(long end, long now)
    {
        while (true)
        {
            // First what has expired: what is left may be no longer too many. Behind what is dropped there may be more of that.
            if (MayExpire && ExpireHeads(end, now) is { IsNothing: false } toExpire) return toExpire;
            if (_queueSettings.Overflow != Overflow.DropHead || !IsTooLong(end)) return Need.Nothing;
            if (DropHeads(end) is { IsNothing: false } toDrop) return toDrop;
            if (!MayExpire || IsTooLong(end)) return Need.Nothing;
        }
    }

    private Need ExpireHeads(long end, long now)
    {
        PutBackExpired(now);
        _headExpiry = long.MaxValue;
        foreach (var lane in _lanes)
        {
            while (lane is not null && TryPeek(lane, out var offset, out var isSingle, out var isPlain) && offset < end)
            {
                if (isPlain && Delivery.MessageLifetimeMs < 0) break;
                if (lane.Checked.Offset != offset)
                {
                    var cursor = isSingle ? _single : lane.Cursor;
                    if (!cursor.TryMoveTo(offset)) return new Need(cursor, offset);
                    if (cursor.Current.Offset != offset)
                    {
                        SettleGap(offset, isSingle ? offset + 1 : Math.Min(cursor.Current.Offset, end));
                        continue;
                    }
                    var expiry = ExpiryOf(cursor, isPlain);
                    if (expiry <= now)
                    {
                        lane.Take(isSingle);
                        Uncount(cursor);
                        Leave(offset, DeathReason.Expired);
                        ReleaseKey(offset);
                        continue;
                    }
                    lane.Checked = (offset, expiry);
                }
                else if (lane.Checked.ExpiresAt <= now)
                {
                    // Its time is up now: read it once more.
                    lane.Checked = (-1, 0);
                    continue;
                }
                _headExpiry = Math.Min(_headExpiry, lane.Checked.ExpiresAt);
                break;
            }
        }
        return Need.Nothing;
    }

    private bool IsTooLong(long end) =>
        (_queueSettings.MaxLength >= 0 && ReadyUpTo(end) > _queueSettings.MaxLength)
        || (CountsBytes && _readyBytes > _queueSettings.MaxLengthBytes);

    private Need DropHeads(long end)
    {
        for (var dropped = 0; IsTooLong(end); dropped++)
        {
            if (dropped == MaxDealt) return Need.Turn;
            var lane = Top(end, out var offset, out var isSingle, out _);
            // Those that wait for their keys stay; those that were only set aside go before what is behind them.
            var aside = _keys is not null && _keys.TryPeekTurn(out _, out _, out var turn) ? turn : long.MaxValue;
            if (lane is null && aside == long.MaxValue) break;
            if (lane is null || aside < offset)
            {
                if (!_single.TryMoveTo(aside)) return new Need(_single, aside);
                var key = _keys!.Take(aside);
                if (_single.Current.Offset == aside)
                {
                    Uncount(_single);
                    Leave(aside, DeathReason.MaxLength);
                }
                else
                {
                    SettleGap(aside, aside + 1);
                }
                _keys.GiveTurn(key);
                continue;
            }
            if (!isSingle && !CountsBytes && Delivery.DeadLetter is null)
            {
                // Nobody needs to know what it is.
                var stop = lane.TakeRun(_gone, offset, Math.Min(ReadyUpTo(end) - _queueSettings.MaxLength, end - offset));
                SettleAs(SettleReason.Dropped, offset, stop);
                continue;
            }
            if (CountsBytes)
            {
                var cursor = isSingle ? _single : lane.Cursor;
                if (!cursor.TryMoveTo(offset)) return new Need(cursor, offset);
                if (cursor.Current.Offset != offset)
                {
                    SettleGap(offset, isSingle ? offset + 1 : Math.Min(cursor.Current.Offset, end));
                    continue;
                }
                Uncount(cursor);
            }
            lane.Take(isSingle);
            Leave(offset, DeathReason.MaxLength);
            ReleaseKey(offset);
        }
        return Need.Nothing;
    }
}
