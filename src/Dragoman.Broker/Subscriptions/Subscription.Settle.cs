using Dragoman.Broker.Messages;
using Dragoman.Broker.Statistics;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Takes messages back from those who hold them.</summary>
internal sealed partial class Subscription
{
    private readonly Queue<Departure> _departing = new();
    private readonly HashSet<long> _departingOffsets = [];

    /// <summary>Messages that leave and are in a lane still.</summary>
    private readonly HashSet<long> _leftInLane = [];

    public int Settle(Consumer consumer, Settlement settlement, ReadOnlySpan<OffsetRange> offsets)
    {
        int settled;
        lock (Gate)
        {
            if (IsOver) return 0;
            settled = SettleLocked(consumer, settlement, offsets);
        }
        Schedule();
        return settled;
    }

    public async ValueTask<SubscriptionAnswer> SettleAsync(Consumer consumer, Settlement settlement, ReadOnlyMemory<OffsetRange> offsets)
    {
        int settled;
        Task<Exception?> committed;
        lock (Gate)
        {
            if (IsOver) return new SubscriptionAnswer(OverStatus);
            settled = SettleLocked(consumer, settlement, offsets.Span);
            committed = Committed();
        }
        Schedule();
        return Answer(settled, await committed);
    }

    public async ValueTask<SubscriptionAnswer> SettleAsync(Settlement settlement, ReadOnlyMemory<LeaseToken> leases, TimeSpan? delay)
    {
        var settled = 0;
        Task<Exception?> committed;
        lock (Gate)
        {
            if (IsOver) return new SubscriptionAnswer(OverStatus);
            var now = _host.Now;
            foreach (var token in leases.Span)
            {
                if (!_leases.TryGetValue(token.Offset, out var lease) || !IsHeldBy(lease, token))
                {
                    if (TrySettleLate(settlement, token)) settled++;
                    continue;
                }
                // Where keys keep order a lease is over when its time is, whether or not anybody has looked yet.
                if (Delivery.Dispatch == DispatchMode.ByKey && lease.Deadline <= now) continue;
                _leases.Remove(token.Offset);
                TakeBack(token.Offset, lease, settlement, delay is { } time ? Math.Max(0, (long)time.TotalMilliseconds) : -1, now);
                settled++;
            }
            committed = Committed();
        }
        RunOrSchedule();
        return Answer(settled, await committed);
    }

    /// <summary>
    /// Settles a message whose lease is over, if nobody has had it since: whoever is late with it has done the work, and
    /// the message waits in its place for nothing. One that is to go back is back already.
    /// </summary>
    private bool TrySettleLate(Settlement settlement, LeaseToken token)
    {
        if (settlement == Settlement.Reject || !IsLate(token, out var last)) return false;
        if (settlement != Settlement.Acknowledge) return true;
        _readyBytes -= last.Size;
        _keys?.Unblock(token.Offset);
        SettleAs(SettleReason.Acknowledged, token.Offset, token.Offset + 1);
        return true;
    }

    /// <summary>Whether a lease is over, and its message ready again, with nobody having had it since.</summary>
    private bool IsLate(LeaseToken token, out EndedLease last)
    {
        last = default;
        var offset = token.Offset;
        return Delivery.Dispatch != DispatchMode.ByKey && _endedLeases.TryGetValue(offset, out last) && last.Number == token.Lease
            && offset < _frontier && !_gone.Contains(offset) && !_departingOffsets.Contains(offset) && !_waitingForTime.Contains(offset);
    }

    private static bool IsHeldBy(in Lease lease, LeaseToken token) => lease.Holder is null && !lease.IsCooling && (lease.Number == token.Lease || token.Lease == LeaseToken.Any);

    public async ValueTask<SubscriptionAnswer> ExtendAsync(ReadOnlyMemory<LeaseToken> leases, TimeSpan time)
    {
        var extended = 0;
        Task<Exception?> committed;
        lock (Gate)
        {
            if (IsOver) return new SubscriptionAnswer(OverStatus);
            var deadline = _host.Now + Math.Max(0, (long)time.TotalMilliseconds);
            foreach (var token in leases.Span)
            {
                if (!_leases.TryGetValue(token.Offset, out var lease) || !IsHeldBy(lease, token))
                {
                    if (!IsLate(token, out var last)) continue;
                    // It is taken out of its lane, and is its late holder's once more.
                    if (_keys is null || !_keys.Unblock(token.Offset)) Lane(last.Lane).RemoveSingle(token.Offset);
                    _readyBytes -= last.Size;
                    _endedLeases.Remove(token.Offset);
                    lease = new Lease { Number = token.Lease, Count = CountOf(token.Offset), Size = last.Size, Lane = last.Lane };
                }
                else if (Delivery.Dispatch == DispatchMode.ByKey && lease.Deadline <= _host.Now)
                {
                    continue;
                }
                lease.Deadline = deadline;
                _leases[token.Offset] = lease;
                _deadlines.Add(deadline, token.Offset, token.Offset + 1);
                if (_state is not null) _pending.Lease(lease.Number, deadline, [OffsetRange.Of(token.Offset)]);
                extended++;
            }
            committed = Committed();
        }
        RunOrSchedule();
        return Answer(extended, await committed);
    }

    private int SettleLocked(Consumer consumer, Settlement settlement, ReadOnlySpan<OffsetRange> offsets)
    {
        var settled = 0;
        var now = settlement == Settlement.Acknowledge ? 0 : _host.Now;
        foreach (var range in offsets)
        {
            for (var offset = range.Start; offset < range.End; offset++)
            {
                if (!_leases.Remove(offset, out var lease)) continue;
                if (lease.Holder != consumer)
                {
                    _leases.Add(offset, lease);
                    continue;
                }
                settled++;
                TakeBack(offset, lease, settlement, delayMs: -1, now);
            }
        }
        consumer.Held -= settled;
        return settled;
    }

    /// <summary>A message that was held is settled, goes back or leaves.</summary>
    private void TakeBack(long offset, in Lease lease, Settlement settlement, long delayMs, long now)
    {
        switch (settlement)
        {
            case Settlement.Acknowledge:
                _counters.AddAlone(MessageCounter.Ack, 1);
                SettleAs(SettleReason.Acknowledged, offset, offset + 1);
                ReleaseKey(offset);
                break;
            case Settlement.Return:
                Return(offset, lease, isCounted: true, delayMs, now, isGivenBack: true);
                break;
            case Settlement.Release:
                Return(offset, lease, isCounted: false, delayMs, now);
                break;
            default:
                Leave(offset, DeathReason.Rejected);
                ReleaseKey(offset);
                break;
        }
    }

    /// <summary>Puts a message back in its place, at once or when its time has come; or sends it away if it was delivered too often.</summary>
    /// <param name="offset">The message.</param>
    /// <param name="lease">Who held it.</param>
    /// <param name="isCounted">Whether the delivery counts.</param>
    /// <param name="delayMs">How long it waits; -1 for what the settings say.</param>
    /// <param name="now">The time.</param>
    /// <param name="isGivenBack">Whether its consumer gave it back, and did not only go.</param>
    private void Return(long offset, in Lease lease, bool isCounted, long delayMs, long now, bool isGivenBack = false)
    {
        if (!isCounted)
        {
            SetCount(offset, lease.Count - 1);
        }
        else if (Delivery.MaxDeliveries >= 0 && lease.Count >= Delivery.MaxDeliveries)
        {
            Leave(offset, DeathReason.DeliveryLimit);
            ReleaseKey(offset);
            return;
        }
        if (lease.Number > 0) _endedLeases[offset] = new EndedLease(lease.Number, lease.Size, lease.Lane);
        var wait = delayMs >= 0 ? delayMs : isCounted ? BackOff(lease.Count, isGivenBack) : 0;
        if (wait == 0)
        {
            if (lease.Number > 0 && _state is not null) _pending.Return(offset);
            BackInLane(offset, lease);
            return;
        }
        var due = now + wait;
        if (_state is not null) _pending.Delay(due, offset);
        if (Delivery.Dispatch == DispatchMode.ByKey)
        {
            // Its key stays taken: nothing of the key may overtake it.
            _leases.Add(offset, lease with { Holder = null, Number = 0, IsCooling = true, Deadline = due });
            _deadlines.Add(due, offset, offset + 1);
            _keys?.Cool(offset);
            return;
        }
        ReleaseKey(offset);
        _readyBytes += lease.Size;
        _delays[offset] = (due, lease.Lane);
        AddDelayed(due, offset, offset + 1, lease.Lane);
    }

    private void BackInLane(long offset, in Lease lease)
    {
        // What was not looked at yet is put in its lane then, and must not be in one twice.
        if (offset < _frontier)
        {
            _readyBytes += lease.Size;
            if (TryReturnToKey(offset, lease)) return;
            Lane(lease.Lane).AddSingle(offset);
        }
        ReleaseKey(offset);
    }

    private long BackOff(int count, bool isGivenBack)
    {
        var least = Delivery.MinBackOffMs;
        if (least <= 0) return 0;
        if (Delivery.BackOffScope is not BackOffScope.All and var scope && scope != (isGivenBack ? BackOffScope.Returned : BackOffScope.Failed)) return 0;
        var wait = Delivery.BackOff == BackOffGrowth.Linear ? least * count : least << Math.Min(count - 1, 40);
        if (wait < 0) wait = long.MaxValue >> 8;
        return Delivery.MaxBackOffMs > 0 ? Math.Min(wait, Delivery.MaxBackOffMs) : wait;
    }

    /// <summary>A message that is in no lane any more leaves the subscription.</summary>
    private void Leave(long offset, DeathReason reason)
    {
        if (Delivery.DeadLetter is null || (reason == DeathReason.Expired && !Delivery.DeadLetter.TakesExpired))
        {
            SettleAs(reason == DeathReason.Expired ? SettleReason.Expired : SettleReason.Dropped, offset, offset + 1);
            return;
        }
        _departures++;
        _departing.Enqueue(new Departure(offset, reason, CountOf(offset)));
        _departingOffsets.Add(offset);
    }
}
