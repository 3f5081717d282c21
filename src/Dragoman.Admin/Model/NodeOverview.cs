namespace Dragoman.Admin.Model;

/// <summary>The answer of a health check.</summary>
/// <param name="Status"><c>live</c> or <c>ready</c>.</param>
/// <param name="Detail">What a person should know, or null.</param>
public sealed record HealthReport(string Status, string? Detail);

/// <summary>The node at a glance.</summary>
public sealed record NodeOverview
{
    /// <summary>The product's version.</summary>
    public required string Version { get; init; }

    /// <summary>The node's number.</summary>
    public required int NodeId { get; init; }

    /// <summary>The store's id, made when its directory was new.</summary>
    public required Guid ClusterId { get; init; }

    /// <summary>When the node was started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Seconds since then.</summary>
    public required long UptimeSeconds { get; init; }

    /// <summary>The data directory.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Rises with every start after a crash.</summary>
    public required int LeaderEpoch { get; init; }

    /// <summary>The listeners.</summary>
    public required IReadOnlyList<AdminListener> Listeners { get; init; }

    /// <summary>How many topics there are.</summary>
    public required int Topics { get; init; }

    /// <summary>How many partitions they have together.</summary>
    public required int Partitions { get; init; }

    /// <summary>Bytes of messages that they hold together.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>What last kept messages of a queue from being delivered or moved, which is tried again; null for nothing.</summary>
    public string? LastQueueError { get; init; }

    /// <summary>Bytes admitted and not yet on disk, counted twice.</summary>
    public required long PendingBytes { get; init; }

    /// <summary>Whether publishers are refused for want of space.</summary>
    public required bool DiskFull { get; init; }

    /// <summary>Bytes in memory of topics that live there.</summary>
    public required long MemoryTopicBytes { get; init; }

    /// <summary>Bytes of managed objects.</summary>
    public required long ManagedMemoryBytes { get; init; }

    /// <summary>Bytes of the process that are in physical memory.</summary>
    public required long ResidentMemoryBytes { get; init; }

    /// <summary>What the last start found.</summary>
    public required RecoveryOverview Recovery { get; init; }
}

/// <summary>What opening the store found.</summary>
/// <param name="IsNew">Whether the directory was empty.</param>
/// <param name="WasClean">Whether the broker had been stopped in good order.</param>
/// <param name="Rounds">Journal rounds that were replayed.</param>
/// <param name="Commits">Commits in them.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Tail">What is known about the end of the journal.</param>
public sealed record RecoveryOverview(bool IsNew, bool WasClean, long Rounds, long Commits, long Bytes, string Tail);
