using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log;

/// <summary>What a log says to a batch of an idempotent producer.</summary>
public enum ProducerCheck
{
    /// <summary>It is the next one, or the producer's first.</summary>
    Accept,

    /// <summary>It is in the log already; the producer did not see the answer.</summary>
    Duplicate,

    /// <summary>Batches before it are missing.</summary>
    OutOfOrderSequence,

    /// <summary>A newer instance of the producer has taken over.</summary>
    StaleEpoch,

    /// <summary>It is not transactional, and a transaction of the producer is open.</summary>
    NotTransactional,
}

/// <summary>A transaction that ended in an abort, as read-committed consumers need it.</summary>
/// <param name="ProducerId">Whose records are to be skipped.</param>
/// <param name="FirstOffset">From where.</param>
/// <param name="LastOffset">To the offset of the abort marker.</param>
/// <param name="StableOffset">Transactions that ended after this one begin at or after this offset.</param>
public readonly record struct AbortedTransaction(long ProducerId, long FirstOffset, long LastOffset, long StableOffset);

/// <summary>What a log knows of a producer.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Epoch">Its newest epoch.</param>
/// <param name="LastSequence">The last sequence number of that epoch, or -1.</param>
/// <param name="LastTimestamp">The largest timestamp of its last batch, in milliseconds since 1970.</param>
/// <param name="LastEndedTransaction">Number of the last transaction that was ended here, or -1.</param>
/// <param name="OpenTransactionStart">Where its open transaction begins, or -1 if none is open.</param>
public readonly record struct ProducerSummary(
    long Id, short Epoch, int LastSequence, long LastTimestamp, int LastEndedTransaction, long OpenTransactionStart);

/// <summary>How far a producer has come in a log.</summary>
/// <param name="Epoch">Its epoch.</param>
/// <param name="LastOffset">Offset of its last record under that epoch; -1 if there is only the end of a transaction.</param>
internal readonly record struct ProducerEnd(short Epoch, long LastOffset);

/// <summary>
/// What the batches of one log say about their producers: the last sequences of each, open transactions and aborted
/// ones. It is a function of the batches alone, so recovery rebuilds it by replaying them onto a snapshot.
/// </summary>
/// <remarks>
/// Not synchronised: guarded by the log's lock. Batches join when they are enqueued, so a check sees those that are
/// not committed yet. Kafka's brokers remember the last five batches of a producer (KIP-98, "Idempotent producer").
/// <para>
/// A producer's transactions are numbered by its coordinator, and a marker carries the number of the one that it ends,
/// in the field that Kafka gives to the coordinator's epoch. So a marker that arrives twice is told from the marker of
/// the next transaction, and a batch that was let in for a transaction cannot slip in behind its end.
/// </para>
/// </remarks>
public sealed class ProducerTable
{
    private const int RememberedBatches = 5;
    private const byte SnapshotVersion = 2;

    private readonly Dictionary<long, Producer> _producers = [];
    private readonly List<OpenTransaction> _open = [];
    private readonly List<AbortedTransaction> _aborted = [];
    private long _now;

    /// <summary>Rises whenever aborted transactions are forgotten, because their records are gone from the log.</summary>
    internal long Forgotten { get; private set; }

    private sealed class Producer
    {
        public short Epoch = RecordBatchHeader.NoProducerEpoch;
        public long LastTimestamp;
        public long LastHeard;
        public int LastEnded = -1;
        public long OpenFrom = -1;
        public readonly Remembered[] Batches = new Remembered[RememberedBatches];
        public int Count;

        public ref Remembered Newest => ref Batches[Count - 1];

        public void Remember(in Remembered batch)
        {
            if (Count == RememberedBatches) Batches.AsSpan(1).CopyTo(Batches);
            else Count++;
            Batches[Count - 1] = batch;
        }
    }

    private record struct Remembered(int FirstSequence, int LastSequence, long BaseOffset, int LastOffsetDelta, long Timestamp);

    /// <summary>A transaction of which the marker, if any, is not committed yet.</summary>
    private record struct OpenTransaction(long ProducerId, long FirstOffset, long MarkerOffset);

    /// <summary>Producers known.</summary>
    public int Count => _producers.Count;

    /// <summary>Whether there is nothing to remember. Producers may be forgotten long before the transactions that they aborted.</summary>
    public bool IsEmpty => _producers.Count == 0 && _open.Count == 0 && _aborted.Count == 0;

    /// <summary>Transactions that were aborted and whose records are still in the log, by the offset of their marker.</summary>
    public IReadOnlyList<AbortedTransaction> Aborted => _aborted;

    /// <summary>Whether the log takes a batch. For a duplicate, tells where the batch is and its timestamp.</summary>
    public ProducerCheck Check(in RecordBatchHeader batch, out long baseOffset, out long timestamp)
    {
        baseOffset = -1;
        timestamp = RecordBatchHeader.NoTimestamp;
        if (batch.ProducerId < 0 || !_producers.TryGetValue(batch.ProducerId, out var producer)) return ProducerCheck.Accept;
        if (batch.ProducerEpoch < producer.Epoch) return ProducerCheck.StaleEpoch;
        if (batch.IsControl) return ProducerCheck.Accept;
        if (batch.ProducerEpoch > producer.Epoch)
            return batch.BaseSequence == 0 ? Accept(batch, producer) : ProducerCheck.OutOfOrderSequence;

        foreach (ref readonly var known in producer.Batches.AsSpan(0, producer.Count))
        {
            if (known.FirstSequence != batch.BaseSequence || known.LastSequence != batch.LastSequence) continue;
            baseOffset = known.BaseOffset;
            timestamp = known.Timestamp;
            return ProducerCheck.Duplicate;
        }
        var last = producer.Count == 0 ? -1 : producer.Newest.LastSequence;
        var expected = last == int.MaxValue ? 0 : last + 1;
        return batch.BaseSequence == expected ? Accept(batch, producer) : ProducerCheck.OutOfOrderSequence;
    }

    private static ProducerCheck Accept(in RecordBatchHeader batch, Producer producer) =>
        producer.OpenFrom >= 0 && !batch.IsTransactional ? ProducerCheck.NotTransactional : ProducerCheck.Accept;

    /// <summary>Whether a producer has a transaction open here.</summary>
    public bool HasOpenTransaction(long producerId) => _producers.TryGetValue(producerId, out var producer) && producer.OpenFrom >= 0;

    /// <summary>Whether a producer's transaction of a number, or a later one, has ended here.</summary>
    public bool HasEnded(long producerId, int transaction) =>
        _producers.TryGetValue(producerId, out var producer) && producer.LastEnded >= 0 && !IsAfter(transaction, producer.LastEnded);

    /// <summary>The newest epoch of a producer, or -1.</summary>
    public short EpochOf(long producerId) => _producers.TryGetValue(producerId, out var producer) ? producer.Epoch : RecordBatchHeader.NoProducerEpoch;

    /// <summary>Number of the last transaction of a producer that has ended here, or -1.</summary>
    public int LastEndedOf(long producerId) => _producers.TryGetValue(producerId, out var producer) ? producer.LastEnded : -1;

    /// <summary>Whether a transaction's number comes after another's. The numbers go round after 2^31 - 1.</summary>
    public static bool IsAfter(int transaction, int other) => transaction != other && ((transaction - other) & int.MaxValue) < 1 << 30;

    /// <summary>Takes in a batch that has its offsets. Live and replayed batches come through here alike.</summary>
    /// <param name="batch">The batch's header.</param>
    /// <param name="baseOffset">Its base offset in this log.</param>
    /// <param name="marker">For a control batch that ends a transaction, what it says.</param>
    public void Apply(in RecordBatchHeader batch, long baseOffset, EndTransactionMarker? marker)
    {
        if (batch.ProducerId < 0) return;
        if (!_producers.TryGetValue(batch.ProducerId, out var producer))
            _producers.Add(batch.ProducerId, producer = new Producer());
        if (batch.ProducerEpoch > producer.Epoch || (batch.ProducerEpoch != producer.Epoch && !batch.IsControl))
        {
            producer.Epoch = batch.ProducerEpoch;
            producer.Count = 0;
        }
        producer.LastTimestamp = batch.MaxTimestamp;
        producer.LastHeard = Math.Max(batch.MaxTimestamp, _now);

        if (batch.IsControl)
        {
            if (marker is { } end) EndTransaction(batch.ProducerId, producer, baseOffset, end);
            return;
        }
        producer.Remember(new Remembered(batch.BaseSequence, batch.LastSequence, baseOffset, batch.LastOffsetDelta, batch.MaxTimestamp));
        if (!batch.IsTransactional || producer.OpenFrom >= 0) return;
        producer.OpenFrom = baseOffset;
        _open.Add(new OpenTransaction(batch.ProducerId, baseOffset, -1));
    }

    private void EndTransaction(long producerId, Producer producer, long markerOffset, in EndTransactionMarker marker)
    {
        // Markers that an operator had written by hand have no number, and the coordinator's own comes all the same.
        if (marker.CoordinatorEpoch >= 0) producer.LastEnded = marker.CoordinatorEpoch;
        if (producer.OpenFrom < 0) return;
        var stable = markerOffset + 1;
        for (var i = 0; i < _open.Count; i++)
        {
            if (_open[i].MarkerOffset >= 0) continue;
            if (_open[i].ProducerId == producerId) _open[i] = _open[i] with { MarkerOffset = markerOffset };
            else stable = Math.Min(stable, _open[i].FirstOffset);
        }
        if (marker.Type == ControlRecordType.Abort) _aborted.Add(new AbortedTransaction(producerId, producer.OpenFrom, markerOffset, stable));
        producer.OpenFrom = -1;
    }

    /// <summary>
    /// The offset before which no transaction is open, given what is committed. A transaction stays open until its
    /// marker is committed, so that nobody reads past records whose abort could still be lost.
    /// </summary>
    public long LastStableOffset(long highWatermark)
    {
        var stable = highWatermark;
        for (var i = _open.Count - 1; i >= 0; i--)
        {
            var transaction = _open[i];
            if (transaction.MarkerOffset >= 0 && transaction.MarkerOffset < highWatermark) _open.RemoveAt(i);
            else stable = Math.Min(stable, transaction.FirstOffset);
        }
        return stable;
    }

    /// <summary>Adds the aborted transactions of which records lie between two offsets.</summary>
    public void CollectAborted(long fromOffset, long toOffset, List<AbortedTransaction> target)
    {
        ArgumentNullException.ThrowIfNull(target);
        int low = 0, high = _aborted.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_aborted[middle].LastOffset < fromOffset) low = middle + 1;
            else high = middle;
        }
        for (; low < _aborted.Count; low++)
        {
            if (_aborted[low].FirstOffset < toOffset) target.Add(_aborted[low]);
            if (_aborted[low].StableOffset >= toOffset) return;
        }
    }

    /// <summary>Adds what is known of each producer.</summary>
    public void CollectProducers(List<ProducerSummary> target)
    {
        ArgumentNullException.ThrowIfNull(target);
        foreach (var (id, producer) in _producers)
        {
            var sequence = producer.Count == 0 ? RecordBatchHeader.NoSequence : producer.Newest.LastSequence;
            target.Add(new ProducerSummary(id, producer.Epoch, sequence, producer.LastTimestamp, producer.LastEnded, producer.OpenFrom));
        }
    }

    /// <summary>Forgets what lies wholly before an offset.</summary>
    public void ForgetBefore(long offset) => Forgotten += _aborted.RemoveAll(t => t.LastOffset < offset);

    /// <summary>
    /// Forgets producers without an open transaction that were last heard of so long ago; all times are in milliseconds,
    /// and since 1970. Records may bear any time, so what counts is when they came, to the grain of these calls.
    /// </summary>
    public void ForgetIdle(long now, long afterMs)
    {
        var isFirst = _now == 0;
        _now = now;
        foreach (var (id, producer) in _producers)
        {
            if (isFirst) producer.LastHeard = Math.Max(producer.LastHeard, now);
            if (producer.LastHeard < now - afterMs && producer.OpenFrom < 0) _producers.Remove(id);
        }
    }

    /// <summary>How far each producer has come.</summary>
    internal Dictionary<long, ProducerEnd> Ends()
    {
        var ends = new Dictionary<long, ProducerEnd>(_producers.Count);
        foreach (var (id, producer) in _producers)
            ends.Add(id, new ProducerEnd(producer.Epoch, producer.Count == 0 ? -1 : producer.Newest.BaseOffset + producer.Newest.LastOffsetDelta));
        return ends;
    }

    /// <summary>Forgets aborted transactions of which nothing is left, their markers included.</summary>
    internal void ForgetAborted(IReadOnlySet<long> markers)
    {
        if (markers.Count > 0) Forgotten += _aborted.RemoveAll(t => markers.Contains(t.LastOffset));
    }

    /// <summary>Writes all of it.</summary>
    public void WriteSnapshot(IBufferWriter<byte> target) => WriteSnapshot(target, null);

    /// <summary>Writes all of it but the aborted transactions that end at some offsets.</summary>
    internal void WriteSnapshot(IBufferWriter<byte> target, IReadOnlySet<long>? withoutMarkers)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(SnapshotVersion);
        writer.Int32(_producers.Count);
        foreach (var (id, producer) in _producers)
        {
            writer.Int64(id);
            writer.Int32(producer.Epoch);
            writer.Int64(producer.LastTimestamp);
            writer.Int32(producer.LastEnded);
            writer.Int32(producer.Count);
            foreach (var batch in producer.Batches.AsSpan(0, producer.Count))
            {
                writer.Int32(batch.FirstSequence);
                writer.Int32(batch.LastSequence);
                writer.Int64(batch.BaseOffset);
                writer.Int32(batch.LastOffsetDelta);
                writer.Int64(batch.Timestamp);
            }
        }
        writer.Int32(_open.Count);
        foreach (var transaction in _open)
        {
            writer.Int64(transaction.ProducerId);
            writer.Int64(transaction.FirstOffset);
            writer.Int64(transaction.MarkerOffset);
        }
        var aborted = withoutMarkers is { Count: > 0 } ? _aborted.FindAll(t => !withoutMarkers.Contains(t.LastOffset)) : _aborted;
        writer.Int32(aborted.Count);
        foreach (var transaction in aborted)
        {
            writer.Int64(transaction.ProducerId);
            writer.Int64(transaction.FirstOffset);
            writer.Int64(transaction.LastOffset);
            writer.Int64(transaction.StableOffset);
        }
    }

    /// <summary>Replaces the content by what <see cref="WriteSnapshot(IBufferWriter{byte})"/> wrote.</summary>
    /// <exception cref="CorruptDataException">It is something else.</exception>
    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        _producers.Clear();
        _open.Clear();
        _aborted.Clear();
        var reader = new SnapshotReader(source);
        var version = reader.Version(SnapshotVersion, "producer table");
        for (var n = reader.Count(); n > 0; n--)
        {
            var id = reader.Int64();
            var producer = new Producer { Epoch = (short)reader.Int32(), LastTimestamp = reader.Int64() };
            producer.LastHeard = producer.LastTimestamp;
            if (version >= 2) producer.LastEnded = reader.Int32();
            for (var b = reader.Count(); b > 0; b--)
                producer.Remember(new Remembered(reader.Int32(), reader.Int32(), reader.Int64(), reader.Int32(), reader.Int64()));
            if (!_producers.TryAdd(id, producer)) throw new CorruptDataException($"Producer {id} is in the producer table twice.");
        }
        for (var n = reader.Count(); n > 0; n--)
        {
            var transaction = new OpenTransaction(reader.Int64(), reader.Int64(), reader.Int64());
            _open.Add(transaction);
            if (transaction.MarkerOffset >= 0) continue;
            if (!_producers.TryGetValue(transaction.ProducerId, out var producer))
                throw new CorruptDataException($"Producer {transaction.ProducerId} has a transaction, and is not in the producer table.");
            producer.OpenFrom = transaction.FirstOffset;
        }
        for (var n = reader.Count(); n > 0; n--)
            _aborted.Add(new AbortedTransaction(reader.Int64(), reader.Int64(), reader.Int64(), version >= 2 ? reader.Int64() : 0));
        reader.End("producer table");
    }
}
