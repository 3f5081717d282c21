using Dragoman.Broker.Messages;
using Dragoman.Broker.Statistics;

namespace Dragoman.Broker.Subscriptions;

/// <summary>A message that leaves a subscription, and why; null for one that is moved.</summary>
internal readonly record struct Departure(long Offset, DeathReason? Reason, int Deliveries = 0);

/// <summary>What became of a message that was to leave.</summary>
internal enum DepartureEnd
{
    /// <summary>It is where it was to go.</summary>
    Taken,

    /// <summary>Nobody takes it, and it is dropped.</summary>
    Dropped,

    /// <summary>Nobody takes it yet: it stays, and is tried again.</summary>
    Stays,
}

/// <summary>What a subscription belongs to: a queue, or a subscription of a topic.</summary>
internal interface ISubscriptionOwner
{
    /// <summary>What is counted of it; deliveries and settlements are, under the subscription's lock.</summary>
    MessageCounters Counters { get; }

    /// <summary>
    /// Moves messages to where they go from here, and settles them in the same commit. The departures are the
    /// subscription's until they are settled, or this fails: it does so with an exception, and then nothing was moved.
    /// </summary>
    Task DepartAsync(Subscription subscription, IReadOnlyList<Departure> departures);

    /// <summary>Nobody has used it for as long as it may be left unused, or its last consumer has gone. Called with no lock held.</summary>
    void OnUnused(Subscription subscription);
}
