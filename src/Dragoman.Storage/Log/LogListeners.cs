namespace Dragoman.Storage.Log;

/// <summary>Hears that a log has changed. Called by the commit loop with no lock held; it must be quick and must not throw.</summary>
public interface ILogListener
{
    /// <summary>The log has more to read, its start moved, or it is gone.</summary>
    /// <param name="logId">Which log, for those who listen to several. No more than its id: it may live on another node.</param>
    void OnChanged(long logId);
}

/// <summary>The listeners of one log.</summary>
internal sealed class LogListeners
{
    [ThreadStatic]
    private static List<ILogListener>? _scratch;

    private readonly Lock _lock = new();
    private List<ILogListener>? _listeners;
    private volatile int _count;

    public bool Any => _count > 0;

    public void Add(ILogListener listener)
    {
        lock (_lock)
        {
            (_listeners ??= []).Add(listener);
            _count++;
        }
    }

    public void Remove(ILogListener listener)
    {
        lock (_lock)
        {
            if (_listeners is null) return;
            var index = _listeners.IndexOf(listener);
            if (index < 0) return;
            _listeners[index] = _listeners[^1];
            _listeners.RemoveAt(_listeners.Count - 1);
            _count--;
        }
    }

    public void Notify(long logId)
    {
        if (_count == 0) return;
        var calls = _scratch ?? [];
        _scratch = null;
        lock (_lock) calls.AddRange(_listeners!);
        foreach (var listener in calls) listener.OnChanged(logId);
        calls.Clear();
        _scratch = calls;
    }
}
