using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;

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
internal sealed class QueueRegistry() : NamedRegistry<QueueName, QueueEntry>(version: 1, "queue", "queues")
{
    protected override QueueName NameOf(QueueEntry entry) => entry.Name;

    protected override void Write(in SnapshotWriter writer, QueueEntry entry)
    {
        writer.Guid(entry.Id);
        WriteName(writer, entry.Name);
        writer.Int64(entry.CreatedAtMs);
        writer.Int64(entry.LogId);
        writer.Int64(entry.StateId);
        entry.Settings.Write(writer);
    }

    protected override QueueEntry Read(ref SnapshotReader reader, byte written) =>
        new(reader.Guid(), ReadName(ref reader), reader.Int64(), reader.Int64(), reader.Int64(), QueueSettings.Read(ref reader));

    protected override void WriteName(in SnapshotWriter writer, QueueName name) => WriteName(writer, name.Namespace, name.Name);

    protected override QueueName ReadName(ref SnapshotReader reader) => new(ReadNamespace(ref reader), reader.Text());
}
