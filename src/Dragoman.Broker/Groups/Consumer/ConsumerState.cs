using Dragoman.Broker.Groups.Offsets;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>
/// What is durable of a group whose assignments are the broker's: all of it, but for the members' time-outs. It changes
/// through <see cref="Apply"/> alone.
/// </summary>
internal sealed class ConsumerState
{
    private readonly OrderedDictionary<string, ConsumerMember> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PartitionSet> _targets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _instances = new(StringComparer.Ordinal);
    private readonly Dictionary<GroupPartition, string> _owners = [];

    /// <summary>Rises with every change of who the members are and what they subscribe to.</summary>
    public int Epoch { get; private set; }

    /// <summary>The epoch that the targets are for.</summary>
    public int TargetEpoch { get; private set; }

    /// <summary>The assignor that made the targets; empty before the first.</summary>
    public string Assignor { get; private set; } = "";

    /// <summary>When the last member went, in milliseconds since 1970; meaningless while there are members.</summary>
    public long EmptySinceMs { get; private set; }

    /// <summary>The topics that members read, with how many partitions they had at this epoch.</summary>
    public IReadOnlyDictionary<Guid, int> Topics { get; private set; } = new Dictionary<Guid, int>();

    public OrderedDictionary<string, ConsumerMember> Members => _members;

    public ConsumerMember? Find(string memberId) => _members.GetValueOrDefault(memberId);

    public ConsumerMember? FindInstance(string instanceId) => _instances.TryGetValue(instanceId, out var id) ? _members[id] : null;

    public PartitionSet TargetOf(string memberId) => _targets.GetValueOrDefault(memberId, PartitionSet.Empty);

    /// <summary>The member that has a partition or has yet to give it up; null if it is free.</summary>
    public string? OwnerOf(GroupPartition partition) => _owners.GetValueOrDefault(partition);

    /// <summary>Where the group stands.</summary>
    public GroupState Standing
    {
        get
        {
            if (_members.Count == 0) return GroupState.Empty;
            if (Epoch > TargetEpoch) return GroupState.Assigning;
            foreach (var member in _members.Values)
                if (!member.IsReconciledTo(TargetEpoch)) return GroupState.Reconciling;
            return GroupState.Stable;
        }
    }

    /// <summary>Takes in a change.</summary>
    public void Apply(ConsumerChange change)
    {
        Epoch = change.Epoch;
        TargetEpoch = change.TargetEpoch;
        Assignor = change.Assignor;
        EmptySinceMs = change.AtMs;
        if (change.Topics is not null) Topics = change.Topics;
        foreach (var id in change.Removed)
        {
            Invariant.Check(_members.Remove(id, out var gone), "only members leave");
            Release(gone);
            _targets.Remove(id);
        }
        // All give up before anybody takes, so that a partition can change hands in one change.
        foreach (var member in change.Put)
            if (_members.TryGetValue(member.Id, out var before)) Release(before);
        foreach (var member in change.Put)
        {
            _members[member.Id] = member;
            if (member.InstanceId is { } instance) Invariant.Check(_instances.TryAdd(instance, member.Id), "an instance has one member");
            foreach (var partition in member.Assigned) Invariant.Check(_owners.TryAdd(partition, member.Id), "a partition has one owner");
            foreach (var partition in member.Revoking) Invariant.Check(_owners.TryAdd(partition, member.Id), "a partition has one owner");
        }
        foreach (var (id, target) in change.Targets)
        {
            Invariant.Check(_members.ContainsKey(id), "targets are members'");
            _targets[id] = target;
        }
    }

    private void Release(ConsumerMember member)
    {
        if (member.InstanceId is { } instance) _instances.Remove(instance);
        foreach (var partition in member.Assigned) _owners.Remove(partition);
        foreach (var partition in member.Revoking) _owners.Remove(partition);
    }

    /// <summary>The whole state as one change of an empty one.</summary>
    public ConsumerChange ToChange() => new()
    {
        Epoch = Epoch,
        TargetEpoch = TargetEpoch,
        Assignor = Assignor,
        AtMs = EmptySinceMs,
        Topics = Topics,
        Removed = [],
        Put = [.. _members.Values],
        Targets = [.. _targets],
    };
}
