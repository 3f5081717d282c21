using System.Runtime.InteropServices;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Groups.State;

/// <summary>What is durable of a group.</summary>
internal sealed class GroupRecord(GroupName name)
{
    public GroupName Name { get; } = name;

    /// <summary>Its last generation, if its members assign themselves; null for one that only commits offsets.</summary>
    public ClassicRecord? Classic { get; set; }

    /// <summary>Its members and their shares, if the broker assigns; null for other groups.</summary>
    public ConsumerState? Consumer { get; set; }

    /// <summary>How far it has read.</summary>
    public Dictionary<GroupPartition, StoredOffset> Offsets { get; } = [];

    /// <summary>Offsets of open transactions, by producer; null while there are none.</summary>
    public Dictionary<long, Dictionary<GroupPartition, StoredOffset>>? Pending { get; private set; }

    /// <summary>Whether an open transaction has offsets of the group.</summary>
    public bool HasPending => Pending is { Count: > 0 };

    /// <summary>Whether an open transaction has an offset of a partition.</summary>
    public bool HasPendingOf(GroupPartition partition)
    {
        if (Pending is null) return false;
        foreach (var offsets in Pending.Values)
            if (offsets.ContainsKey(partition)) return true;
        return false;
    }

    public Dictionary<GroupPartition, StoredOffset> PendingOf(long producerId)
    {
        Pending ??= [];
        ref var offsets = ref CollectionsMarshal.GetValueRefOrAddDefault(Pending, producerId, out _);
        return offsets ??= [];
    }

    /// <summary>Ends a producer's transaction.</summary>
    public void Complete(long producerId, bool committed)
    {
        if (Pending is null || !Pending.Remove(producerId, out var staged)) return;
        if (Pending.Count == 0) Pending = null;
        if (!committed) return;
        foreach (var (partition, offset) in staged)
            if (!Offsets.TryGetValue(partition, out var present) || present.Sequence < offset.Sequence) Offsets[partition] = offset;
    }

    /// <summary>Forgets an offset, committed or staged.</summary>
    public void Delete(GroupPartition partition)
    {
        Offsets.Remove(partition);
        if (Pending is null) return;
        foreach (var staged in Pending.Values) staged.Remove(partition);
    }

    public void Write(in SnapshotWriter writer)
    {
        GroupEvents.WriteName(writer, Name);
        writer.Bool(Classic is not null);
        Classic?.Write(writer);
        writer.Bool(Consumer is not null);
        Consumer?.ToChange().Write(writer);
        WriteOffsets(writer, Offsets);
        writer.Int32(Pending?.Count ?? 0);
        if (Pending is null) return;
        foreach (var (producerId, staged) in Pending)
        {
            writer.Int64(producerId);
            WriteOffsets(writer, staged);
        }
    }

    public static GroupRecord Read(ref SnapshotReader reader)
    {
        var record = new GroupRecord(GroupEvents.ReadName(ref reader));
        if (reader.Bool()) record.Classic = ClassicRecord.Read(ref reader);
        if (reader.Bool())
        {
            record.Consumer = new ConsumerState();
            record.Consumer.Apply(ConsumerChange.Read(ref reader));
        }
        ReadOffsets(ref reader, record.Offsets);
        for (var n = reader.Count(); n > 0; n--) ReadOffsets(ref reader, record.PendingOf(reader.Int64()));
        return record;
    }

    private static void WriteOffsets(in SnapshotWriter writer, Dictionary<GroupPartition, StoredOffset> offsets)
    {
        writer.Int32(offsets.Count);
        foreach (var (partition, offset) in offsets)
        {
            GroupEvents.WritePartition(writer, partition);
            GroupEvents.WriteOffset(writer, offset.Committed);
            writer.Int64(offset.CommittedAtMs);
            writer.Int64(offset.ExpiresAtMs);
            writer.Int64(offset.Sequence);
        }
    }

    private static void ReadOffsets(ref SnapshotReader reader, Dictionary<GroupPartition, StoredOffset> offsets)
    {
        for (var n = reader.Count(); n > 0; n--)
        {
            var partition = GroupEvents.ReadPartition(ref reader);
            offsets[partition] = new StoredOffset(GroupEvents.ReadOffset(ref reader), reader.Int64(), reader.Int64(), reader.Int64());
        }
    }
}
