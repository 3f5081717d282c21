using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Groups.State;

namespace Dragoman.Fuzz.Targets.States;

internal sealed class GroupSource : StateSource<GroupShardState>
{
    protected override byte[] Event(GroupShardState state, Random random)
    {
        var name = new GroupName(Some.Namespace(random), Some.Text(random));
        var present = Some.Present(state.Groups.Keys, random);
        switch (random.Next(10))
        {
            case 0 or 1:
                return Some.Write(target => GroupEvents.OffsetsCommitted(target, name, Some.Number(random), Some.Number(random), Some.Several(random, Offset)));
            case 2:
                return Some.Write(target => GroupEvents.OffsetsStaged(target, name, random.Next(4), 1, Some.Number(random), Some.Several(random, Offset)));
            case 3 when Enumerable.Range(0, 4).Where(id => state.HasPending(id)).ToList() is { Count: > 0 } staging:
                return Some.Write(target => GroupEvents.TransactionCompleted(target, staging[random.Next(staging.Count)], random.Next(2) == 0));
            case 4 when present is not null:
                return Some.Write(target => GroupEvents.OffsetsDeleted(target, present, Some.Several(random, Partition)));
            case 5 when present is not null:
                return Some.Write(target => GroupEvents.GroupDeleted(target, present));
            case 6 or 7:
                return Some.Write(target => GroupEvents.ClassicChanged(target, name, Classic(random)));
            default:
                var before = state.Groups.GetValueOrDefault(name)?.Consumer;
                return Some.Write(target => GroupEvents.ConsumerChanged(target, name, Consumer(before, random)));
        }
    }

    private static GroupPartition Partition(Random random) => new(Some.Id(random), random.Next(4));

    private static OffsetCommit Offset(Random random) => new(Partition(random), new CommittedOffset(Some.Number(random), random.Next(3), Some.Text(random)));

    private static GroupProtocol Protocol(Random random) => new(Some.Text(random), Some.Bytes(random));

    private static ClassicRecord Classic(Random random) => new()
    {
        ProtocolType = "consumer",
        Generation = random.Next(9),
        Protocol = Some.OptionalText(random),
        Leader = Some.OptionalText(random),
        SinceMs = Some.Number(random),
        Members = Some.Several(random, Member),
    };

    private static ClassicMemberRecord Member(Random random) => new()
    {
        Id = Some.Text(random),
        InstanceId = Some.OptionalText(random),
        ClientId = Some.Text(random),
        ClientHost = Some.Text(random),
        SessionTimeoutMs = random.Next(),
        RebalanceTimeoutMs = random.Next(),
        Protocols = Some.Several(random, Protocol),
        Topics = random.Next(2) == 0 ? null : Some.Several(random, Some.Topic),
        Share = new GroupShare(Some.Bytes(random), random.Next(2) == 0 ? null : Some.Several(random, Partition)),
    };

    /// <summary>Members come, change and go; each owns partitions of a number of its own, so that none has two owners.</summary>
    private static ConsumerChange Consumer(ConsumerState? before, Random random)
    {
        var ids = new[] { "m0", "m1", "m2" };
        var removed = ids.Where(id => before?.Find(id) is not null && random.Next(4) == 0).ToList();
        var put = ids.Where(id => !removed.Contains(id) && random.Next(2) == 0).ToList();
        var there = put.Concat(ids.Where(id => before?.Find(id) is not null)).Except(removed).Distinct().ToList();
        return new ConsumerChange
        {
            Epoch = random.Next(9),
            TargetEpoch = random.Next(9),
            Assignor = Some.Text(random),
            AtMs = Some.Number(random),
            Topics = random.Next(2) == 0 ? null : Enumerable.Range(0, random.Next(3)).ToDictionary(n => new Guid(n, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]), _ => random.Next(5)),
            Removed = removed,
            Put = [.. put.Select(id => Put(id, random))],
            Targets = [.. there.Where(_ => random.Next(2) == 0).Select(id => KeyValuePair.Create(id, Set(id, random)))],
        };
    }

    private static ConsumerMember Put(string id, Random random) => new()
    {
        Id = id,
        InstanceId = random.Next(2) == 0 ? null : $"instance of {id}",
        Rack = Some.OptionalText(random),
        ClientId = Some.Text(random),
        Topics = Some.Several(random, Some.Topic),
        Pattern = Some.OptionalText(random),
        Classic = random.Next(2) == 0 ? null : new ClassicMembership(random.Next(), Some.Several(random, Protocol)),
        Epoch = random.Next(9),
        State = (MemberState)random.Next(3),
        Assigned = Set(id, random),
    };

    private static PartitionSet Set(string id, Random random) =>
        PartitionSet.Of([.. Some.Several(random, r => new GroupPartition(Some.Id(r), id[1] - '0')).Distinct()]);
}
