using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;

namespace Dragoman.Simulation.Queues;

/// <summary>What kind of queue a run is about.</summary>
internal sealed record QueueStory(QueueSettings Settings, bool IsKeyed, bool Deduplicates)
{
    public static QueueStory Draw(SimRandom random)
    {
        var dispatch = random.Pick<DispatchMode>([DispatchMode.Shared, DispatchMode.Shared, DispatchMode.Failover, DispatchMode.ByKey]);
        var deduplicates = random.OneIn(3);
        var subscription = SubscriptionSettings.Default with
        {
            Dispatch = dispatch,
            LeaseMs = random.Between(200, 3000),
            MaxDeliveries = random.OneIn(2) ? random.Between(1, 4) : -1,
            DeadLetter = random.OneIn(4) ? null : new DeadLetterTarget("dead", null, null),
            MessageLifetimeMs = random.OneIn(6) ? random.Between(300, 3000) : -1,
            Expiry = random.OneIn(2) ? ExpiryScope.Head : ExpiryScope.Anywhere,
            MinBackOffMs = random.OneIn(3) ? random.Between(1, 500) : 0,
        };
        var settings = QueueSettings.Default with
        {
            Subscription = subscription,
            CommitMode = random.OneIn(5) ? CommitMode.Written : CommitMode.Fsync,
            MaxPriority = dispatch != DispatchMode.ByKey && random.OneIn(3) ? 4 : 0,
            DelayMs = random.OneIn(5) ? random.Between(1, 500) : 0,
            MaxLength = random.OneIn(6) ? random.Between(3, 20) : -1,
            Overflow = Overflow.Reject,
            DeduplicationWindowMs = deduplicates ? 3_600_000 : 0,
        };
        // Drawn of what is drawn already, so that seeds which failed before there were fair queues go on telling the same story.
        if (dispatch == DispatchMode.Shared && settings.MaxPriority == 0 && subscription.LeaseMs % 3 == 0) settings = settings with { Subscription = subscription with { Dispatch = DispatchMode.Fair } };
        return new QueueStory(settings, settings.Subscription.Dispatch is DispatchMode.ByKey or DispatchMode.Fair, deduplicates);
    }
}
