namespace Dragoman.Broker.Subscriptions;

/// <summary>Something that wants to be woken at a time.</summary>
internal interface IDue
{
    /// <summary>The time for which it is armed, in milliseconds since 1970; guarded by the timers.</summary>
    long ArmedFor { get; set; }

    /// <summary>The time has come. Called with no lock held; must be quick and must not throw.</summary>
    void OnDue();
}

/// <summary>One timer for all: whoever wants to be woken is in a heap by time, and the timer is set to the first.</summary>
internal sealed class DueTimers : IDisposable
{
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly PriorityQueue<IDue, long> _heap = new();
    private long _setFor = long.MaxValue;
    private bool _disposed;

    public DueTimers(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static state => ((DueTimers)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Wakes something at a time, or earlier: a call with a later time than before changes nothing.</summary>
    public void Arm(IDue item, long due)
    {
        lock (_lock)
        {
            if (item.ArmedFor <= due || _disposed) return;
            item.ArmedFor = due;
            _heap.Enqueue(item, due);
            if (due < _setFor) Set(due);
        }
    }

    private void Set(long due)
    {
        _setFor = due;
        // Timers of the runtime end at 49 days; whoever is woken early looks again.
        var wait = Math.Clamp(due - Now, 0, 86_400_000);
        _timer.Change(TimeSpan.FromMilliseconds(wait), Timeout.InfiniteTimeSpan);
        // A clock that was moved after it was read, and before the timer knew, would be followed too late.
        if (wait > 0 && Now >= due) _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void Fire()
    {
        var now = Now;
        var woken = new List<IDue>();
        lock (_lock)
        {
            if (_disposed) return;
            while (_heap.TryPeek(out var item, out var due) && due <= now)
            {
                _heap.Dequeue();
                // It may have been armed for an earlier time since, and woken by that.
                if (item.ArmedFor != due) continue;
                item.ArmedFor = long.MaxValue;
                woken.Add(item);
            }
            _setFor = long.MaxValue;
            if (_heap.TryPeek(out _, out var next)) Set(next);
        }
        foreach (var item in woken) item.OnDue();
    }

    public void Dispose()
    {
        lock (_lock) _disposed = true;
        _timer.Dispose();
    }
}
