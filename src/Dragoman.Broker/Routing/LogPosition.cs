namespace Dragoman.Broker.Routing;

/// <summary>Where a record is.</summary>
/// <param name="Topic">The topic's id.</param>
/// <param name="Partition">The partition's index.</param>
/// <param name="Offset">The offset.</param>
internal readonly record struct LogPosition(Guid Topic, int Partition, long Offset)
{
    /// <summary>An id of the record there: always the same, and that of no other.</summary>
    public Guid ToId()
    {
        Span<byte> bytes = stackalloc byte[28];
        Topic.TryWriteBytes(bytes);
        BitConverter.TryWriteBytes(bytes[16..], Partition);
        BitConverter.TryWriteBytes(bytes[20..], Offset);
        return new Guid(System.IO.Hashing.XxHash128.Hash(bytes));
    }
}
