using System.Buffers;
using System.Text;
using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Transactions;

/// <summary>The events by which transactional ids change, as they are in the journal.</summary>
internal static class TransactionEvents
{
    public const byte Version = 1;

    /// <summary>Bytes that an event takes at most beside its id, its partitions and its group.</summary>
    public const int FixedBytes = 64;

    /// <summary>Bytes of a partition.</summary>
    public const int PartitionBytes = 20;

    public enum Kind : byte
    {
        Initialised = 1,
        Joined = 2,
        Ended = 3,
        Completed = 4,
        Forgotten = 5,
    }

    /// <summary>Bytes that an id takes at most, in an event.</summary>
    public static int SizeOf(TransactionalId id) =>
        12 + Encoding.UTF8.GetMaxByteCount(id.Name.Length + id.Namespace.Tenant.Length + id.Namespace.Name.Length);

    public static ReadOnlySpan<byte> Initialised(TransactionalId id, ProducerIdentity producer, short lastEpoch, int timeoutMs, long now)
    {
        var writer = Begin(Kind.Initialised, id, now, out var buffer);
        writer.Int64(producer.Id);
        writer.Int32(producer.Epoch);
        writer.Int32(lastEpoch);
        writer.Int32(timeoutMs);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> Joined(TransactionalId id, ReadOnlySpan<TransactionPartition> partitions, string? group, long now)
    {
        var writer = Begin(Kind.Joined, id, now, out var buffer);
        writer.Int32(partitions.Length);
        foreach (var partition in partitions)
        {
            writer.Guid(partition.TopicId);
            writer.Int32(partition.Index);
        }
        writer.Bool(group is not null);
        if (group is not null) writer.Text(group);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> Ended(TransactionalId id, short epoch, bool commit, bool completely, long now)
    {
        var writer = Begin(Kind.Ended, id, now, out var buffer);
        writer.Int32(epoch);
        writer.Bool(commit);
        writer.Bool(completely);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> Completed(TransactionalId id, long now)
    {
        Begin(Kind.Completed, id, now, out var buffer);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> Forgotten(TransactionalId id, long now)
    {
        Begin(Kind.Forgotten, id, now, out var buffer);
        return buffer.WrittenSpan;
    }

    public static void WriteId(in SnapshotWriter writer, TransactionalId id)
    {
        writer.Text(id.Namespace.Tenant);
        writer.Text(id.Namespace.Name);
        writer.Text(id.Name);
    }

    public static TransactionalId ReadId(ref SnapshotReader reader) => new(new NamespaceName(reader.Text(), reader.Text()), reader.Text());

    private static SnapshotWriter Begin(Kind kind, TransactionalId id, long now, out ArrayBufferWriter<byte> buffer)
    {
        buffer = new ArrayBufferWriter<byte>(128);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        WriteId(writer, id);
        writer.Int64(now);
        return writer;
    }
}
