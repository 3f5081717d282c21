using System.Buffers;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Groups.State;

/// <summary>What can happen to the groups of a shard. The numbers are in journals.</summary>
internal enum GroupEventKind : byte
{
    OffsetsCommitted = 1,
    OffsetsStaged = 2,
    TransactionCompleted = 3,
    OffsetsDeleted = 4,
    GroupDeleted = 5,
    ClassicChanged = 6,
    ConsumerChanged = 7,
}

/// <summary>How the events of groups are written; <see cref="GroupShardState"/> reads them.</summary>
internal static class GroupEvents
{
    public const byte Version = 1;

    /// <summary>Bytes of an offset beside its metadata: topic, partition, offset, epoch and the text's length.</summary>
    private const int OffsetBytes = 16 + 4 + 8 + 4 + 4;

    // A name's three texts with their lengths, the event's head, and the numbers that some events have.
    private const int HeadBytes = 64;

    /// <summary>The most bytes of an event with offsets.</summary>
    public static int SizeOf(GroupName group, IReadOnlyList<OffsetCommit> offsets)
    {
        var size = SizeOf(group) + offsets.Count * OffsetBytes;
        for (var i = 0; i < offsets.Count; i++) size += 3 * offsets[i].Committed.Metadata.Length;
        return size;
    }

    /// <summary>The most bytes of an event with partitions.</summary>
    public static int SizeOf(GroupName group, int partitions) => SizeOf(group) + partitions * OffsetBytes;

    /// <summary>The most bytes of an event with a group's name.</summary>
    public static int SizeOf(GroupName group) =>
        HeadBytes + 3 * (group.Namespace.Tenant.Length + group.Namespace.Name.Length + group.Name.Length);

    public static void OffsetsCommitted(IBufferWriter<byte> target, GroupName group, long nowMs, long expiresAtMs, IReadOnlyList<OffsetCommit> offsets)
    {
        var writer = Begin(target, GroupEventKind.OffsetsCommitted);
        WriteName(writer, group);
        writer.Int64(nowMs);
        writer.Int64(expiresAtMs);
        WriteOffsets(writer, offsets);
    }

    public static void OffsetsStaged(IBufferWriter<byte> target, GroupName group, long producerId, short producerEpoch, long nowMs, IReadOnlyList<OffsetCommit> offsets)
    {
        var writer = Begin(target, GroupEventKind.OffsetsStaged);
        WriteName(writer, group);
        writer.Int64(producerId);
        writer.Int32(producerEpoch);
        writer.Int64(nowMs);
        WriteOffsets(writer, offsets);
    }

    public static void TransactionCompleted(IBufferWriter<byte> target, long producerId, bool committed)
    {
        var writer = Begin(target, GroupEventKind.TransactionCompleted);
        writer.Int64(producerId);
        writer.Bool(committed);
    }

    public static void OffsetsDeleted(IBufferWriter<byte> target, GroupName group, IReadOnlyList<GroupPartition> partitions)
    {
        var writer = Begin(target, GroupEventKind.OffsetsDeleted);
        WriteName(writer, group);
        writer.Int32(partitions.Count);
        foreach (var partition in partitions) WritePartition(writer, partition);
    }

    public static void GroupDeleted(IBufferWriter<byte> target, GroupName group) =>
        WriteName(Begin(target, GroupEventKind.GroupDeleted), group);

    public static void ClassicChanged(IBufferWriter<byte> target, GroupName group, ClassicRecord record)
    {
        var writer = Begin(target, GroupEventKind.ClassicChanged);
        WriteName(writer, group);
        record.Write(writer);
    }

    public static void ConsumerChanged(IBufferWriter<byte> target, GroupName group, ConsumerChange change)
    {
        var writer = Begin(target, GroupEventKind.ConsumerChanged);
        WriteName(writer, group);
        change.Write(writer);
    }

    public static void WriteName(in SnapshotWriter writer, GroupName name)
    {
        writer.Text(name.Namespace.Tenant);
        writer.Text(name.Namespace.Name);
        writer.Text(name.Name);
    }

    public static GroupName ReadName(ref SnapshotReader reader)
    {
        var space = new NamespaceName(reader.Text(), reader.Text());
        return new GroupName(space == NamespaceName.Default ? NamespaceName.Default : space, reader.Text());
    }

    public static void WritePartition(in SnapshotWriter writer, GroupPartition partition)
    {
        writer.Guid(partition.Topic);
        writer.Int32(partition.Partition);
    }

    public static GroupPartition ReadPartition(ref SnapshotReader reader) => new(reader.Guid(), reader.Int32());

    public static void WriteOffset(in SnapshotWriter writer, in CommittedOffset offset)
    {
        writer.Int64(offset.Offset);
        writer.Int32(offset.LeaderEpoch);
        writer.Text(offset.Metadata);
    }

    public static CommittedOffset ReadOffset(ref SnapshotReader reader) => new(reader.Int64(), reader.Int32(), reader.Text());

    private static SnapshotWriter Begin(IBufferWriter<byte> target, GroupEventKind kind)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        return writer;
    }

    private static void WriteOffsets(in SnapshotWriter writer, IReadOnlyList<OffsetCommit> offsets)
    {
        writer.Int32(offsets.Count);
        for (var i = 0; i < offsets.Count; i++)
        {
            WritePartition(writer, offsets[i].Partition);
            WriteOffset(writer, offsets[i].Committed);
        }
    }
}
