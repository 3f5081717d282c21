using Dragoman.Storage;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Subscriptions;

/// <summary>What all subscriptions of a node share.</summary>
internal sealed class SubscriptionHost(Store store, IScheduler scheduler)
{
    private Exception? _readError;

    public Store Store { get; } = store;

    public IScheduler Scheduler { get; } = scheduler;

    public TimeProvider Time => Store.Time;

    /// <summary>The last error that kept messages from being delivered, for the overview.</summary>
    public Exception? LastReadError => Volatile.Read(ref _readError);

    /// <summary>Messages could not be read.</summary>
    public void ReadFailed(Subscription subscription, Exception error) => Volatile.Write(ref _readError, error);
}
