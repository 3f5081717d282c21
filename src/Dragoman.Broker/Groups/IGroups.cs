using Dragoman.Broker.Groups.Offsets;

namespace Dragoman.Broker.Groups;

/// <summary>
/// The consumer groups: who is a member, who reads which partition, and how far it was read. Every answer may be
/// <see cref="GroupStatus.Moved"/>.
/// </summary>
public interface IGroups
{
    /// <summary>How they behave.</summary>
    GroupOptions Options { get; }

    /// <summary>Offsets that are committed with transactions.</summary>
    ITransactionalOffsets Transactional { get; }

    /// <summary>Commits offsets. The answer comes when they are on disk; all of them are committed or none.</summary>
    /// <param name="group">The group; made if it is not there and the caller is no member.</param>
    /// <param name="caller">Who commits: while a group has members, only they may.</param>
    /// <param name="offsets">The offsets; the caller has refused metadata longer than <see cref="GroupOptions.MaxOffsetMetadata"/>.</param>
    /// <param name="retentionMs">How long to keep them whatever the group does, in milliseconds; negative for the broker's rule.</param>
    /// <param name="cancellation">Ends the wait for room.</param>
    ValueTask<GroupStatus> CommitOffsetsAsync(
        GroupName group, GroupCaller caller, IReadOnlyList<OffsetCommit> offsets, long retentionMs = -1, CancellationToken cancellation = default);

    /// <summary>Reads committed offsets. A group that does not exist has none.</summary>
    /// <param name="group">The group.</param>
    /// <param name="caller">Who asks, where it says so: a member of another epoch is refused.</param>
    /// <param name="partitions">Which; null for all there are.</param>
    /// <param name="requireStable">Whether an offset that an open transaction may change is withheld.</param>
    /// <param name="cancellation">Ends the wait for what is under way.</param>
    ValueTask<OffsetsAnswer> FetchOffsetsAsync(
        GroupName group, GroupCaller caller, IReadOnlyList<GroupPartition>? partitions, bool requireStable, CancellationToken cancellation = default);

    /// <summary>Deletes committed offsets, those of open transactions included, of partitions that no member reads.</summary>
    ValueTask<DeleteOffsetsAnswer> DeleteOffsetsAsync(GroupName group, IReadOnlyList<GroupPartition> partitions, CancellationToken cancellation = default);
}
