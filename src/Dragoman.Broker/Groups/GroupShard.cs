using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Groups.State;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Groups;

/// <summary>
/// The groups that one state log holds: a unit of ownership. Everything here happens under the lock of the state,
/// which every member but the asynchronous ones expects to be held.
/// </summary>
internal sealed class GroupShard(StateLog log, TimeProvider time)
{
    private readonly GroupShardState _state = (GroupShardState)log.Machine;

    public StateLog Log { get; } = log;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Whether somebody may commit offsets of a group now.</summary>
    public GroupStatus CheckCommit(GroupName name, GroupCaller caller)
    {
        // Whoever is no member may commit for a group that has none, and so make it.
        if (!_state.Groups.TryGetValue(name, out _)) return caller.Generation < 0 ? GroupStatus.Ok : GroupStatus.NotFound;
        return caller.Generation < 0 ? GroupStatus.Ok : GroupStatus.UnknownMember;
    }

    /// <summary>Whether somebody may commit offsets of a group in a transaction now.</summary>
    public GroupStatus CheckTransactionalCommit(GroupName name, GroupCaller caller)
    {
        var status = CheckCommit(name, caller);
        return status == GroupStatus.NotFound ? GroupStatus.IllegalGeneration : status;
    }

    public ValueTask<GroupStatus> CommitOffsetsAsync(
        GroupName name, GroupCaller caller, IReadOnlyList<OffsetCommit> offsets, long retentionMs, CancellationToken cancellation)
    {
        return Log.ExecuteAsync(CommitMode.Fsync, commit =>
        {
            var status = CheckCommit(name, caller);
            if (status != GroupStatus.Ok) return status;
            var now = NowMs;
            using var evt = new PooledBuffer();
            GroupEvents.OffsetsCommitted(evt, name, now, retentionMs < 0 ? -1 : now + retentionMs, offsets);
            Log.Emit(commit, evt.WrittenSpan);
            return status;
        }, GroupEvents.SizeOf(name, offsets), cancellation: cancellation);
    }

    public ValueTask<OffsetsAnswer> FetchOffsetsAsync(
        GroupName name, IReadOnlyList<GroupPartition>? partitions, bool requireStable, CancellationToken cancellation)
    {
        // Emits nothing, and so waits only for what it has seen to be on disk. A full disk does not keep readers out.
        return Log.ExecuteAsync(CommitMode.Fsync, _ => FetchOffsets(name, partitions, requireStable), 0, urgent: true, cancellation);
    }

    private OffsetsAnswer FetchOffsets(GroupName name, IReadOnlyList<GroupPartition>? partitions, bool requireStable)
    {
        _state.Groups.TryGetValue(name, out var group);
        if (partitions is null)
        {
            if (group is null) return new OffsetsAnswer(GroupStatus.Ok, []);
            var all = new List<FetchedOffset>(group.Offsets.Count);
            foreach (var partition in group.Offsets.Keys) all.Add(FetchOffset(group, partition, requireStable));
            return new OffsetsAnswer(GroupStatus.Ok, all);
        }
        var asked = new FetchedOffset[partitions.Count];
        for (var i = 0; i < asked.Length; i++) asked[i] = FetchOffset(group, partitions[i], requireStable);
        return new OffsetsAnswer(GroupStatus.Ok, asked);
    }

    private static FetchedOffset FetchOffset(GroupRecord? group, GroupPartition partition, bool requireStable)
    {
        if (group is null) return new FetchedOffset(partition, GroupStatus.Ok, null, -1);
        if (requireStable && group.HasPendingOf(partition)) return new FetchedOffset(partition, GroupStatus.UnstableOffset, null, -1);
        return group.Offsets.TryGetValue(partition, out var stored)
            ? new FetchedOffset(partition, GroupStatus.Ok, stored.Committed, stored.CommittedAtMs)
            : new FetchedOffset(partition, GroupStatus.Ok, null, -1);
    }

    public ValueTask<DeleteOffsetsAnswer> DeleteOffsetsAsync(GroupName name, IReadOnlyList<GroupPartition> partitions, CancellationToken cancellation)
    {
        return Log.ExecuteAsync(CommitMode.Fsync, commit =>
        {
            if (!_state.Groups.TryGetValue(name, out var group)) return new DeleteOffsetsAnswer(GroupStatus.NotFound, []);
            var present = new List<GroupPartition>(partitions.Count);
            foreach (var partition in partitions)
                if (group.Offsets.ContainsKey(partition) || group.HasPendingOf(partition)) present.Add(partition);
            if (present.Count > 0)
            {
                using var evt = new PooledBuffer();
                GroupEvents.OffsetsDeleted(evt, name, present);
                Log.Emit(commit, evt.WrittenSpan);
            }
            return new DeleteOffsetsAnswer(GroupStatus.Ok, new GroupStatus[partitions.Count]);
        }, GroupEvents.SizeOf(name, partitions.Count), urgent: true, cancellation);
    }

    public void Stage(Commit commit, GroupName name, long producerId, short producerEpoch, IReadOnlyList<OffsetCommit> offsets)
    {
        using var evt = new PooledBuffer();
        GroupEvents.OffsetsStaged(evt, name, producerId, producerEpoch, NowMs, offsets);
        Log.Emit(commit, evt.WrittenSpan);
    }

    public bool HasPending(long producerId) => _state.HasPending(producerId);

    public void Complete(Commit commit, long producerId, bool committed)
    {
        if (!_state.HasPending(producerId)) return;
        using var evt = new PooledBuffer();
        GroupEvents.TransactionCompleted(evt, producerId, committed);
        Log.Emit(commit, evt.WrittenSpan);
    }
}
