using System.Threading.Tasks.Sources;

namespace Dragoman.Storage.Platform;

/// <summary>
/// Wakes one loop, without allocating. A signal that comes while the loop is busy is kept; several count as one.
/// </summary>
public sealed class WakeSignal : IValueTaskSource
{
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private bool _waiting;
    private bool _signalled;

    /// <summary>Wakes the loop, now or at its next wait.</summary>
    public void Set()
    {
        lock (_lock)
        {
            if (_signalled) return;
            if (!_waiting)
            {
                _signalled = true;
                return;
            }
            _waiting = false;
        }
        _source.SetResult(true);
    }

    /// <summary>Waits for a signal. Only one wait at a time.</summary>
    public ValueTask WaitAsync()
    {
        lock (_lock)
        {
            Invariant.Check(!_waiting, "one loop waits on a signal");
            if (_signalled)
            {
                _signalled = false;
                return ValueTask.CompletedTask;
            }
            _source.Reset();
            _waiting = true;
            return new ValueTask(this, _source.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
