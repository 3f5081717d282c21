using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer;
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

    /// <summary>
    /// Has somebody join a group whose members assign themselves. The answer comes when its next generation is complete:
    /// when all members have joined, or have had their time to.
    /// </summary>
    /// <param name="request">Who, and as what.</param>
    /// <param name="cancellation">Nobody waits for the answer any more; a new member is then forgotten.</param>
    ValueTask<JoinAnswer> JoinAsync(JoinRequest request, CancellationToken cancellation = default);

    /// <summary>Asks for a member's share, and brings all shares if the member leads. The answer comes when they are on disk.</summary>
    ValueTask<SyncAnswer> SyncAsync(SyncRequest request, CancellationToken cancellation = default);

    /// <summary>Takes a member's sign of life; tells it to join again where the members are being assigned anew.</summary>
    GroupStatus Heartbeat(GroupName group, GroupCaller caller);

    /// <summary>Has members leave; the answers are in the order of the members.</summary>
    ValueTask<IReadOnlyList<GroupStatus>> LeaveAsync(GroupName group, IReadOnlyList<LeavingMember> members, CancellationToken cancellation = default);

    /// <summary>
    /// Takes what a member of a group tells whose assignments are the broker's (KIP-848), and tells it what it shall have.
    /// The answer comes when what has changed is on disk.
    /// </summary>
    ValueTask<ConsumerAnswer> HeartbeatAsync(ConsumerHeartbeat heartbeat, CancellationToken cancellation = default);

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

    /// <summary>All groups of all namespaces, in the order of their names.</summary>
    ValueTask<GroupsAnswer> ListAsync(CancellationToken cancellation = default);

    /// <summary>A group in full.</summary>
    ValueTask<GroupAnswer> DescribeAsync(GroupName group, CancellationToken cancellation = default);

    /// <summary>Deletes a group that has no members, with its offsets.</summary>
    ValueTask<GroupStatus> DeleteAsync(GroupName group, CancellationToken cancellation = default);

    /// <summary>Looks for expired offsets now instead of at the next interval.</summary>
    Task ExpireAsync();

    /// <summary>Deletes committed offsets, those of open transactions included, of partitions that no member reads.</summary>
    ValueTask<DeleteOffsetsAnswer> DeleteOffsetsAsync(GroupName group, IReadOnlyList<GroupPartition> partitions, CancellationToken cancellation = default);
}
