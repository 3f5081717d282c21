using Dragoman.Storage.Log;

namespace Dragoman.Admin.Records;

/// <summary>Wakes one reader when any of its partitions has changed. A change between two waits is not lost.</summary>
internal sealed class ChangeSignal : ILogListener
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = New();

    public void OnChanged(long logId)
    {
        lock (_lock) _changed.TrySetResult();
    }

    public async Task WaitAsync(CancellationToken cancellation)
    {
        Task changed;
        lock (_lock) changed = _changed.Task;
        await changed.WaitAsync(cancellation);
        lock (_lock) _changed = New();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
