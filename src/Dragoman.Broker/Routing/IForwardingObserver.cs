using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Routing;

/// <summary>Hears what goes wrong where routes carry records on. Called with no lock held; must be quick and must not throw.</summary>
public interface IForwardingObserver
{
    /// <summary>Records were removed, by retention or by hand, before they were carried on.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="firstLost">The first offset that is lost.</param>
    /// <param name="next">Where it goes on.</param>
    void OnFellBehind(TopicName topic, int partition, long firstLost, long next);

    /// <summary>Records cannot be carried on now; it is tried again.</summary>
    void OnStalled(TopicName topic, int partition, Exception reason);
}

/// <summary>How far routes have carried the records of a partition.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="NextOffset">The first offset that was not carried on yet.</param>
/// <param name="EndOffset">The last stable offset of the log: what lies between the two is to be carried on.</param>
/// <param name="Lost">Offsets that were removed before they were carried on, since the start.</param>
/// <param name="Refused">Messages that a target refused, since the start: it was full, or did not take such messages.</param>
/// <param name="Problem">Why it does not go on now, for a person; null if it does.</param>
public sealed record ForwardingProgress(TopicName Topic, int Partition, long NextOffset, long EndOffset, long Lost, long Refused, string? Problem);
