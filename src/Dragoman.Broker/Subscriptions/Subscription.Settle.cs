using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Queues;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Takes messages back from those who hold them, and commits what was settled.</summary>
internal sealed partial class Subscription
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _eventBuffer;

    private List<TaskCompletionSource<Exception?>> _waiting = [];
    private bool _isCommitting;

    public int Settle(Consumer consumer, Settlement settlement, ReadOnlySpan<OffsetRange> offsets)
    {
        int settled;
        lock (Gate)
        {
            if (_isDeleted) return 0;
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
            if (_isDeleted) return new SubscriptionAnswer(QueueStatus.NotFound);
            settled = SettleLocked(consumer, settlement, offsets.Span);
            committed = Committed();
        }
        Schedule();
        return Answer(settled, await committed);
    }

    private static SubscriptionAnswer Answer(long count, Exception? failure) => failure switch
    {
        null => new SubscriptionAnswer(QueueStatus.Ok, count),
        StorageFullException full => new SubscriptionAnswer(QueueStatus.Full, count, full.Message),
        _ => new SubscriptionAnswer(QueueStatus.StorageError, count, failure.Message),
    };

    /// <summary>Completes when everything settled so far is committed, with null or with what went wrong.</summary>
    private Task<Exception?> Committed()
    {
        var waiter = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Add(waiter);
        return waiter.Task;
    }

    private int SettleLocked(Consumer consumer, Settlement settlement, ReadOnlySpan<OffsetRange> offsets)
    {
        var settled = 0;
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
                switch (settlement)
                {
                    case Settlement.Acknowledge:
                        _pending.Add(SettleReason.Acknowledged, offset, offset + 1);
                        break;
                    case Settlement.Return:
                        Return(offset, lease, isCounted: true);
                        break;
                    case Settlement.Release:
                        Return(offset, lease, isCounted: false);
                        break;
                    default:
                        _pending.Add(SettleReason.Dropped, offset, offset + 1);
                        break;
                }
            }
        }
        consumer.Held -= settled;
        return settled;
    }

    /// <summary>Puts a message back in its place.</summary>
    private void Return(long offset, in Lease lease, bool isCounted)
    {
        var count = isCounted ? lease.Count : lease.Count - 1;
        if (!isCounted) _pending.Count(offset, count);
        _returned.Enqueue(new Returned(offset, count), offset);
    }

    public async ValueTask<SubscriptionAnswer> PurgeAsync(bool everything)
    {
        long purged;
        Task<Exception?> committed;
        lock (Gate)
        {
            if (_isDeleted) return new SubscriptionAnswer(QueueStatus.NotFound);
            purged = PurgeLocked(everything);
            committed = Committed();
        }
        Schedule();
        return Answer(purged, await committed);
    }

    private long PurgeLocked(bool everything)
    {
        if (everything)
        {
            foreach (var lease in _leases.Values)
                if (lease.Holder is { } holder) holder.Held--;
            _leases.Clear();
        }
        // What is held, or about to be settled, is not ready.
        var apart = new List<OffsetRange>(_leases.Count);
        foreach (var offset in _leases.Keys) apart.Add(OffsetRange.Of(offset));
        _pending.CopyTo(apart);
        apart.Sort(static (a, b) => a.Start.CompareTo(b.Start));
        var before = _pending.Messages;
        var end = End;
        var from = _machine.Settled.Prefix;
        foreach (var range in apart)
        {
            Purge(from, Math.Min(range.Start, end));
            from = Math.Max(from, range.End);
        }
        Purge(from, end);
        _returned.Clear();
        _next = Math.Max(_next, end);
        return _pending.Messages - before;
    }

    private void Purge(long from, long end)
    {
        while (true)
        {
            from = _machine.Settled.NextOutside(from);
            if (from >= end) return;
            var stop = Math.Min(_machine.Settled.NextInside(from), end);
            _pending.Add(SettleReason.Purged, from, stop);
            from = stop;
        }
    }

    /// <summary>Starts the commit of what was settled and delivered, unless one is under way: what comes meanwhile is the next one's.</summary>
    private void StartCommit()
    {
        lock (Gate)
        {
            if (_isCommitting || _isDeleted) return;
            if (_pending.IsEmpty && _reached <= _machine.Reached && _waiting.Count == 0) return;
            _isCommitting = true;
        }
        _ = CommitAsync();
    }

    /// <summary>Commits what was settled so far. It does not throw: those who wait hear of errors.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "The error goes to those who wait for the commit.")]
    private async Task CommitAsync()
    {
        List<TaskCompletionSource<Exception?>>? waiting = null;
        Exception? failure = null;
        try
        {
            ValueTask committed;
            while (true)
            {
                long bytes;
                CommitMode mode;
                lock (Gate)
                {
                    bytes = 2L * _pending.MaxBytes;
                    mode = Log.IsVolatile ? CommitMode.Memory : _waiting.Count > 0 ? CommitMode.Fsync : CommitMode.Written;
                }
                // It frees more than it takes, so it may run on a full disk.
                var commit = await _host.Store.BeginAsync(mode, bytes, urgent: true, default);
                lock (Gate)
                {
                    if (!_isDeleted && _pending.MaxBytes > bytes)
                    {
                        // More has come meanwhile than was asked for.
                        _host.Store.Abandon(commit);
                        continue;
                    }
                    (waiting, _waiting) = (_waiting, []);
                    committed = EnqueueLocked(commit);
                }
                break;
            }
            await committed;
        }
        catch (Exception error)
        {
            failure = error;
        }
        lock (Gate)
        {
            if (waiting is null) (waiting, _waiting) = (_waiting, []);
            _isCommitting = false;
        }
        foreach (var waiter in waiting) waiter.TrySetResult(failure);
        if (failure is null) Schedule();
    }

    private ValueTask EnqueueLocked(Commit commit)
    {
        if (_isDeleted)
        {
            _host.Store.Abandon(commit);
            return ValueTask.CompletedTask;
        }
        var evt = _eventBuffer ??= new ArrayBufferWriter<byte>(256);
        evt.ResetWrittenCount();
        _pending.Take(_reached, evt);
        if (_state is not null) _state.Emit(commit, evt.WrittenSpan);
        else _machine.Apply(evt.WrittenSpan);
        lock (Log.Lock)
        {
            // What is settled from the start on is given up; so what is settled soon is never copied by a checkpoint.
            if (!Log.IsBeingDeleted) Log.AdvanceStart(commit, Math.Min(_machine.Settled.Prefix, Log.HighWatermark));
            return _host.Store.Enqueue(commit);
        }
    }
}
