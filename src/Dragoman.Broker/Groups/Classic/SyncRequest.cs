using Dragoman.Broker.Groups.Offsets;

namespace Dragoman.Broker.Groups.Classic;

/// <summary>What a member gets to read.</summary>
/// <param name="Data">As the members understand it; opaque to the broker.</param>
/// <param name="Partitions">The partitions that it means, where the front end can tell; null where it cannot.</param>
public readonly record struct GroupShare(byte[] Data, IReadOnlyList<GroupPartition>? Partitions)
{
    /// <summary>Nothing.</summary>
    public static GroupShare None { get; } = new([], []);
}

/// <summary>A member's request for its share; the leader's brings all shares.</summary>
public sealed record SyncRequest
{
    /// <summary>The group.</summary>
    public required GroupName Group { get; init; }

    /// <summary>Who asks.</summary>
    public required GroupCaller Caller { get; init; }

    /// <summary>What the member takes the group to be about; null where it does not say.</summary>
    public string? ProtocolType { get; init; }

    /// <summary>The way of assigning that the member takes to have been chosen; null where it does not say.</summary>
    public string? Protocol { get; init; }

    /// <summary>From the leader: the shares, by member id.</summary>
    public IReadOnlyList<KeyValuePair<string, GroupShare>> Shares { get; init; } = [];
}

/// <summary>The answer to a <see cref="SyncRequest"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Assignment">The member's share.</param>
public sealed record SyncAnswer(GroupStatus Status, byte[] Assignment)
{
    /// <summary>What the group is about; null if the request was refused.</summary>
    public string? ProtocolType { get; init; }

    /// <summary>The way of assigning that was chosen; null if the request was refused.</summary>
    public string? Protocol { get; init; }

    /// <summary>The share, where the broker has assigned it: then the front end spells it. Null elsewhere.</summary>
    public IReadOnlyList<GroupPartition>? Partitions { get; init; }

    /// <summary>With <see cref="Partitions"/>: what the member has said, from which the front end tells how to spell them.</summary>
    public byte[] Metadata { get; init; } = [];

    internal static SyncAnswer Refused(GroupStatus status) => new(status, []);
}

/// <summary>A member that shall leave.</summary>
/// <param name="MemberId">Its id; empty for a static member that somebody else removes.</param>
/// <param name="InstanceId">The id of a static member; null for others.</param>
public readonly record struct LeavingMember(string MemberId, string? InstanceId);
