using Dragoman.Broker.Groups.Offsets;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>A state as a command would have it: what is there, with the command's own changes over it. Nothing is changed.</summary>
internal sealed class ConsumerDraft(ConsumerState state)
{
    private readonly OrderedDictionary<string, ConsumerMember> _put = new(StringComparer.Ordinal);
    private readonly HashSet<string> _removed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PartitionSet> _targets = new(StringComparer.Ordinal);

    public int Epoch { get; private set; } = state.Epoch;

    public int TargetEpoch { get; private set; } = state.TargetEpoch;

    public string Assignor { get; private set; } = state.Assignor;

    public IReadOnlyDictionary<Guid, int> Topics { get; private set; } = state.Topics;

    /// <summary>The version of the topics that the subscriptions were held against; -1 if they were not.</summary>
    public long TopicsVersion { get; set; } = -1;

    public bool IsChanged =>
        _put.Count > 0 || _removed.Count > 0 || _targets.Count > 0 || Epoch != state.Epoch || TargetEpoch != state.TargetEpoch || !ReferenceEquals(Topics, state.Topics);

    /// <summary>The members, those that have come last.</summary>
    public IEnumerable<ConsumerMember> Members
    {
        get
        {
            foreach (var (id, member) in state.Members)
                if (!_removed.Contains(id)) yield return _put.GetValueOrDefault(id, member);
            foreach (var (id, member) in _put)
                if (!state.Members.ContainsKey(id) || _removed.Contains(id)) yield return member;
        }
    }

    public int MemberCount => Members.Count();

    public ConsumerMember? Find(string memberId) =>
        _put.TryGetValue(memberId, out var member) ? member : _removed.Contains(memberId) ? null : state.Find(memberId);

    public ConsumerMember? FindInstance(string instanceId)
    {
        foreach (var member in _put.Values)
            if (member.InstanceId == instanceId) return member;
        return state.FindInstance(instanceId) is { } found && Find(found.Id) == found ? found : null;
    }

    public PartitionSet TargetOf(string memberId) =>
        _targets.TryGetValue(memberId, out var target) ? target : _removed.Contains(memberId) ? PartitionSet.Empty : state.TargetOf(memberId);

    /// <summary>Whether nobody has a partition, nor has yet to give it up.</summary>
    public bool IsFree(GroupPartition partition)
    {
        foreach (var member in _put.Values)
            if (member.Assigned.Contains(partition) || member.Revoking.Contains(partition)) return false;
        return state.OwnerOf(partition) is not { } owner || _put.ContainsKey(owner) || _removed.Contains(owner);
    }

    public void Put(ConsumerMember member)
    {
        if (Find(member.Id) == member) return;
        _put[member.Id] = member;
    }

    public void Remove(string memberId)
    {
        _put.Remove(memberId);
        _targets.Remove(memberId);
        if (state.Find(memberId) is not null) _removed.Add(memberId);
    }

    public void SetTarget(string memberId, PartitionSet target)
    {
        if (!TargetOf(memberId).Equals(target)) _targets[memberId] = target;
    }

    /// <summary>Begins another epoch.</summary>
    public void Bump(int epoch) => Epoch = epoch;

    public void Resolve(IReadOnlyDictionary<Guid, int> topics) => Topics = topics;

    public void SetAssigned(string assignor, int epoch)
    {
        Assignor = assignor;
        TargetEpoch = epoch;
    }

    public ConsumerChange ToChange(long nowMs) => new()
    {
        Epoch = Epoch,
        TargetEpoch = TargetEpoch,
        Assignor = Assignor,
        AtMs = nowMs,
        Topics = ReferenceEquals(Topics, state.Topics) ? null : Topics,
        Removed = [.. _removed],
        Put = [.. _put.Values],
        Targets = [.. _targets],
    };
}
