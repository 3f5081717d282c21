using System.Buffers;
using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Topics;

/// <summary>A topic as the registry knows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="CreatedAtMs">When it was created, in milliseconds since 1970.</param>
/// <param name="LogIds">The logs of its partitions, by index.</param>
/// <param name="Settings">Its settings.</param>
internal sealed record TopicEntry(Guid Id, TopicName Name, long CreatedAtMs, IReadOnlyList<long> LogIds, TopicSettings Settings);

/// <summary>Which topics there are: the state machine behind <see cref="Topics"/>.</summary>
internal sealed class TopicRegistry : IStateMachine
{
    private const byte Version = 1;

    private readonly Dictionary<TopicName, TopicEntry> _topics = [];

    private enum Kind : byte
    {
        Put = 1,
        Remove = 2,
    }

    public IReadOnlyDictionary<TopicName, TopicEntry> Topics => _topics;

    /// <summary>The event by which a topic comes to be, or is replaced by a new version of itself.</summary>
    public static ReadOnlySpan<byte> Put(TopicEntry entry)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)Kind.Put);
        Write(writer, entry);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a topic is gone.</summary>
    public static ReadOnlySpan<byte> Remove(TopicName name)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)Kind.Remove);
        WriteName(writer, name);
        return buffer.WrittenSpan;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "topic event");
        switch ((Kind)reader.Byte())
        {
            case Kind.Put:
                var entry = Read(ref reader);
                _topics[entry.Name] = entry;
                break;
            case Kind.Remove:
                Invariant.Check(_topics.Remove(ReadName(ref reader)), "only topics that are there are removed");
                break;
            case var other:
                throw new CorruptDataException($"A topic event of kind {(byte)other} is unknown.");
        }
        reader.End("topic event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_topics.Count);
        foreach (var entry in _topics.Values) Write(writer, entry);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "topics");
        _topics.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var entry = Read(ref reader);
            _topics.Add(entry.Name, entry);
        }
        reader.End("topics");
    }

    private static void Write(in SnapshotWriter writer, TopicEntry entry)
    {
        writer.Guid(entry.Id);
        WriteName(writer, entry.Name);
        writer.Int64(entry.CreatedAtMs);
        writer.Int32(entry.LogIds.Count);
        foreach (var id in entry.LogIds) writer.Int64(id);
        entry.Settings.Write(writer);
    }

    private static TopicEntry Read(ref SnapshotReader reader)
    {
        var id = reader.Guid();
        var name = ReadName(ref reader);
        var created = reader.Int64();
        var logs = new long[reader.Count()];
        for (var i = 0; i < logs.Length; i++) logs[i] = reader.Int64();
        return new TopicEntry(id, name, created, logs, TopicSettings.Read(ref reader));
    }

    private static void WriteName(in SnapshotWriter writer, TopicName name)
    {
        writer.Text(name.Namespace.Tenant);
        writer.Text(name.Namespace.Name);
        writer.Text(name.Name);
    }

    private static TopicName ReadName(ref SnapshotReader reader) => new(new NamespaceName(reader.Text(), reader.Text()), reader.Text());
}
