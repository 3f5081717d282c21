using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Groups.Classic;

/// <summary>A way of assigning that a member knows, and what it has to tell whoever assigns; opaque to the broker.</summary>
/// <param name="Name">The name of the way.</param>
/// <param name="Metadata">What the member says.</param>
public readonly record struct GroupProtocol(string Name, byte[] Metadata);

/// <summary>A request to be a member of a group whose members assign themselves.</summary>
public sealed record JoinRequest
{
    /// <summary>The group.</summary>
    public required GroupName Group { get; init; }

    /// <summary>The member's id; empty if it has none yet.</summary>
    public string MemberId { get; init; } = "";

    /// <summary>The id of a static member; null for others.</summary>
    public string? InstanceId { get; init; }

    /// <summary>What the client calls itself.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Where the client connects from.</summary>
    public string ClientHost { get; init; } = "";

    /// <summary>Milliseconds without a sign of life after which the member is out.</summary>
    public required int SessionTimeoutMs { get; init; }

    /// <summary>Milliseconds that the member may take to join again when others come or go.</summary>
    public required int RebalanceTimeoutMs { get; init; }

    /// <summary>What the group is about; all members say the same.</summary>
    public required string ProtocolType { get; init; }

    /// <summary>The ways of assigning that the member knows, the best first.</summary>
    public required IReadOnlyList<GroupProtocol> Protocols { get; init; }

    /// <summary>The topics that the member reads, where the front end can tell; null where it cannot.</summary>
    public IReadOnlyList<TopicName>? Topics { get; init; }

    /// <summary>The partitions that the member still has, where the front end can tell.</summary>
    public IReadOnlyList<GroupPartition> Owned { get; init; } = [];

    /// <summary>The rack that the member is in; null if it does not say.</summary>
    public string? Rack { get; init; }

    /// <summary>
    /// Whether a member without an id is told one and asked to join again with it (KIP-394), so that a client which gives
    /// up on the answer leaves nobody behind.
    /// </summary>
    public bool AwaitsMemberId { get; init; }

    /// <summary>Whether the client understands that a returning leader leaves the assignment as it is (KIP-814).</summary>
    public bool CanSkipAssignment { get; init; }

    /// <summary>Why it joins, for the log; null where it does not say.</summary>
    public string? Reason { get; init; }
}

/// <summary>A member as the one that assigns gets to know it.</summary>
/// <param name="MemberId">The member's id.</param>
/// <param name="InstanceId">The id of a static member; null for others.</param>
/// <param name="Metadata">What the member says in the way of assigning that was chosen.</param>
public sealed record JoinedMember(string MemberId, string? InstanceId, byte[] Metadata);

/// <summary>The answer to a <see cref="JoinRequest"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="MemberId">The member's id; empty where it has none.</param>
public sealed record JoinAnswer(GroupStatus Status, string MemberId)
{
    /// <summary>The generation that the member is in; -1 for none.</summary>
    public int Generation { get; init; } = -1;

    /// <summary>What the group is about; null if that is not settled.</summary>
    public string? ProtocolType { get; init; }

    /// <summary>The way of assigning that was chosen; null if none was.</summary>
    public string? Protocol { get; init; }

    /// <summary>The id of the member that assigns; empty if there is none.</summary>
    public string Leader { get; init; } = "";

    /// <summary>Whether the leader leaves the assignment as it is.</summary>
    public bool SkipAssignment { get; init; }

    /// <summary>For the leader: all members.</summary>
    public IReadOnlyList<JoinedMember> Members { get; init; } = [];
}
