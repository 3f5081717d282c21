namespace Dragoman.Kafka;

/// <summary>How the Kafka front end behaves.</summary>
public sealed record KafkaOptions
{
    /// <summary>
    /// The host that clients are told to connect to. Unless set, the address that the client reached: right wherever
    /// no address is translated in between, and so wrong for clients outside a container's network.
    /// </summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>The port that clients are told to connect to; unless set, the one that the client reached.</summary>
    public int? AdvertisedPort { get; init; }

    /// <summary>The rack that this node is in (KIP-392), or null.</summary>
    public string? Rack { get; init; }

    /// <summary>The largest Produce request, in bytes; Kafka's <c>socket.request.max.bytes</c>.</summary>
    public int MaxRequestBytes { get; init; } = 100 << 20;

    /// <summary>The largest request of any other kind, in bytes.</summary>
    public int MaxControlRequestBytes { get; init; } = 8 << 20;

    /// <summary>Bytes of requests that all connections together hold, Kafka's <c>queued.max.request.bytes</c>.</summary>
    public long MaxQueuedRequestBytes { get; init; } = 256 << 20;

    /// <summary>Produce requests of one connection that may wait for the disk at a time.</summary>
    public int MaxInFlight { get; init; } = 100;

    /// <summary>
    /// Bytes of those that one connection may have waiting, before its next request is looked at: no connection takes
    /// much of what all of them may hold.
    /// </summary>
    public long MaxInFlightBytes { get; init; } = 16 << 20;

    /// <summary>The most record bytes in one Fetch response, the first batch aside; Kafka's <c>fetch.max.bytes</c>.</summary>
    public int MaxFetchBytes { get; init; } = 55 << 20;
}
