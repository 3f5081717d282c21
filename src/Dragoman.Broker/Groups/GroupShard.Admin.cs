using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.State;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Groups;

/// <summary>Looking at groups from outside, and deleting them.</summary>
internal sealed partial class GroupShard
{
    /// <summary>All groups, also those that have nothing durable yet.</summary>
    public ValueTask<List<GroupSummary>> ListAsync(CancellationToken cancellation) => Log.ExecuteAsync(CommitMode.Fsync, _ =>
    {
        var all = new List<GroupSummary>();
        foreach (var group in _classic.Values) all.Add(new GroupSummary(group.Name, GroupKind.Classic, StateOf(group), group.ProtocolType ?? ""));
        foreach (var record in _state.Groups.Values)
            if (!IsLive(record.Name)) all.Add(new GroupSummary(record.Name, GroupKind.Classic, GroupState.Empty, record.Classic?.ProtocolType ?? ""));
        return all;
    }, 0, urgent: true, cancellation);

    /// <summary>A group in full.</summary>
    public ValueTask<GroupAnswer> DescribeAsync(GroupName name, CancellationToken cancellation) => Log.ExecuteAsync(CommitMode.Fsync, _ =>
    {
        if (_classic.TryGetValue(name, out var group)) return new GroupAnswer(GroupStatus.Ok, Describe(group));
        return _state.Groups.TryGetValue(name, out var record) ? new GroupAnswer(GroupStatus.Ok, DescribeEmpty(record)) : new GroupAnswer(GroupStatus.NotFound, null);
    }, 0, urgent: true, cancellation);

    /// <summary>Deletes a group that has no members, with its offsets.</summary>
    public ValueTask<GroupStatus> DeleteAsync(GroupName name, CancellationToken cancellation) => Log.ExecuteAsync(CommitMode.Fsync, commit =>
    {
        if (!_state.Groups.ContainsKey(name) && !_classic.ContainsKey(name)) return GroupStatus.NotFound;
        if (_classic.TryGetValue(name, out var group))
        {
            if (group.State != ClassicState.Empty) return GroupStatus.NotEmpty;
            // Ids that were told to clients which have not joined yet go with the group.
            _classic.Remove(name);
        }
        if (_state.Groups.ContainsKey(name)) Emit(commit, evt => GroupEvents.GroupDeleted(evt, name));
        return GroupStatus.Ok;
    }, GroupEvents.SizeOf(name), urgent: true, cancellation);

    private bool IsLive(GroupName name) => _classic.ContainsKey(name);

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

    private static GroupDescription DescribeEmpty(GroupRecord record) => new()
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
