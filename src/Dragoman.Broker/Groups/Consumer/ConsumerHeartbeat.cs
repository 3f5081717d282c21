using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>
/// What a member tells of itself (KIP-848): that it lives, what has changed, and what it has. With it a member joins,
/// learns what it shall have, and leaves.
/// </summary>
public sealed record ConsumerHeartbeat
{
    /// <summary>The epoch of a member that joins.</summary>
    public const int JoinEpoch = 0;

    /// <summary>The epoch of a member that leaves.</summary>
    public const int LeaveEpoch = -1;

    /// <summary>The epoch of a static member that goes and means to come back.</summary>
    public const int AwayEpoch = -2;

    /// <summary>The group.</summary>
    public required GroupName Group { get; init; }

    /// <summary>The member's id; empty for one that joins and shall be given one.</summary>
    public required string MemberId { get; init; }

    /// <summary>The member's epoch, or one of the constants.</summary>
    public required int Epoch { get; init; }

    /// <summary>The id of a static member; null for others.</summary>
    public string? InstanceId { get; init; }

    /// <summary>What the client calls itself.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Where the client connects from.</summary>
    public string ClientHost { get; init; } = "";

    /// <summary>The rack that the member is in; null if that has not changed.</summary>
    public string? Rack { get; init; }

    /// <summary>Milliseconds that the member may take to give partitions up; null if that has not changed.</summary>
    public int? RebalanceTimeoutMs { get; init; }

    /// <summary>The topics that the member names; null if they have not changed.</summary>
    public IReadOnlyList<TopicName>? Topics { get; init; }

    /// <summary>The pattern of further topics, in RE2's syntax; null if it has not changed, empty for none.</summary>
    public string? TopicPattern { get; init; }

    /// <summary>The broker's assignor that the member asks for; null if that has not changed, or it does not care.</summary>
    public string? Assignor { get; init; }

    /// <summary>The partitions that the member has; null if they have not changed.</summary>
    public IReadOnlyList<GroupPartition>? Owned { get; init; }
}

/// <summary>The answer to a <see cref="ConsumerHeartbeat"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="MemberId">The member's id.</param>
/// <param name="Epoch">The member's epoch.</param>
public sealed record ConsumerAnswer(GroupStatus Status, string MemberId, int Epoch)
{
    /// <summary>What is wrong, for a person; null if nothing is.</summary>
    public string? Message { get; init; }

    /// <summary>Milliseconds until the next heartbeat is wanted.</summary>
    public int IntervalMs { get; init; }

    /// <summary>The partitions that the member shall have now: it gives up those that are not there. Null if that has not changed.</summary>
    public IReadOnlyList<GroupPartition>? Assignment { get; init; }
}
