using Dragoman.Storage.Journal;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Groups.Offsets;

/// <summary>
/// Offsets that become a group's when a transaction commits. Whoever coordinates transactions brings its own
/// <see cref="Commit"/>, so that markers, the end of the transaction and the offsets are one.
/// </summary>
/// <remarks>
/// Every member but <see cref="ShardOf"/> and <see cref="BytesOf"/> is called with the lock of the shard held. Locks of
/// several shards, and of other states, are taken in the order of <see cref="StateLog.Id"/>, and before those of logs.
/// </remarks>
public interface ITransactionalOffsets
{
    /// <summary>What to admit, in bytes, for each shard of which <see cref="Complete"/> is called.</summary>
    const int CompletionBytes = 64;

    /// <summary>The state that holds a group.</summary>
    StateLog ShardOf(GroupName group);

    /// <summary>What to admit, in bytes, for a call of <see cref="Stage"/>.</summary>
    int BytesOf(GroupName group, IReadOnlyList<OffsetCommit> offsets);

    /// <summary>
    /// Whether somebody may commit offsets of a group in a transaction: a member of the current generation may
    /// (KIP-447), and whoever names no member.
    /// </summary>
    GroupStatus Check(GroupName group, GroupCaller caller);

    /// <summary>
    /// Keeps offsets aside until the producer's transaction ends. Until then they are unstable to whoever asks for stable
    /// ones, and nobody sees them. The caller has refused metadata longer than <see cref="GroupOptions.MaxOffsetMetadata"/>.
    /// </summary>
    void Stage(Commit commit, GroupName group, long producerId, short producerEpoch, IReadOnlyList<OffsetCommit> offsets);

    /// <summary>Whether a shard keeps offsets of a producer's open transaction.</summary>
    bool HasPending(StateLog shard, long producerId);

    /// <summary>
    /// Ends a producer's transaction in one shard: its offsets become those of their groups, or are forgotten. An offset
    /// that was committed otherwise after it was staged stays. Does nothing where nothing is staged.
    /// </summary>
    void Complete(Commit commit, StateLog shard, long producerId, bool committed);
}
