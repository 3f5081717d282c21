using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Journal;

/// <summary>
/// Admission: a commit begins only when disk space for it is reserved and not too much is under way. So a full disk
/// refuses before an offset is given out, and slow disks slow publishers instead of filling memory.
/// </summary>
/// <param name="maxPendingBytes">How much may be under way.</param>
/// <param name="reserve">Kept back for commits that free space or end the store: a full disk must not keep itself full.</param>
public sealed class SpaceBudget(long maxPendingBytes, long reserve)
{
    private readonly Lock _lock = new();
    private readonly Queue<Waiter> _waiters = new();
    private long _space;
    private bool _held;
    private long _pending;
    private string? _full;
    private Exception? _failure;

    private sealed class Waiter(long cost, bool urgent)
    {
        public readonly long Cost = cost;
        public readonly bool Urgent = urgent;
        public readonly TaskCompletionSource Admitted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Called, with no lock held, when more space should be reserved.</summary>
    internal Action? NeedsSpace { get; set; }

    /// <summary>The largest cost that somebody waits for; 0 if nobody waits.</summary>
    internal long LargestWaiting
    {
        get
        {
            lock (_lock)
            {
                var largest = 0L;
                foreach (var waiter in _waiters)
                    if (!waiter.Admitted.Task.IsCompleted) largest = Math.Max(largest, waiter.Cost);
                return largest;
            }
        }
    }

    /// <summary>Bytes admitted and not yet written.</summary>
    public long PendingBytes
    {
        get
        {
            lock (_lock) return _pending;
        }
    }

    /// <summary>Whether somebody waits to be admitted.</summary>
    internal bool HasWaiters
    {
        get
        {
            lock (_lock) return _waiters.Count > 0;
        }
    }

    /// <summary>Whether the last attempt to reserve space failed for want of it.</summary>
    public bool IsFull
    {
        get
        {
            lock (_lock) return _full is not null;
        }
    }

    /// <summary>Waits until a commit of that cost may begin.</summary>
    /// <param name="cost">What it may take of the space.</param>
    /// <param name="urgent">Whether it frees space, and so may use what is kept back.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="StorageFullException">There is no room on the disk.</exception>
    /// <exception cref="StoreFailedException">The store has failed.</exception>
    public ValueTask AdmitAsync(long cost, bool urgent, CancellationToken cancellation)
    {
        Waiter? waiter = null;
        var refusal = "";
        lock (_lock)
        {
            ThrowIfFailed();
            if ((_waiters.Count == 0 || urgent) && TryTake(cost, urgent)) return ValueTask.CompletedTask;
            if (_full is not null && !Fits(cost, urgent)) refusal = _full;
            else _waiters.Enqueue(waiter = new Waiter(cost, urgent));
        }
        NeedsSpace?.Invoke();
        if (waiter is null) throw new StorageFullException(refusal);
        return cancellation.CanBeCanceled ? WaitAsync(waiter, cancellation) : new ValueTask(waiter.Admitted.Task);
    }

    /// <summary>Lets a commit of that cost begin if it can at once.</summary>
    /// <exception cref="StoreFailedException">The store has failed.</exception>
    internal bool TryAdmit(long cost)
    {
        lock (_lock)
        {
            ThrowIfFailed();
            if (_waiters.Count > 0 || !Fits(cost, urgent: false)) return false;
            _pending += cost;
            return true;
        }
    }

    private async ValueTask WaitAsync(Waiter waiter, CancellationToken cancellation)
    {
        using (cancellation.UnsafeRegister(static (state, token) => ((Waiter)state!).Admitted.TrySetCanceled(token), waiter))
        {
            try
            {
                await waiter.Admitted.Task;
            }
            catch (OperationCanceledException)
            {
                // Those behind it may fit.
                lock (_lock) Wake();
                throw;
            }
        }
    }

    private bool Fits(long cost, bool urgent) => _pending + cost <= _space - (urgent ? 0 : reserve);

    private bool TryTake(long cost, bool urgent)
    {
        if (!Fits(cost, urgent)) return false;
        if (!urgent && (_held || (_pending > 0 && _pending + cost > maxPendingBytes))) return false;
        _pending += cost;
        return true;
    }

    /// <summary>Gives back what <see cref="AdmitAsync"/> took.</summary>
    public void Return(long cost)
    {
        lock (_lock)
        {
            _pending -= cost;
            Invariant.Check(_pending >= 0, "no more is returned than was admitted");
            Wake();
        }
    }

    /// <summary>Notes that space was used or wasted (negative) or reserved (positive).</summary>
    internal void Change(long bytes)
    {
        lock (_lock)
        {
            _space += bytes;
            if (bytes > 0) _full = null;
            Wake();
        }
    }

    /// <summary>Notes that no more space can be had at present; those who wait for it are refused.</summary>
    internal void SetFull(string reason)
    {
        lock (_lock)
        {
            _full = reason;
            for (var n = _waiters.Count; n > 0; n--)
            {
                var waiter = _waiters.Dequeue();
                if (Fits(waiter.Cost, waiter.Urgent)) _waiters.Enqueue(waiter);
                else waiter.Admitted.TrySetException(new StorageFullException(reason));
            }
            Wake();
        }
    }

    /// <summary>Makes those who are not urgent wait, whatever space there is: work that frees space is behind.</summary>
    internal void Hold(bool held)
    {
        lock (_lock)
        {
            _held = held;
            Wake();
        }
    }

    internal void Fail(Exception error)
    {
        lock (_lock)
        {
            _failure = error;
            while (_waiters.TryDequeue(out var waiter)) waiter.Admitted.TrySetException(new StoreFailedException("The store has stopped after a disk error.", error));
        }
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        lock (_lock) return $"{_space} bytes reserved, {_pending} under way, {_waiters.Count} waiting{(_held ? ", held for checkpoints" : "")}{(_full is null ? "" : $", full: {_full}")}";
    }

    private void Wake()
    {
        while (_waiters.TryPeek(out var waiter))
        {
            if (!waiter.Admitted.Task.IsCompleted)
            {
                if (!TryTake(waiter.Cost, waiter.Urgent)) return;
                // A wait that was cancelled just now does not use what it was given.
                if (!waiter.Admitted.TrySetResult()) _pending -= waiter.Cost;
            }
            _waiters.Dequeue();
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is not null) throw new StoreFailedException("The store has stopped after a disk error.", _failure);
    }
}
