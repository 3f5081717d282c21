using Dragoman.Broker.Groups.Offsets;

namespace Dragoman.Broker.Groups.Consumer.Assignors;

/// <summary>
/// Gives every member as many partitions as the others, as nearly as what they read allows, and leaves with each as much
/// of what it has as that permits.
/// </summary>
internal sealed class UniformAssignor : IAssignor
{
    public string Name => "uniform";

    public IReadOnlyDictionary<string, PartitionSet> Assign(IReadOnlyList<AssignedMember> members, IReadOnlyDictionary<Guid, int> topics)
    {
        if (members.Count == 0) return new Dictionary<string, PartitionSet>();
        var readTheSame = members.All(m => m.Topics.SetEquals(members[0].Topics));
        return readTheSame ? AssignEvenly(members, topics) : new Balance(members, topics).Assign();
    }

    /// <summary>All read the same: quotas say how much each keeps, and what is left fills those who have less.</summary>
    private static Dictionary<string, PartitionSet> AssignEvenly(IReadOnlyList<AssignedMember> members, IReadOnlyDictionary<Guid, int> topics)
    {
        var read = members[0].Topics;
        var total = topics.Where(t => read.Contains(t.Key)).Sum(t => t.Value);
        var (least, extras) = (total / members.Count, total % members.Count);
        var taken = new HashSet<GroupPartition>(total);
        var kept = new List<(string Id, PartitionSet Keeps, int Quota)>(members.Count);
        // Those who have more are first to get one more than the least: whoever keeps it moves nothing.
        foreach (var member in members.OrderByDescending(m => m.Present.Count))
        {
            var quota = least + (kept.Count < extras ? 1 : 0);
            var keeps = member.Present.Where(p => Exists(p) && taken.Count < total && !taken.Contains(p));
            if (keeps.Count > quota) keeps = PartitionSet.Of(keeps.Take(quota));
            taken.UnionWith(keeps);
            kept.Add((member.Id, keeps, quota));
        }
        var free = topics.Where(t => read.Contains(t.Key))
            .SelectMany(t => Enumerable.Range(0, t.Value).Select(p => new GroupPartition(t.Key, p)))
            .Where(p => !taken.Contains(p)).GetEnumerator();
        var shares = new Dictionary<string, PartitionSet>(members.Count, StringComparer.Ordinal);
        foreach (var (id, keeps, quota) in kept)
        {
            var more = new List<GroupPartition>();
            while (keeps.Count + more.Count < quota && free.MoveNext()) more.Add(free.Current);
            shares.Add(id, keeps.Union(PartitionSet.Of(more)));
        }
        return shares;

        bool Exists(GroupPartition p) => read.Contains(p.Topic) && topics.TryGetValue(p.Topic, out var count) && p.Partition < count;
    }

    /// <summary>Members read different topics: shares are evened out by moving single partitions to readers that have less.</summary>
    private sealed class Balance
    {
        private const int MaxChains = 256;

        private readonly IReadOnlyList<AssignedMember> _members;
        private readonly IReadOnlyDictionary<Guid, int> _topics;
        private readonly Dictionary<Guid, List<int>> _readers = [];
        private readonly List<HashSet<GroupPartition>> _shares;

        public Balance(IReadOnlyList<AssignedMember> members, IReadOnlyDictionary<Guid, int> topics)
        {
            _members = members;
            _topics = topics;
            _shares = [.. members.Select(_ => new HashSet<GroupPartition>())];
            foreach (var topic in topics.Keys) _readers.Add(topic, [.. Enumerable.Range(0, members.Count).Where(i => members[i].Topics.Contains(topic))]);
        }

        public Dictionary<string, PartitionSet> Assign()
        {
            var owners = new Dictionary<GroupPartition, int>();
            for (var i = 0; i < _members.Count; i++)
            {
                foreach (var partition in _members[i].Present)
                    if (_members[i].Topics.Contains(partition.Topic) && partition.Partition < _topics.GetValueOrDefault(partition.Topic) && owners.TryAdd(partition, i)) _shares[i].Add(partition);
            }
            // Topics that few read have the least choice, and so go first.
            foreach (var (topic, partitions) in _topics.OrderBy(t => _readers[t.Key].Count))
            {
                if (_readers[topic].Count == 0) continue;
                for (var p = 0; p < partitions; p++)
                {
                    var partition = new GroupPartition(topic, p);
                    if (owners.ContainsKey(partition)) continue;
                    var owner = _readers[topic].MinBy(i => _shares[i].Count);
                    owners.Add(partition, owner);
                    _shares[owner].Add(partition);
                }
            }
            EvenOut();
            return Enumerable.Range(0, _members.Count).ToDictionary(i => _members[i].Id, i => PartitionSet.Of(_shares[i]), StringComparer.Ordinal);
        }

        /// <summary>
        /// Each step narrows the gap between two members, so it ends. One whose topics nobody with less reads can still give,
        /// if the taker gives on. Such chains are looked for a bounded number of times: even shares are wanted, not owed.
        /// </summary>
        private void EvenOut()
        {
            while (MoveDirectly())
            {
            }
            for (var chains = 0; chains < MaxChains && MoveAlongChain(); chains++)
            {
            }
        }

        private bool MoveDirectly()
        {
            var moved = false;
            foreach (var giver in Descending())
            {
                foreach (var topic in TopicsOf(giver))
                {
                    while (true)
                    {
                        var taker = _readers[topic].MinBy(i => _shares[i].Count);
                        if (_shares[taker].Count + 1 >= _shares[giver].Count || !Move(giver, taker, topic)) break;
                        moved = true;
                    }
                }
            }
            return moved;
        }

        private bool MoveAlongChain()
        {
            foreach (var giver in Descending())
            {
                var from = new Dictionary<int, (int Member, Guid Topic)> { [giver] = (-1, default) };
                var queue = new Queue<int>([giver]);
                while (queue.TryDequeue(out var member))
                {
                    if (_shares[member].Count + 1 < _shares[giver].Count)
                    {
                        // From the end on, so that each has what it gives.
                        for (var taker = member; from[taker] is { Member: >= 0 } step; taker = step.Member) Move(step.Member, taker, step.Topic);
                        return true;
                    }
                    foreach (var topic in TopicsOf(member))
                        foreach (var next in _readers[topic])
                            if (from.TryAdd(next, (member, topic))) queue.Enqueue(next);
                }
            }
            return false;
        }

        private List<int> Descending() => [.. Enumerable.Range(0, _members.Count).OrderByDescending(i => _shares[i].Count)];

        private List<Guid> TopicsOf(int member) => [.. _shares[member].Select(p => p.Topic).Distinct().Order()];

        private bool Move(int giver, int taker, Guid topic)
        {
            var last = _shares[giver].Where(p => p.Topic == topic).Cast<GroupPartition?>().Max();
            if (last is not { } partition) return false;
            _shares[giver].Remove(partition);
            _shares[taker].Add(partition);
            return true;
        }
    }
}
