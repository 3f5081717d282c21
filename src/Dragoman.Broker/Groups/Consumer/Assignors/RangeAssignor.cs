using Dragoman.Broker.Groups.Offsets;

namespace Dragoman.Broker.Groups.Consumer.Assignors;

/// <summary>
/// Deals each topic out by itself, in stretches of neighbouring partitions: members that read the same topics with the
/// same number of partitions get the same stretch of each, and so can join them by key.
/// </summary>
internal sealed class RangeAssignor : IAssignor
{
    public string Name => "range";

    public IReadOnlyDictionary<string, PartitionSet> Assign(IReadOnlyList<AssignedMember> members, IReadOnlyDictionary<Guid, int> topics)
    {
        var shares = members.ToDictionary(m => m.Id, _ => new List<GroupPartition>(), StringComparer.Ordinal);
        // A static member's place does not depend on the id that it has this time.
        var ordered = members.OrderBy(m => m.InstanceId is null).ThenBy(m => m.InstanceId ?? m.Id, StringComparer.Ordinal).ToList();
        foreach (var (topic, partitions) in topics)
        {
            var readers = ordered.FindAll(m => m.Topics.Contains(topic));
            var next = 0;
            for (var i = 0; i < readers.Count; i++)
            {
                var count = partitions / readers.Count + (i < partitions % readers.Count ? 1 : 0);
                for (var end = next + count; next < end; next++) shares[readers[i].Id].Add(new GroupPartition(topic, next));
            }
        }
        return shares.ToDictionary(s => s.Key, s => PartitionSet.Of(s.Value), StringComparer.Ordinal);
    }
}
