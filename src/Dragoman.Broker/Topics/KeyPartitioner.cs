using System.Buffers.Binary;

namespace Dragoman.Broker.Topics;

/// <summary>
/// Chooses the partition of a key as Kafka's own producers do (murmur2 of the key's bytes, without its sign, modulo the
/// partitions; <c>BuiltInPartitioner.partitionForKey</c>), so that a key stays in one partition whoever writes it.
/// </summary>
public static class KeyPartitioner
{
    /// <summary>The partition of a key.</summary>
    /// <param name="key">The key's bytes.</param>
    /// <param name="partitions">How many partitions there are; at least 1.</param>
    public static int Choose(ReadOnlySpan<byte> key, int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        return (int)((Murmur2(key) & int.MaxValue) % (uint)partitions);
    }

    /// <summary>MurmurHash2, 32 bits, with the seed that Kafka gives it.</summary>
    internal static uint Murmur2(ReadOnlySpan<byte> data)
    {
        const uint Multiplier = 0x5BD1E995;
        const uint Seed = 0x9747B28C;
        unchecked
        {
            var hash = Seed ^ (uint)data.Length;
            for (; data.Length >= 4; data = data[4..])
            {
                var word = BinaryPrimitives.ReadUInt32LittleEndian(data) * Multiplier;
                hash = (hash * Multiplier) ^ ((word ^ (word >> 24)) * Multiplier);
            }
            if (data.Length == 3) hash ^= (uint)data[2] << 16;
            if (data.Length >= 2) hash ^= (uint)data[1] << 8;
            if (data.Length >= 1) hash = (hash ^ data[0]) * Multiplier;
            hash = (hash ^ (hash >> 13)) * Multiplier;
            return hash ^ (hash >> 15);
        }
    }
}
