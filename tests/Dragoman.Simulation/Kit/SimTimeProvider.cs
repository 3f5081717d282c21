namespace Dragoman.Simulation;

/// <summary>Virtual time: it passes as the scheduler steps, and jumps to the next timer when nothing is ready.</summary>
public sealed class SimTimeProvider : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly SimScheduler _scheduler;
    private readonly SortedSet<SimTimer> _armed = new(
        Comparer<SimTimer>.Create((a, b) => (a.Due, a.Order).CompareTo((b.Due, b.Order))));

    private long _order;

    internal SimTimeProvider(SimScheduler scheduler) => _scheduler = scheduler;

    /// <summary>Since the simulation began.</summary>
    public TimeSpan Elapsed { get; private set; }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    internal SimTimer? Next => _armed.Min;

    public override DateTimeOffset GetUtcNow() => Start + Elapsed;

    public override long GetTimestamp() => Elapsed.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, _scheduler.Current, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    internal void Pass(TimeSpan time) => Elapsed += time;

    internal void Arm(SimTimer timer, TimeSpan dueTime)
    {
        _scheduler.DemandThread();
        timer.Due = Elapsed + dueTime;
        timer.Order = ++_order;
        _armed.Add(timer);
    }

    internal void Disarm(SimTimer timer) => _armed.Remove(timer);

    internal void Abandon(SimProcess process) => _armed.RemoveWhere(timer => timer.Owner == process);

    /// <summary>Takes the next timer off the list, moves time to it unless it is overdue, and rearms a periodic one.</summary>
    internal SimTimer TakeNext()
    {
        var timer = _armed.Min!;
        _armed.Remove(timer);
        Elapsed = timer.Due > Elapsed ? timer.Due : Elapsed;
        if (timer.Period > TimeSpan.Zero)
        {
            Arm(timer, timer.Period);
        }

        return timer;
    }
}

/// <summary>A timer in virtual time. It belongs to the process that created it and dies with it.</summary>
internal sealed class SimTimer(SimTimeProvider time, SimProcess owner, TimerCallback callback, object? state) : ITimer
{
    private bool _disposed;

    public SimProcess Owner => owner;

    public TimeSpan Due { get; set; }

    public long Order { get; set; }

    public TimeSpan Period { get; private set; }

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        if (_disposed)
        {
            return false;
        }

        time.Disarm(this);
        Period = period;
        if (dueTime != Timeout.InfiniteTimeSpan && !owner.IsDead)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, TimeSpan.Zero);
            time.Arm(this, dueTime);
        }

        return true;
    }

    public void Fire() => callback(state);

    public void Dispose()
    {
        _disposed = true;
        time.Disarm(this);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
