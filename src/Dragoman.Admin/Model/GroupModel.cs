namespace Dragoman.Admin.Model;

/// <summary>Consumer groups.</summary>
/// <param name="Groups">In the order of their names.</param>
/// <param name="Next">What to give as <c>after</c> to get the next ones; null where these are the last.</param>
public sealed record GroupList(IReadOnlyList<GroupOverview> Groups, string? Next = null);

/// <summary>A consumer group in a list.</summary>
/// <param name="Namespace">Its namespace, <c>tenant/namespace</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Who assigns partitions: <c>classic</c> (a member) or <c>consumer</c> (the broker, KIP-848).</param>
/// <param name="State"><c>empty</c>, <c>preparingRebalance</c>, <c>completingRebalance</c>, <c>assigning</c>, <c>reconciling</c> or <c>stable</c>.</param>
/// <param name="Members">How many members it has.</param>
/// <param name="Topics">The topics that it has committed offsets of, or reads.</param>
/// <param name="Lag">Records behind the committed offsets of all partitions; null where nothing is committed.</param>
public sealed record GroupOverview(string Namespace, string Name, string Kind, string State, int Members, IReadOnlyList<string> Topics, long? Lag = null);

/// <summary>A consumer group in full.</summary>
public sealed record GroupDetails
{
    /// <summary>Its namespace, <c>tenant/namespace</c>.</summary>
    public required string Namespace { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Who assigns partitions: <c>classic</c> (a member) or <c>consumer</c> (the broker, KIP-848).</summary>
    public required string Kind { get; init; }

    /// <summary>Where it stands.</summary>
    public required string State { get; init; }

    /// <summary>How partitions are assigned, such as <c>range</c>; empty where nothing is in force.</summary>
    public required string Assignor { get; init; }

    /// <summary>The generation, or the group's epoch.</summary>
    public required int Epoch { get; init; }

    /// <summary>Records behind the committed offsets of all partitions; null where nothing is committed.</summary>
    public long? Lag { get; init; }

    /// <summary>The members.</summary>
    public required IReadOnlyList<GroupMemberModel> Members { get; init; }

    /// <summary>The partitions that the group has committed, or that a member has.</summary>
    public required IReadOnlyList<GroupPartitionModel> Partitions { get; init; }
}

/// <summary>A member of a group.</summary>
/// <param name="Id">Its id.</param>
/// <param name="ClientId">What the client calls itself.</param>
/// <param name="Host">Where it connects from.</param>
/// <param name="Partitions">How many partitions it has.</param>
/// <param name="Epoch">The generation or epoch it is in.</param>
/// <param name="InstanceId">The id of a static member.</param>
/// <param name="Rack">The rack it is in.</param>
/// <param name="TopicPattern">The pattern of further topics that it reads.</param>
public sealed record GroupMemberModel(string Id, string ClientId, string Host, int Partitions, int Epoch, string? InstanceId = null, string? Rack = null, string? TopicPattern = null);

/// <summary>How far a group has come with a partition.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="StartOffset">The first offset that can be read.</param>
/// <param name="EndOffset">The offset after the last record.</param>
/// <param name="CommittedOffset">The offset of the next record to read; null where nothing is committed.</param>
/// <param name="CommittedAt">When that was committed.</param>
/// <param name="Metadata">What the client keeps beside the offset.</param>
/// <param name="Lag">Records from the committed offset to the end; null where nothing is committed.</param>
/// <param name="MemberId">The member that has the partition.</param>
public sealed record GroupPartitionModel(
    string Topic, int Partition, long StartOffset, long EndOffset, long? CommittedOffset = null, DateTimeOffset? CommittedAt = null, string? Metadata = null, long? Lag = null, string? MemberId = null);

/// <summary>A wish to have a group go on elsewhere.</summary>
/// <param name="To"><c>earliest</c>, <c>latest</c>, an offset, a time such as <c>2026-01-31T12:00:00Z</c>, or an age such as <c>15m</c>.</param>
/// <param name="Topics">The topics; those that the group has committed offsets of if missing.</param>
/// <param name="Partitions">The partitions of the topic, where one is named; all if missing.</param>
/// <param name="DryRun">Whether only to tell what would change.</param>
public sealed record ResetOffsetsRequest(string To, IReadOnlyList<string>? Topics = null, IReadOnlyList<int>? Partitions = null, bool DryRun = false);

/// <summary>Where a group goes on.</summary>
/// <param name="DryRun">Whether nothing was changed.</param>
/// <param name="Members">Members that the group has: while there are any, only a dry run is possible.</param>
/// <param name="Partitions">The partitions.</param>
public sealed record ResetOffsetsResult(bool DryRun, int Members, IReadOnlyList<OffsetReset> Partitions);

/// <summary>Where a group goes on with a partition.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="To">The offset that is committed now.</param>
/// <param name="Lag">Records from there to the end.</param>
/// <param name="IsClamped">Whether the offset that was asked for lies outside of the partition, and the nearest one was taken.</param>
/// <param name="From">The offset that was committed; null for none.</param>
public sealed record OffsetReset(string Topic, int Partition, long To, long Lag, bool IsClamped, long? From = null);
