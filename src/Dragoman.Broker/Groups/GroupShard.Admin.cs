using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.State;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Groups;

/// <summary>Looking at groups from outside, and deleting them.</summary>
internal sealed partial class GroupShard
{
    /// <summary>All groups, also those that have nothing durable yet.</summary>
    public ValueTask<List<GroupSummary>> ListAsync(CancellationToken cancellation) => Log.ExecuteAsync(CommitMode.Fsync, _ =>
    {
        CheckServes();
        var all = new List<GroupSummary>();
        foreach (var group in _classic.Values) all.Add(new GroupSummary(group.Name, GroupKind.Classic, StateOf(group), group.ProtocolType ?? ""));
        foreach (var group in _consumer.Values) all.Add(new GroupSummary(group.Name, GroupKind.Consumer, group.State.Standing, ClassicGroup.ConsumerType));
        foreach (var record in _state.Groups.Values)
            if (!IsLive(record.Name)) all.Add(new GroupSummary(record.Name, KindOf(record), GroupState.Empty, ProtocolTypeOf(record)));
        return all;
    }, 0, urgent: true, cancellation);

    /// <summary>A group in full.</summary>
    public ValueTask<GroupAnswer> DescribeAsync(GroupName name, CancellationToken cancellation) => Log.ExecuteAsync(CommitMode.Fsync, _ =>
    {
        CheckServes();
        if (_classic.TryGetValue(name, out var group)) return new GroupAnswer(GroupStatus.Ok, Describe(group));
        if (_consumer.TryGetValue(name, out var consumer)) return new GroupAnswer(GroupStatus.Ok, Describe(name, consumer.State));
        return _state.Groups.TryGetValue(name, out var record) ? new GroupAnswer(GroupStatus.Ok, DescribeEmpty(record)) : new GroupAnswer(GroupStatus.NotFound, null);
    }, 0, urgent: true, cancellation);

    /// <summary>Deletes a group that has no members, with its offsets.</summary>
    public async ValueTask<GroupStatus> DeleteAsync(GroupName name, CancellationToken cancellation)
    {
        // A timer may be late, and whoever waited for the last session to end asks at that very moment.
        await CatchUpAsync();
        return await Log.ExecuteAsync(CommitMode.Fsync, commit => Delete(name, commit), GroupEvents.SizeOf(name), urgent: true, cancellation);
    }

    private GroupStatus Delete(GroupName name, Commit commit)
    {
        CheckServes();
        if (!_state.Groups.ContainsKey(name) && !_classic.ContainsKey(name)) return GroupStatus.NotFound;
        if (_consumer.ContainsKey(name)) return GroupStatus.NotEmpty;
        if (_classic.TryGetValue(name, out var group))
        {
            if (group.State != ClassicState.Empty) return GroupStatus.NotEmpty;
            // Ids that were told to clients which have not joined yet go with the group.
            _classic.Remove(name);
        }
        if (_state.Groups.ContainsKey(name)) Emit(commit, evt => GroupEvents.GroupDeleted(evt, name));
        return GroupStatus.Ok;
    }

    private bool IsLive(GroupName name) => _classic.ContainsKey(name) || _consumer.ContainsKey(name);

    private static GroupKind KindOf(GroupRecord record) => record.Consumer is null ? GroupKind.Classic : GroupKind.Consumer;

    private static string ProtocolTypeOf(GroupRecord record) => record.Consumer is null ? record.Classic?.ProtocolType ?? "" : ClassicGroup.ConsumerType;

    private static GroupState StateOf(ClassicGroup group) => group.State switch
    {
        ClassicState.PreparingRebalance => GroupState.PreparingRebalance,
        ClassicState.CompletingRebalance => GroupState.CompletingRebalance,
        ClassicState.Stable => GroupState.Stable,
        _ => GroupState.Empty,
    };

    private static GroupDescription Describe(ClassicGroup group)
    {
        // While members are on their way to the next generation, what they say and have is not settled.
        var isStable = group.State == ClassicState.Stable;
        return new GroupDescription
        {
            Name = group.Name,
            Kind = GroupKind.Classic,
            State = StateOf(group),
            ProtocolType = group.ProtocolType ?? "",
            Protocol = isStable ? group.Protocol ?? "" : "",
            Epoch = group.Generation,
            AssignmentEpoch = group.Generation,
            Members =
            [
                .. group.Members.Select(m => new MemberDescription
                {
                    Id = m.Id,
                    InstanceId = m.InstanceId,
                    ClientId = m.ClientId,
                    ClientHost = m.ClientHost,
                    Epoch = group.Generation,
                    IsClassic = true,
                    Metadata = isStable ? m.MetadataFor(group.Protocol) : [],
                    Assignment = isStable ? m.Share.Data : [],
                    Topics = m.Topics,
                    Partitions = isStable ? m.Share.Partitions : [],
                }),
            ],
        };
    }

    private static GroupDescription Describe(GroupName name, ConsumerState state) => new()
    {
        Name = name,
        Kind = GroupKind.Consumer,
        State = state.Standing,
        ProtocolType = ClassicGroup.ConsumerType,
        Protocol = state.Assignor,
        Epoch = state.Epoch,
        AssignmentEpoch = state.TargetEpoch,
        Members =
        [
            .. state.Members.Values.Select(m => new MemberDescription
            {
                Id = m.Id,
                InstanceId = m.InstanceId,
                ClientId = m.ClientId,
                ClientHost = m.ClientHost,
                Rack = m.Rack,
                Epoch = m.Epoch,
                IsClassic = m.Classic is not null,
                Topics = m.Topics,
                TopicPattern = m.Pattern,
                Partitions = m.Assigned,
                Target = state.TargetOf(m.Id),
            }),
        ],
    };

    private static GroupDescription DescribeEmpty(GroupRecord record) => record.Consumer is { } consumer ? Describe(record.Name, consumer) : new()
    {
        Name = record.Name,
        Kind = GroupKind.Classic,
        State = GroupState.Empty,
        ProtocolType = record.Classic?.ProtocolType ?? "",
        Protocol = "",
        Epoch = record.Classic?.Generation ?? 0,
        AssignmentEpoch = record.Classic?.Generation ?? 0,
        Members = [],
    };
}
