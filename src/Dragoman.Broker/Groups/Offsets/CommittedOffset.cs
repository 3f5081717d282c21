namespace Dragoman.Broker.Groups.Offsets;

/// <summary>How far a group has read a partition.</summary>
/// <param name="Offset">The offset of the next record to read.</param>
/// <param name="LeaderEpoch">The leader epoch of the last record read; -1 when unknown.</param>
/// <param name="Metadata">What the client keeps beside the offset.</param>
public readonly record struct CommittedOffset(long Offset, int LeaderEpoch, string Metadata);

/// <summary>An offset to commit.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Committed">How far it was read.</param>
public readonly record struct OffsetCommit(GroupPartition Partition, CommittedOffset Committed);

/// <summary>What a group has committed of a partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Status">
/// <see cref="GroupStatus.Ok"/>, or <see cref="GroupStatus.UnstableOffset"/> where only stable offsets were asked for.
/// </param>
/// <param name="Committed">How far it was read; null if nothing is committed.</param>
/// <param name="CommittedAtMs">When that was committed, in milliseconds since 1970; -1 if nothing is.</param>
public readonly record struct FetchedOffset(GroupPartition Partition, GroupStatus Status, CommittedOffset? Committed, long CommittedAtMs);

/// <summary>The answer to a request for offsets.</summary>
/// <param name="Status">Whether they may be asked for by whoever asked.</param>
/// <param name="Offsets">The offsets, in the order asked for.</param>
public readonly record struct OffsetsAnswer(GroupStatus Status, IReadOnlyList<FetchedOffset> Offsets);

/// <summary>The answer to a deletion of offsets.</summary>
/// <param name="Status">How it ended as a whole.</param>
/// <param name="Partitions">How it ended for each partition, in the order asked for; empty unless the whole is well.</param>
public readonly record struct DeleteOffsetsAnswer(GroupStatus Status, IReadOnlyList<GroupStatus> Partitions);
