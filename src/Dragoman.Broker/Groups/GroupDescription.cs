using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Groups;

/// <summary>Who assigns partitions to the members of a group.</summary>
public enum GroupKind
{
    /// <summary>One of the members; or nobody, where the group only commits offsets.</summary>
    Classic,

    /// <summary>The broker (KIP-848).</summary>
    Consumer,
}

/// <summary>Where a group stands. The names are Kafka's.</summary>
public enum GroupState
{
    /// <summary>It has no members.</summary>
    Empty,

    /// <summary>Classic: members are awaited to join the next generation.</summary>
    PreparingRebalance,

    /// <summary>Classic: the leader is awaited to assign.</summary>
    CompletingRebalance,

    /// <summary>Consumer: the broker has yet to assign.</summary>
    Assigning,

    /// <summary>Consumer: members are on their way to what was assigned to them.</summary>
    Reconciling,

    /// <summary>Every member has its share.</summary>
    Stable,
}

/// <summary>A group in a list.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Who assigns.</param>
/// <param name="State">Where it stands.</param>
/// <param name="ProtocolType">What it is about; empty for a group that only commits offsets.</param>
public sealed record GroupSummary(GroupName Name, GroupKind Kind, GroupState State, string ProtocolType);

/// <summary>The answer to a request for all groups.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Groups">The groups, in the order of their names.</param>
public readonly record struct GroupsAnswer(GroupStatus Status, IReadOnlyList<GroupSummary> Groups);

/// <summary>The answer to a request for a group.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Group">The group; null unless all is well.</param>
public readonly record struct GroupAnswer(GroupStatus Status, GroupDescription? Group);

/// <summary>A group in full.</summary>
public sealed record GroupDescription
{
    /// <summary>Its name.</summary>
    public required GroupName Name { get; init; }

    /// <summary>Who assigns.</summary>
    public required GroupKind Kind { get; init; }

    /// <summary>Where it stands.</summary>
    public required GroupState State { get; init; }

    /// <summary>What it is about; empty for a group that only commits offsets.</summary>
    public required string ProtocolType { get; init; }

    /// <summary>The way of assigning, or the broker's assignor; empty where none is in force.</summary>
    public required string Protocol { get; init; }

    /// <summary>The generation, or the group's epoch.</summary>
    public required int Epoch { get; init; }

    /// <summary>The epoch of the broker's assignment; the generation in a classic group.</summary>
    public required int AssignmentEpoch { get; init; }

    /// <summary>The members.</summary>
    public required IReadOnlyList<MemberDescription> Members { get; init; }
}

/// <summary>A member of a group.</summary>
public sealed record MemberDescription
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>The id of a static member; null for others.</summary>
    public string? InstanceId { get; init; }

    /// <summary>What the client calls itself.</summary>
    public required string ClientId { get; init; }

    /// <summary>Where the client connects from.</summary>
    public required string ClientHost { get; init; }

    /// <summary>The rack it is in; null if unknown.</summary>
    public string? Rack { get; init; }

    /// <summary>The generation or epoch it is in.</summary>
    public required int Epoch { get; init; }

    /// <summary>Whether it follows the classic protocol.</summary>
    public required bool IsClassic { get; init; }

    /// <summary>What it has said to whoever assigns, and its share, as the members understand them; empty where there is none.</summary>
    public byte[] Metadata { get; init; } = [];

    /// <summary>Its share as the members understand it; empty where there is none.</summary>
    public byte[] Assignment { get; init; } = [];

    /// <summary>The topics that it reads by name; null if unknown.</summary>
    public IReadOnlyList<TopicName>? Topics { get; init; }

    /// <summary>The pattern of further topics that it reads; null if there is none.</summary>
    public string? TopicPattern { get; init; }

    /// <summary>The partitions that it has; null if unknown.</summary>
    public IReadOnlyList<GroupPartition>? Partitions { get; init; }

    /// <summary>The partitions that it shall have; null where that is not the broker's to say.</summary>
    public IReadOnlyList<GroupPartition>? Target { get; init; }
}
