using System.Buffers;
using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Queues;

/// <summary>A durable queue as the registry knows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="CreatedAtMs">When it was created, in milliseconds since 1970.</param>
/// <param name="LogId">The log of its messages; 0 if they are only in memory.</param>
/// <param name="StateId">The state of its subscription; 0 if that is only in memory.</param>
/// <param name="Settings">Its settings.</param>
internal sealed record QueueEntry(Guid Id, QueueName Name, long CreatedAtMs, long LogId, long StateId, QueueSettings Settings);

/// <summary>Which durable queues there are: the state machine behind <see cref="Queues"/>.</summary>
internal sealed class QueueRegistry : IStateMachine
{
    private const byte Version = 1;

    private readonly Dictionary<QueueName, QueueEntry> _queues = [];

    private enum Kind : byte
    {
        Put = 1,
        Remove = 2,
    }

    public IReadOnlyDictionary<QueueName, QueueEntry> Queues => _queues;

    /// <summary>The event by which a queue comes to be, or is replaced by a new version of itself.</summary>
    public static ReadOnlySpan<byte> Put(QueueEntry entry)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)Kind.Put);
        Write(writer, entry);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a queue is gone.</summary>
    public static ReadOnlySpan<byte> Remove(QueueName name)
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
        reader.Version(Version, "queue event");
        switch ((Kind)reader.Byte())
        {
            case Kind.Put:
                var entry = Read(ref reader);
                _queues[entry.Name] = entry;
                break;
            case Kind.Remove:
                Invariant.Check(_queues.Remove(ReadName(ref reader)), "only queues that are there are removed");
                break;
            case var other:
                throw new CorruptDataException($"A queue event of kind {(byte)other} is unknown.");
        }
        reader.End("queue event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_queues.Count);
        foreach (var entry in _queues.Values) Write(writer, entry);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "queues");
        _queues.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var entry = Read(ref reader);
            _queues.Add(entry.Name, entry);
        }
        reader.End("queues");
    }

    private static void Write(in SnapshotWriter writer, QueueEntry entry)
    {
        writer.Guid(entry.Id);
        WriteName(writer, entry.Name);
        writer.Int64(entry.CreatedAtMs);
        writer.Int64(entry.LogId);
        writer.Int64(entry.StateId);
        entry.Settings.Write(writer);
    }

    private static QueueEntry Read(ref SnapshotReader reader) =>
        new(reader.Guid(), ReadName(ref reader), reader.Int64(), reader.Int64(), reader.Int64(), QueueSettings.Read(ref reader));

    private static void WriteName(in SnapshotWriter writer, QueueName name)
    {
        writer.Text(name.Namespace.Tenant);
        writer.Text(name.Namespace.Name);
        writer.Text(name.Name);
    }

    private static QueueName ReadName(ref SnapshotReader reader) => new(new NamespaceName(reader.Text(), reader.Text()), reader.Text());
}
