using System.Collections.Concurrent;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// Has all sessions look at the time once a second, one after the other: thousands of timers of their own would cost more
/// than all that an idle connection does. It runs while there are sessions.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="look">What is looked at once for all of them.</param>
internal sealed class SessionClock(TimeProvider time, Action look)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<AmqpSession, byte> _sessions = new(ReferenceEqualityComparer.Instance);
    private readonly Lock _lock = new();
    private ITimer? _timer;
    private int _isTicking;

    /// <summary>Has a session look from now on.</summary>
    public void Add(AmqpSession session)
    {
        lock (_lock)
        {
            _sessions[session] = 0;
            _timer ??= time.CreateTimer(static state => ((SessionClock)state!).Tick(), this, Second, Second);
        }
    }

    /// <summary>Has a session look no more.</summary>
    public void Remove(AmqpSession session)
    {
        lock (_lock)
        {
            if (!_sessions.TryRemove(session, out _) || !_sessions.IsEmpty) return;
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Tick()
    {
        // Should one second not be enough, the next one is left out.
        if (Interlocked.Exchange(ref _isTicking, 1) != 0) return;
        try
        {
            look();
            foreach (var (session, _) in _sessions) session.OnSecond();
        }
        finally
        {
            Volatile.Write(ref _isTicking, 0);
        }
    }
}
