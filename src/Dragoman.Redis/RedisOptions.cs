namespace Dragoman.Redis;

/// <summary>How the Redis front end behaves.</summary>
public sealed record RedisOptions
{
    /// <summary>Bytes of requests that have not wholly arrived, all connections together.</summary>
    public long MaxGatheredBytes { get; init; } = 768 << 20;

    /// <summary>Bytes that wait for clients which do not read fast enough, all connections together. Beyond it, those that are behind are disconnected.</summary>
    public long MaxOutputBytes { get; init; } = 512 << 20;

    /// <summary>Bytes of keys and values at most, whatever <c>maxmemory</c> says: they are kept in memory alone.</summary>
    public long MaxKeyBytes { get; init; } = 256 << 20;

    /// <summary>Bytes of commands that a connection may queue between MULTI and EXEC.</summary>
    public long MaxQueuedBytes { get; init; } = 64 << 20;

    /// <summary>Bytes of the names of channels and patterns that one connection may listen to.</summary>
    public long MaxSubscriptionBytes { get; init; } = 64 << 20;

    /// <summary>
    /// The version of Redis whose behaviour this front end has. Client libraries decide by it which commands there are.
    /// </summary>
    public string Version { get; init; } = "7.4.2";
}
