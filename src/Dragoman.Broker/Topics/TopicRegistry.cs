using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Topics;

/// <summary>A topic as the registry knows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="CreatedAtMs">When it was created, in milliseconds since 1970.</param>
/// <param name="LogIds">The logs of its partitions, by index.</param>
/// <param name="Settings">Its settings.</param>
internal sealed record TopicEntry(Guid Id, TopicName Name, long CreatedAtMs, IReadOnlyList<long> LogIds, TopicSettings Settings);

/// <summary>Which topics there are: the state machine behind <see cref="Topics"/>.</summary>
internal sealed class TopicRegistry() : NamedRegistry<TopicName, TopicEntry>(version: 1, "topic", "topics")
{
    protected override TopicName NameOf(TopicEntry entry) => entry.Name;

    protected override void Write(in SnapshotWriter writer, TopicEntry entry)
    {
        writer.Guid(entry.Id);
        WriteName(writer, entry.Name);
        writer.Int64(entry.CreatedAtMs);
        writer.Int32(entry.LogIds.Count);
        foreach (var id in entry.LogIds) writer.Int64(id);
        entry.Settings.Write(writer);
    }

    protected override TopicEntry Read(ref SnapshotReader reader, byte written)
    {
        var id = reader.Guid();
        var name = ReadName(ref reader);
        var created = reader.Int64();
        var logs = new long[reader.Count()];
        for (var i = 0; i < logs.Length; i++) logs[i] = reader.Int64();
        return new TopicEntry(id, name, created, logs, TopicSettings.Read(ref reader));
    }

    protected override void WriteName(in SnapshotWriter writer, TopicName name) => WriteName(writer, name.Namespace, name.Name);

    protected override TopicName ReadName(ref SnapshotReader reader) => new(ReadNamespace(ref reader), reader.Text());
}
