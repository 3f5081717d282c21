using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Groups.State;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Groups;

/// <summary>Committed offsets.</summary>
internal sealed partial class GroupShard
{
    /// <summary>Whether somebody may commit offsets of a group now. The lock is held.</summary>
    public GroupStatus CheckCommit(GroupName name, GroupCaller caller, bool transactional)
    {
        if (_defects.ForgetFencing && IsLive(name)) return GroupStatus.Ok;
        if (_classic.TryGetValue(name, out var group)) return group.CheckCommit(caller, transactional, NowMs);
        if (_consumer.TryGetValue(name, out var consumer)) return consumer.CheckCommit(caller, transactional);
        // Whoever is no member may commit for a group that has none, and so make it.
        if (caller.Generation < 0) return GroupStatus.Ok;
        return _state.Groups.ContainsKey(name) ? GroupStatus.UnknownMember : transactional ? GroupStatus.IllegalGeneration : GroupStatus.NotFound;
    }

    public ValueTask<GroupStatus> CommitOffsetsAsync(
        GroupName name, GroupCaller caller, IReadOnlyList<OffsetCommit> offsets, long retentionMs, CancellationToken cancellation)
    {
        var committed = Log.ExecuteAsync(CommitMode.Fsync, commit =>
        {
            CheckServes();
            var status = CheckCommit(name, caller, transactional: false);
            if (status != GroupStatus.Ok) return status;
            var now = WallClockMs;
            using var evt = new PooledBuffer();
            GroupEvents.OffsetsCommitted(evt, name, now, retentionMs < 0 ? -1 : now + retentionMs, offsets);
            Log.Emit(commit, evt.WrittenSpan);
            return status;
        }, GroupEvents.SizeOf(name, offsets), cancellation: cancellation);
        if (!_defects.AcknowledgeEarly) return committed;
        committed.AsTask();
        return ValueTask.FromResult(GroupStatus.Ok);
    }

    public ValueTask<OffsetsAnswer> FetchOffsetsAsync(
        GroupName name, GroupCaller caller, IReadOnlyList<GroupPartition>? partitions, bool requireStable, CancellationToken cancellation)
    {
        // Emits nothing, and so waits only for what it has seen to be on disk. A full disk does not keep readers out.
        return Log.ExecuteAsync(CommitMode.Fsync, _ => FetchOffsets(name, caller, partitions, requireStable), 0, urgent: true, cancellation);
    }

    private OffsetsAnswer FetchOffsets(GroupName name, GroupCaller caller, IReadOnlyList<GroupPartition>? partitions, bool requireStable)
    {
        CheckServes();
        if (_consumer.TryGetValue(name, out var consumer) && consumer.CheckFetch(caller) is var status && status != GroupStatus.Ok) return new OffsetsAnswer(status, []);
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
            CheckServes();
            if (!_state.Groups.TryGetValue(name, out var group) && !_classic.ContainsKey(name)) return new DeleteOffsetsAnswer(GroupStatus.NotFound, []);
            if (_classic.TryGetValue(name, out var live) && live.MemberCount > 0 && live.ProtocolType != Classic.ClassicGroup.ConsumerType)
                return new DeleteOffsetsAnswer(GroupStatus.NotEmpty, []);
            var answers = new GroupStatus[partitions.Count];
            var present = new List<GroupPartition>(partitions.Count);
            for (var i = 0; i < answers.Length; i++)
            {
                var partition = partitions[i];
                if (IsSubscribed(name, partition.Topic)) answers[i] = GroupStatus.SubscribedToTopic;
                else if (group is not null && (group.Offsets.ContainsKey(partition) || group.HasPendingOf(partition))) present.Add(partition);
            }
            if (present.Count > 0) Emit(commit, evt => GroupEvents.OffsetsDeleted(evt, name, present));
            return new DeleteOffsetsAnswer(GroupStatus.Ok, answers);
        }, GroupEvents.SizeOf(name, partitions.Count), urgent: true, cancellation);
    }

    /// <summary>Whether members of a group read a topic; one that is gone is read by nobody.</summary>
    private bool IsSubscribed(GroupName name, Guid topic) =>
        _topics.Find(topic) is { } handle
        && ((_classic.TryGetValue(name, out var classic) && classic.IsSubscribedTo(handle.Name)) || (_consumer.TryGetValue(name, out var consumer) && consumer.IsSubscribedTo(handle)));

    public void Stage(Commit commit, GroupName name, long producerId, short producerEpoch, IReadOnlyList<OffsetCommit> offsets) =>
        Emit(commit, evt => GroupEvents.OffsetsStaged(evt, name, producerId, producerEpoch, WallClockMs, offsets));

    public bool HasPending(long producerId) => _state.HasPending(producerId);

    public void Complete(Commit commit, long producerId, bool committed)
    {
        if (_state.HasPending(producerId)) Emit(commit, evt => GroupEvents.TransactionCompleted(evt, producerId, committed));
    }
}
