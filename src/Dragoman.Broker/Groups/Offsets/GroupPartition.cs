namespace Dragoman.Broker.Groups.Offsets;

/// <summary>
/// A partition as groups know it: by the topic's id, so that a topic created anew under an old name begins without
/// the old one's offsets. Ordered by topic, then by index.
/// </summary>
/// <param name="Topic">The topic's id.</param>
/// <param name="Partition">The partition's index.</param>
public readonly record struct GroupPartition(Guid Topic, int Partition) : IComparable<GroupPartition>
{
    /// <inheritdoc/>
    public int CompareTo(GroupPartition other)
    {
        var order = Topic.CompareTo(other.Topic);
        return order != 0 ? order : Partition.CompareTo(other.Partition);
    }

    /// <summary>Whether one comes before another.</summary>
    public static bool operator <(GroupPartition left, GroupPartition right) => left.CompareTo(right) < 0;

    /// <summary>Whether one comes after another.</summary>
    public static bool operator >(GroupPartition left, GroupPartition right) => left.CompareTo(right) > 0;

    /// <summary>Whether one does not come after another.</summary>
    public static bool operator <=(GroupPartition left, GroupPartition right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one does not come before another.</summary>
    public static bool operator >=(GroupPartition left, GroupPartition right) => left.CompareTo(right) >= 0;
}
