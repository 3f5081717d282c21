namespace Dragoman.Serve;

/// <summary>
/// A clock that goes as the system's does and can be moved forward: what <c>--test-mode</c> runs on, so that expiry,
/// delays and time-outs can be tested without waiting.
/// </summary>
internal sealed class MovableClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly HashSet<MovableTimer> _timers = [];
    private long _offsetTicks;

    private TimeSpan Offset => TimeSpan.FromTicks(Interlocked.Read(ref _offsetTicks));

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;

    public override long GetTimestamp() => System.GetElapsedTime(0, System.GetTimestamp()).Ticks + Interlocked.Read(ref _offsetTicks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new MovableTimer(this, callback, state, dueTime, period);

    /// <summary>Moves the clock forward. Timers whose time has come are called by and by, each once for each period that passed.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        MovableTimer[] timers;
        lock (_lock)
        {
            Interlocked.Add(ref _offsetTicks, by.Ticks);
            timers = [.. _timers];
        }
        foreach (var timer in timers) timer.Rearm();
    }

    private sealed class MovableTimer : ITimer
    {
        private readonly MovableClock _clock;
        private readonly TimerCallback _callback;
        private readonly object? _state;
        private readonly ITimer _inner;
        private readonly Lock _lock = new();
        private TimeSpan _period;
        private long _due = long.MaxValue;
        private bool _disposed;

        public MovableTimer(MovableClock clock, TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _clock = clock;
            _callback = callback;
            _state = state;
            // As with the system's timers, whatever the caller's context holds flows into the callback; it is made here.
            _inner = System.CreateTimer(static timer => ((MovableTimer)timer!).OnInner(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            lock (clock._lock) clock._timers.Add(this);
            Change(dueTime, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_lock)
            {
                if (_disposed) return false;
                _period = period;
                _due = dueTime < TimeSpan.Zero ? long.MaxValue : _clock.GetTimestamp() + dueTime.Ticks;
                return Arm();
            }
        }

        public void Rearm()
        {
            lock (_lock)
            {
                if (!_disposed) Arm();
            }
        }

        private bool Arm()
        {
            if (_due == long.MaxValue) return _inner.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            var left = TimeSpan.FromTicks(Math.Max(0, _due - _clock.GetTimestamp()));
            // The system's timers take at most about 49 days; the rest is waited for anew.
            return _inner.Change(left < s_longest ? left : s_longest, Timeout.InfiniteTimeSpan);
        }

        private static readonly TimeSpan s_longest = TimeSpan.FromDays(40);

        private void OnInner()
        {
            lock (_lock)
            {
                if (_disposed || _due == long.MaxValue) return;
                var now = _clock.GetTimestamp();
                // The system's timer may be a little early by our clock.
                if (now < _due)
                {
                    Arm();
                    return;
                }
                _due = _period > TimeSpan.Zero ? _due + _period.Ticks : long.MaxValue;
                Arm();
            }
            _callback(_state);
        }

        public void Dispose()
        {
            lock (_lock) _disposed = true;
            _inner.Dispose();
            lock (_clock._lock) _clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
