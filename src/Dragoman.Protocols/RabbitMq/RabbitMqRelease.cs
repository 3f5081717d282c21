namespace Dragoman.Protocols.RabbitMq;

/// <summary>The release of RabbitMQ that clients are told of.</summary>
public static class RabbitMqRelease
{
    /// <summary>
    /// Its version. Clients act upon it: NServiceBus takes a quorum queue of before 4.0 for one that never gives up, and sets the
    /// limit of later ones itself; kombu limits prefetch for a whole channel before 4.0 and for each consumer since. So it is the
    /// first whose quorum queues give up after 20 deliveries, as they do here. What later ones took away is here still.
    /// </summary>
    public const string Version = "4.0.9";
}
