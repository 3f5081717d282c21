namespace Dragoman.Protocols.Framing;

/// <summary>
/// Bytes of requests that all connections together may hold. It counts what has arrived, not what was announced, so a
/// client that announces much and sends nothing takes nothing from the others.
/// </summary>
/// <remarks>
/// A client that sends much of a message and then stops, or nearly so, holds what it has sent; and publishers hold what
/// a slow disk has not taken yet. Two rules keep that from costing the others: each kind of message leaves something to
/// the next (<see cref="BudgetShare"/>); and whoever has waited for a second ends those that are sending slowest, one
/// after the other, until there is room.
/// </remarks>
public sealed class ByteBudget
{
    /// <summary>A message of more bytes than this is a large one.</summary>
    public const int LargeMessage = 1 << 20;

    /// <summary>Bytes a second at which a message arrives that is not ended, whoever waits.</summary>
    public const int FastEnough = 1 << 20;

    /// <summary>How long somebody waits, and a message is arriving, before the slow ones are ended.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Queue<Waiter>[] _waiters = [new(), new(), new()];
    private readonly long[] _limits;
    private readonly LinkedList<Arrival> _arriving = new();
    private long _used;

    /// <summary>Creates a budget.</summary>
    /// <param name="limit">The most bytes held; one holder may always take its first bytes, however many.</param>
    public ByteBudget(long limit)
    {
        Limit = limit;
        _limits = [limit, limit - limit / 8, limit - limit / 4];
    }

    private sealed record Waiter(int Bytes, TaskCompletionSource<bool> Taken);

    /// <summary>The most bytes held.</summary>
    public long Limit { get; }

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
    /// <param name="share">What they are for.</param>
    /// <param name="patience">
    /// How long to wait. Holders of half a message may all wait for one another; that ends with those who give up.
    /// </param>
    /// <param name="time">The clock that patience is measured by.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>False if it took too long: nothing was taken.</returns>
    public ValueTask<bool> TakeAsync(int bytes, BudgetShare share, TimeSpan patience, TimeProvider time, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(time);
        Waiter waiter;
        lock (_lock)
        {
            var waiters = _waiters[(int)share];
            if (waiters.Count == 0 && Fits(bytes, share))
            {
                _used += bytes;
                return ValueTask.FromResult(true);
            }
            waiter = new Waiter(bytes, new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously));
            waiters.Enqueue(waiter);
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

    /// <summary>Notes that a message holds bytes and waits for more from its sender.</summary>
    internal void Add(Arrival arrival)
    {
        lock (_lock) _arriving.AddLast(arrival.Node);
    }

    /// <summary>Notes that it does not any longer.</summary>
    internal void Remove(Arrival arrival)
    {
        lock (_lock)
        {
            if (arrival.Node.List is not null) _arriving.Remove(arrival.Node);
        }
    }

    private async ValueTask<bool> WaitAsync(Waiter waiter, TimeSpan patience, TimeProvider time, CancellationToken cancellation)
    {
        var start = time.GetTimestamp();
        using (cancellation.UnsafeRegister(static state => ((Waiter)state!).Taken.TrySetResult(false), waiter))
        {
            while (!waiter.Taken.Task.IsCompleted)
            {
                try
                {
                    await waiter.Taken.Task.WaitAsync(Grace, time, CancellationToken.None).ConfigureAwait(false);
                }
                catch (TimeoutException)
                {
                    if (time.GetElapsedTime(start) >= patience) waiter.Taken.TrySetResult(false);
                    else EndSlowest(waiter.Bytes);
                }
            }
        }
        if (await waiter.Taken.Task.ConfigureAwait(false)) return true;
        // Those behind one that gave up may fit.
        lock (_lock) Wake();
        cancellation.ThrowIfCancellationRequested();
        return false;
    }

    /// <summary>Ends messages that arrive slowly, the slowest first, until so many bytes come free.</summary>
    private void EndSlowest(int bytes)
    {
        List<(double Rate, Arrival Arrival)> slow = [];
        lock (_lock)
        {
            foreach (var arrival in _arriving)
                if (arrival.Age >= Grace && arrival.Rate < FastEnough) slow.Add((arrival.Rate, arrival));
            slow.Sort(static (a, b) => a.Rate.CompareTo(b.Rate));
            var count = 0;
            for (long freed = 0; count < slow.Count && freed < bytes; count++)
            {
                freed += slow[count].Arrival.Charged;
                _arriving.Remove(slow[count].Arrival.Node);
            }
            slow.RemoveRange(count, slow.Count - count);
        }
        foreach (var (_, arrival) in slow) arrival.End();
    }

    private bool Fits(int bytes, BudgetShare share) => _used == 0 || _used + bytes <= _limits[(int)share];

    private void Wake()
    {
        for (var share = BudgetShare.Control; share <= BudgetShare.LargePublish; share++) Wake(_waiters[(int)share], share);
    }

    private void Wake(Queue<Waiter> waiters, BudgetShare share)
    {
        while (waiters.TryPeek(out var waiter))
        {
            if (!waiter.Taken.Task.IsCompleted)
            {
                if (!Fits(waiter.Bytes, share)) return;
                if (waiter.Taken.TrySetResult(true)) _used += waiter.Bytes;
            }
            waiters.Dequeue();
        }
    }
}
