namespace Dragoman.Broker.Subscriptions;

/// <summary>Messages that a consumer holds and that another queue takes over. The caller holds the lock.</summary>
internal sealed partial class Subscription
{
    /// <summary>Whether a consumer holds all of some messages still.</summary>
    public bool HoldsAll(Consumer consumer, IReadOnlyList<long> offsets)
    {
        if (IsOver) return false;
        foreach (var offset in offsets)
            if (!_leases.TryGetValue(offset, out var lease) || lease.Holder != consumer) return false;
        return true;
    }

    /// <summary>They are settled with the commit that the caller enqueues, and in which another queue has them.</summary>
    public void MoveOut(Consumer consumer, IReadOnlyList<long> offsets)
    {
        foreach (var offset in offsets)
        {
            _leases.Remove(offset);
            consumer.Held--;
            SettleAs(SettleReason.MovedOut, offset, offset + 1);
            ReleaseKey(offset);
        }
    }

    /// <summary>As <see cref="MoveOut"/>, for messages that another queue has already; completes when that is committed.</summary>
    public async ValueTask<SubscriptionAnswer> MoveOutAsync(Consumer consumer, IReadOnlyList<long> offsets)
    {
        Task<Exception?> committed;
        lock (Gate)
        {
            if (IsOver) return new SubscriptionAnswer(Queues.QueueStatus.NotFound);
            // What was purged meanwhile is gone anyway.
            MoveOut(consumer, [.. offsets.Where(o => _leases.TryGetValue(o, out var lease) && lease.Holder == consumer)]);
            committed = Committed();
        }
        Schedule();
        return Answer(offsets.Count, await committed);
    }

    /// <summary>Puts what a consumer holds back in its place, as if it had not been delivered.</summary>
    public void ReleaseAll(Consumer consumer)
    {
        lock (Gate)
        {
            if (IsOver || consumer.Held == 0) return;
            var held = new List<(long Offset, Lease Lease)>(consumer.Held);
            foreach (var (offset, lease) in _leases)
                if (lease.Holder == consumer) held.Add((offset, lease));
            foreach (var (offset, lease) in held)
            {
                _leases.Remove(offset);
                Return(offset, lease, isCounted: false, delayMs: -1, _host.Now);
            }
            consumer.Held = 0;
        }
        Schedule();
    }
}
