using System.Buffers;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Groups.State;

/// <summary>What is durable of the groups of one shard.</summary>
internal sealed class GroupShardState : IStateMachine
{
    private const byte SnapshotVersion = 1;

    private readonly Dictionary<GroupName, GroupRecord> _groups = [];
    private readonly Dictionary<long, HashSet<GroupRecord>> _staging = [];
    private long _sequence;

    /// <summary>The groups.</summary>
    public IReadOnlyDictionary<GroupName, GroupRecord> Groups => _groups;

    /// <summary>Whether a producer's open transaction has offsets here.</summary>
    public bool HasPending(long producerId) => _staging.ContainsKey(producerId);

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(GroupEvents.Version, "group event");
        _sequence++;
        switch ((GroupEventKind)reader.Byte())
        {
            case GroupEventKind.OffsetsCommitted:
                OnOffsetsCommitted(ref reader);
                break;
            case GroupEventKind.OffsetsStaged:
                OnOffsetsStaged(ref reader);
                break;
            case GroupEventKind.TransactionCompleted:
                OnTransactionCompleted(reader.Int64(), reader.Bool());
                break;
            case GroupEventKind.OffsetsDeleted:
                var group = Get(GroupEvents.ReadName(ref reader));
                for (var n = reader.Count(); n > 0; n--) group.Delete(GroupEvents.ReadPartition(ref reader));
                break;
            case GroupEventKind.GroupDeleted:
                OnGroupDeleted(GroupEvents.ReadName(ref reader));
                break;
            case GroupEventKind.ClassicChanged:
                var classic = GetOrAdd(GroupEvents.ReadName(ref reader));
                classic.Classic = ClassicRecord.Read(ref reader);
                classic.Consumer = null;
                break;
            case GroupEventKind.ConsumerChanged:
                var consumer = GetOrAdd(GroupEvents.ReadName(ref reader));
                consumer.Classic = null;
                consumer.Consumer ??= new ConsumerState();
                consumer.Consumer.Apply(ConsumerChange.Read(ref reader));
                break;
            case var other:
                throw new CorruptDataException($"A group event of kind {(byte)other} is unknown.");
        }
        reader.End("group event");
    }

    private GroupRecord Get(GroupName name)
    {
        Invariant.Check(_groups.TryGetValue(name, out var group), "only groups that are there are changed");
        return group!;
    }

    private GroupRecord GetOrAdd(GroupName name)
    {
        if (_groups.TryGetValue(name, out var group)) return group;
        group = new GroupRecord(name);
        _groups.Add(name, group);
        return group;
    }

    private void OnOffsetsCommitted(ref SnapshotReader reader)
    {
        var group = GetOrAdd(GroupEvents.ReadName(ref reader));
        var nowMs = reader.Int64();
        var expiresAtMs = reader.Int64();
        for (var n = reader.Count(); n > 0; n--)
        {
            var partition = GroupEvents.ReadPartition(ref reader);
            group.Offsets[partition] = new StoredOffset(GroupEvents.ReadOffset(ref reader), nowMs, expiresAtMs, _sequence);
        }
    }

    private void OnOffsetsStaged(ref SnapshotReader reader)
    {
        var group = GetOrAdd(GroupEvents.ReadName(ref reader));
        var producerId = reader.Int64();
        // The epoch says who staged them, for people and tools; what ends a transaction ends all of its producer's.
        reader.Int32();
        var nowMs = reader.Int64();
        var staged = group.PendingOf(producerId);
        for (var n = reader.Count(); n > 0; n--)
        {
            var partition = GroupEvents.ReadPartition(ref reader);
            staged[partition] = new StoredOffset(GroupEvents.ReadOffset(ref reader), nowMs, -1, _sequence);
        }
        NoteStaging(producerId, group);
    }

    private void NoteStaging(long producerId, GroupRecord group)
    {
        if (!_staging.TryGetValue(producerId, out var groups)) _staging.Add(producerId, groups = []);
        groups.Add(group);
    }

    private void OnTransactionCompleted(long producerId, bool committed)
    {
        Invariant.Check(_staging.Remove(producerId, out var groups), "a transaction ends where it has staged offsets");
        foreach (var group in groups!) group.Complete(producerId, committed);
    }

    private void OnGroupDeleted(GroupName name)
    {
        var group = Get(name);
        _groups.Remove(name);
        if (group.Pending is null) return;
        foreach (var producerId in group.Pending.Keys)
            if (_staging.TryGetValue(producerId, out var groups) && groups.Remove(group) && groups.Count == 0) _staging.Remove(producerId);
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(SnapshotVersion);
        writer.Int64(_sequence);
        writer.Int32(_groups.Count);
        foreach (var group in _groups.Values) group.Write(writer);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(SnapshotVersion, "groups");
        _groups.Clear();
        _staging.Clear();
        _sequence = reader.Int64();
        for (var n = reader.Count(); n > 0; n--)
        {
            var group = GroupRecord.Read(ref reader);
            _groups.Add(group.Name, group);
            if (group.Pending is null) continue;
            foreach (var producerId in group.Pending.Keys) NoteStaging(producerId, group);
        }
        reader.End("groups");
    }
}
