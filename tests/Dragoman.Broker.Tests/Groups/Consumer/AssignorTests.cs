using CsCheck;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.Consumer.Assignors;
using Dragoman.Broker.Groups.Offsets;

namespace Dragoman.Broker.Tests.Groups.Consumer;

public sealed class AssignorTests
{
    private static readonly Guid[] s_topics = [.. Enumerable.Range(1, 5).Select(i => new Guid(i, 0, 0, new byte[8]))];

    /// <summary>Members that read some of some topics and have had something, valid or not.</summary>
    private static readonly Gen<(List<AssignedMember> Members, Dictionary<Guid, int> Topics)> s_groups =
        from counts in Gen.Int[1, 30].Array[1, 5]
        from members in Gen.Int[1, 12]
        from same in Gen.Bool
        from seed in Gen.Int
        select Group(counts, members, same, new Random(seed));

    private static (List<AssignedMember>, Dictionary<Guid, int>) Group(int[] counts, int members, bool same, Random random)
    {
        var topics = counts.Select((c, i) => (s_topics[i], c)).ToDictionary(t => t.Item1, t => t.c);
        var all = topics.SelectMany(t => Enumerable.Range(0, t.Value + 3).Select(p => new GroupPartition(t.Key, p))).Append(new GroupPartition(new Guid(99, 0, 0, new byte[8]), 0)).ToList();
        var group = new List<AssignedMember>();
        for (var i = 0; i < members; i++)
        {
            var reads = same ? topics.Keys.ToHashSet() : topics.Keys.Where(_ => random.Next(2) == 0).ToHashSet();
            group.Add(new AssignedMember($"m{i}", random.Next(2) == 0 ? $"i{i}" : null, reads, PartitionSet.Of(all.Where(_ => random.Next(members) == 0))));
        }
        // What nobody reads is not among the group's topics.
        return (group, topics.Where(t => group.Any(m => m.Topics.Contains(t.Key))).ToDictionary());
    }

    private static void CheckDealt(List<AssignedMember> members, Dictionary<Guid, int> topics, IReadOnlyDictionary<string, PartitionSet> shares)
    {
        Assert.Equal(members.Select(m => m.Id).Order(), shares.Keys.Order());
        Assert.Equal(topics.Sum(t => t.Value), shares.Values.Sum(s => s.Count));
        Assert.Equal(topics.Sum(t => t.Value), shares.Values.SelectMany(s => s).Distinct().Count());
        Assert.All(members, m => Assert.All(shares[m.Id], p => Assert.True(m.Topics.Contains(p.Topic) && p.Partition < topics[p.Topic])));
    }

    [Fact]
    public void Every_partition_goes_to_one_member_that_reads_it()
    {
        s_groups.Sample(g => CheckDealt(g.Members, g.Topics, new UniformAssignor().Assign(g.Members, g.Topics)));
        s_groups.Sample(g => CheckDealt(g.Members, g.Topics, new RangeAssignor().Assign(g.Members, g.Topics)));
    }

    [Fact]
    public void Uniform_shares_are_as_even_as_what_members_read_allows() => s_groups.Sample(g =>
    {
        var shares = new UniformAssignor().Assign(g.Members, g.Topics);
        // No chain of members, each of which could give to the next, leads to one with two less.
        foreach (var giver in g.Members)
        {
            var reached = new HashSet<string> { giver.Id };
            var queue = new Queue<string>([giver.Id]);
            while (queue.TryDequeue(out var id))
            {
                foreach (var next in g.Members.Where(m => shares[id].Any(p => m.Topics.Contains(p.Topic)) && reached.Add(m.Id))) queue.Enqueue(next.Id);
            }
            Assert.All(reached, id => Assert.True(shares[id].Count >= shares[giver.Id].Count - 1, $"{giver.Id} has {shares[giver.Id].Count} and {id} {shares[id].Count}"));
        }
    });

    [Fact]
    public void Uniform_shares_stay_where_they_are_when_nothing_changes_and_move_little_when_a_member_comes_or_goes() => s_groups.Sample(g =>
    {
        var assignor = new UniformAssignor();
        List<AssignedMember> With(IReadOnlyDictionary<string, PartitionSet> shares, IEnumerable<AssignedMember> members) =>
            [.. members.Select(m => m with { Present = shares.GetValueOrDefault(m.Id, PartitionSet.Empty) })];
        var first = assignor.Assign(g.Members, g.Topics);
        var again = assignor.Assign(With(first, g.Members), g.Topics);
        Assert.All(g.Members, m => Assert.Equal(first[m.Id], again[m.Id]));

        if (!g.Members.All(m => m.Topics.Count == g.Topics.Count)) return;
        var newcomer = new AssignedMember("new", null, g.Topics.Keys.ToHashSet(), PartitionSet.Empty);
        var more = assignor.Assign(With(first, g.Members.Append(newcomer)), g.Topics);
        Assert.All(g.Members, m => Assert.True(more[m.Id].IsSubsetOf(first[m.Id]), "those who were there only give"));
        var gone = g.Members[0].Id;
        var less = assignor.Assign(With(first, g.Members.Skip(1)), g.Topics);
        Assert.All(g.Members.Skip(1), m => Assert.True(first[m.Id].IsSubsetOf(less[m.Id]), $"those who stay only get, after {gone} has gone"));
    });

    [Fact]
    public void Range_gives_the_same_stretch_of_each_topic_to_whoever_reads_the_same()
    {
        List<AssignedMember> members = [.. new[] { "c", "a", "b" }.Select(id => new AssignedMember(id, null, s_topics.Take(2).ToHashSet(), PartitionSet.Empty))];
        var shares = new RangeAssignor().Assign(members, new Dictionary<Guid, int> { [s_topics[0]] = 7, [s_topics[1]] = 7 });
        foreach (var topic in s_topics.Take(2))
        {
            Assert.Equal([0, 1, 2], shares["a"].Where(p => p.Topic == topic).Select(p => p.Partition));
            Assert.Equal([3, 4], shares["b"].Where(p => p.Topic == topic).Select(p => p.Partition));
            Assert.Equal([5, 6], shares["c"].Where(p => p.Topic == topic).Select(p => p.Partition));
        }
    }

    [Fact]
    public void Sets_of_partitions_behave_as_sets()
    {
        var sets = Gen.Int[0, 20].Array[0, 15].Select(items => items.Select(i => new GroupPartition(s_topics[i % 3], i)).ToArray());
        Gen.Select(sets, sets).Sample((a, b) =>
        {
            var (x, y) = (PartitionSet.Of(a), PartitionSet.Of(b));
            Assert.Equal(a.Distinct().Order(), x);
            Assert.Equal(a.Intersect(b).Order(), x.Intersect(y));
            Assert.Equal(a.Except(b).Order(), x.Except(y));
            Assert.Equal(a.Union(b).Order(), x.Union(y));
            Assert.Equal(a.Intersect(b).Any(), x.Overlaps(y));
            Assert.Equal(!a.Except(b).Any(), x.IsSubsetOf(y));
            Assert.Equal(a.ToHashSet().SetEquals(b), x.Equals(y));
            Assert.All(a, p => Assert.True(x.Contains(p)));
        });
    }
}
