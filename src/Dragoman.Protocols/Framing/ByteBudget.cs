namespace Dragoman.Protocols.Framing;

/// <summary>
/// Bytes of requests that all connections together may hold. It counts what has arrived, not what was announced, so a
/// client that announces much and sends nothing takes nothing from the others.
/// </summary>
/// <param name="limit">The most bytes held; one holder may always take its first bytes, however many.</param>
public sealed class ByteBudget(long limit)
{
    private readonly Lock _lock = new();
    private readonly Queue<Waiter> _waiters = new();
    private long _used;

    private sealed record Waiter(int Bytes, TaskCompletionSource<bool> Taken);

    /// <summary>The most bytes held.</summary>
    public long Limit { get; } = limit;

    /// <summary>Bytes held now.</summary>
    public long Used
    {
        get
        {
            lock (_lock) return _used;
        }
    }

    /// <summary>Takes bytes, waiting in turn until others have given theirs back.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="patience">
    /// How long to wait. Holders of half a message may all wait for one another; that ends with those who give up.
    /// </param>
    /// <param name="time">The clock that patience is measured by.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>False if it took too long: nothing was taken.</returns>
    public ValueTask<bool> TakeAsync(int bytes, TimeSpan patience, TimeProvider time, CancellationToken cancellation)
    {
        Waiter waiter;
        lock (_lock)
        {
            if (_waiters.Count == 0 && Fits(bytes))
            {
                _used += bytes;
                return ValueTask.FromResult(true);
            }
            waiter = new Waiter(bytes, new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously));
            _waiters.Enqueue(waiter);
        }
        return WaitAsync(waiter, patience, time, cancellation);
    }

    /// <summary>Gives bytes back.</summary>
    public void Return(int bytes)
    {
        lock (_lock)
        {
            _used -= bytes;
            Wake();
        }
    }

    private async ValueTask<bool> WaitAsync(Waiter waiter, TimeSpan patience, TimeProvider time, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        using (either.Token.UnsafeRegister(static state => ((Waiter)state!).Taken.TrySetResult(false), waiter))
        {
            if (await waiter.Taken.Task.ConfigureAwait(false)) return true;
        }
        // Those behind one that gave up may fit.
        lock (_lock) Wake();
        cancellation.ThrowIfCancellationRequested();
        return false;
    }

    private bool Fits(int bytes) => _used == 0 || _used + bytes <= Limit;

    private void Wake()
    {
        while (_waiters.TryPeek(out var waiter))
        {
            if (!waiter.Taken.Task.IsCompleted)
            {
                if (!Fits(waiter.Bytes)) return;
                if (waiter.Taken.TrySetResult(true)) _used += waiter.Bytes;
            }
            _waiters.Dequeue();
        }
    }
}
