using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Transactions;

/// <summary>A share of the transactional ids: the state machine behind <see cref="TransactionCoordinator"/>.</summary>
internal sealed class TransactionShard : IStateMachine
{
    private const byte SnapshotVersion = 1;

    private readonly Dictionary<TransactionalId, TransactionEntry> _entries = [];

    public IReadOnlyDictionary<TransactionalId, TransactionEntry> Entries => _entries;

    public TransactionEntry? Find(TransactionalId id) => _entries.GetValueOrDefault(id);

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(TransactionEvents.Version, "transaction event");
        var kind = (TransactionEvents.Kind)reader.Byte();
        var id = TransactionEvents.ReadId(ref reader);
        var now = reader.Int64();
        switch (kind)
        {
            case TransactionEvents.Kind.Initialised:
                if (!_entries.TryGetValue(id, out var entry)) _entries.Add(id, entry = new TransactionEntry(id));
                entry.Initialise(new ProducerIdentity(reader.Int64(), (short)reader.Int32()), (short)reader.Int32(), reader.Int32(), now);
                break;
            case TransactionEvents.Kind.Joined:
                var partitions = new TransactionPartition[reader.Count()];
                for (var i = 0; i < partitions.Length; i++) partitions[i] = new TransactionPartition(reader.Guid(), reader.Int32());
                _entries[id].Join(partitions, reader.Bool() ? reader.Text() : null, now);
                break;
            case TransactionEvents.Kind.Ended:
                _entries[id].End((short)reader.Int32(), reader.Bool(), reader.Bool(), now);
                break;
            case TransactionEvents.Kind.Completed:
                _entries[id].Complete(now);
                break;
            case TransactionEvents.Kind.Forgotten:
                Invariant.Check(_entries.Remove(id), "only ids that are known are forgotten");
                break;
            default:
                throw new CorruptDataException($"A transaction event of kind {(byte)kind} is unknown.");
        }
        reader.End("transaction event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(SnapshotVersion);
        writer.Int32(_entries.Count);
        foreach (var entry in _entries.Values) entry.Write(writer);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(SnapshotVersion, "transactions");
        _entries.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var entry = TransactionEntry.Read(ref reader);
            _entries.Add(entry.Id, entry);
        }
        reader.End("transactions");
    }
}
