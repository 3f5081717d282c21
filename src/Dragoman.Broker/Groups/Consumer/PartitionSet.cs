using System.Collections;
using Dragoman.Broker.Groups.Offsets;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>A set of partitions. Immutable, in order, equal by content; the operations on two sets are merges.</summary>
internal sealed class PartitionSet : IReadOnlyList<GroupPartition>, IEquatable<PartitionSet>
{
    public static readonly PartitionSet Empty = new([]);

    private readonly GroupPartition[] _items;

    private PartitionSet(GroupPartition[] sorted) => _items = sorted;

    public int Count => _items.Length;

    public bool IsEmpty => _items.Length == 0;

    public GroupPartition this[int index] => _items[index];

    public static PartitionSet Of(IEnumerable<GroupPartition> items)
    {
        var sorted = items.ToArray();
        if (sorted.Length == 0) return Empty;
        Array.Sort(sorted);
        var count = 1;
        for (var i = 1; i < sorted.Length; i++)
            if (sorted[i] != sorted[count - 1]) sorted[count++] = sorted[i];
        return new PartitionSet(count == sorted.Length ? sorted : sorted[..count]);
    }

    public bool Contains(GroupPartition item) => Array.BinarySearch(_items, item) >= 0;

    public PartitionSet Where(Func<GroupPartition, bool> keep)
    {
        var kept = Array.FindAll(_items, item => keep(item));
        return kept.Length == _items.Length ? this : kept.Length == 0 ? Empty : new PartitionSet(kept);
    }

    public PartitionSet Intersect(PartitionSet other) => Where(other.Contains);

    public PartitionSet Except(PartitionSet other) => other.IsEmpty ? this : Where(item => !other.Contains(item));

    public PartitionSet Union(PartitionSet other)
    {
        if (other.IsEmpty) return this;
        return IsEmpty ? other : Of(_items.Concat(other._items));
    }

    public bool Overlaps(PartitionSet other)
    {
        foreach (var item in _items)
            if (other.Contains(item)) return true;
        return false;
    }

    public bool IsSubsetOf(PartitionSet other)
    {
        foreach (var item in _items)
            if (!other.Contains(item)) return false;
        return true;
    }

    public bool Equals(PartitionSet? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);

    public override bool Equals(object? obj) => Equals(obj as PartitionSet);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in _items) hash.Add(item);
        return hash.ToHashCode();
    }

    public IEnumerator<GroupPartition> GetEnumerator() => ((IEnumerable<GroupPartition>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
