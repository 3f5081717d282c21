using Dragoman.Broker.Queues;
using Dragoman.Storage;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Subscriptions;

/// <summary>What all subscriptions of a node share.</summary>
internal sealed class SubscriptionHost(Store store, IScheduler scheduler, ScratchFiles scratch, QueueDefects defects) : IDisposable
{
    private Exception? _lastError;

    public Store Store { get; } = store;

    /// <summary>Where what is too much for memory goes.</summary>
    public ScratchFiles Scratch { get; } = scratch;

    /// <summary>Mistakes that tests plant.</summary>
    public QueueDefects Defects { get; } = defects;

    public IScheduler Scheduler { get; } = scheduler;

    public DueTimers Timers { get; } = new(store.Time);

    /// <summary>Milliseconds since 1970.</summary>
    public long Now => Timers.Now;

    /// <summary>The last error that kept messages from being delivered or moved, for the overview.</summary>
    public Exception? LastError => Volatile.Read(ref _lastError);

    /// <summary>Messages could not be read or moved; it is tried again.</summary>
    public void Failed(Exception error) => Volatile.Write(ref _lastError, error);

    public void Dispose() => Timers.Dispose();
}
