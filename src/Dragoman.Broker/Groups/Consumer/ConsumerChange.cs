using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>A change of a <see cref="ConsumerState"/>, as it is journaled: what one command has decided.</summary>
internal sealed record ConsumerChange
{
    private const int FixedBytes = 64;
    private const int PartitionBytes = 20;

    public required int Epoch { get; init; }

    public required int TargetEpoch { get; init; }

    public required string Assignor { get; init; }

    /// <summary>When it was decided, in milliseconds since 1970.</summary>
    public required long AtMs { get; init; }

    /// <summary>The topics that members read, with their numbers of partitions; null where that did not change.</summary>
    public required IReadOnlyDictionary<Guid, int>? Topics { get; init; }

    /// <summary>The ids of members that have gone.</summary>
    public required IReadOnlyList<string> Removed { get; init; }

    /// <summary>Members that have come or changed.</summary>
    public required IReadOnlyList<ConsumerMember> Put { get; init; }

    /// <summary>Targets that have changed.</summary>
    public required IReadOnlyList<KeyValuePair<string, PartitionSet>> Targets { get; init; }

    public int SizeBound()
    {
        var size = FixedBytes + 3 * Assignor.Length + PartitionBytes * (Topics?.Count ?? 0);
        foreach (var id in Removed) size += 4 + 3 * id.Length;
        foreach (var member in Put) size += member.SizeBound();
        foreach (var (id, target) in Targets) size += 8 + 3 * id.Length + PartitionBytes * target.Count;
        return size;
    }

    public void Write(in SnapshotWriter writer)
    {
        writer.Int32(Epoch);
        writer.Int32(TargetEpoch);
        writer.Text(Assignor);
        writer.Int64(AtMs);
        writer.Int32(Topics?.Count ?? -1);
        if (Topics is not null)
        {
            foreach (var (topic, partitions) in Topics)
            {
                writer.Guid(topic);
                writer.Int32(partitions);
            }
        }
        writer.Int32(Removed.Count);
        foreach (var id in Removed) writer.Text(id);
        writer.Int32(Put.Count);
        foreach (var member in Put) member.Write(writer);
        writer.Int32(Targets.Count);
        foreach (var (id, target) in Targets)
        {
            writer.Text(id);
            ConsumerMember.WriteSet(writer, target);
        }
    }

    public static ConsumerChange Read(ref SnapshotReader reader)
    {
        var epoch = reader.Int32();
        var targetEpoch = reader.Int32();
        var assignor = reader.Text();
        var at = reader.Int64();
        var count = reader.OptionalCount();
        var topics = count < 0 ? null : new Dictionary<Guid, int>(count);
        for (var i = 0; i < count; i++) topics!.Add(reader.Guid(), reader.Int32());
        var removed = new string[reader.Count()];
        for (var i = 0; i < removed.Length; i++) removed[i] = reader.Text();
        var put = new ConsumerMember[reader.Count()];
        for (var i = 0; i < put.Length; i++) put[i] = ConsumerMember.Read(ref reader);
        var targets = new KeyValuePair<string, PartitionSet>[reader.Count()];
        for (var i = 0; i < targets.Length; i++) targets[i] = new(reader.Text(), ConsumerMember.ReadSet(ref reader));
        return new ConsumerChange { Epoch = epoch, TargetEpoch = targetEpoch, Assignor = assignor, AtMs = at, Topics = topics, Removed = removed, Put = put, Targets = targets };
    }
}
