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
}

/// <summary>A transaction that ended in an abort, as read-committed consumers need it.</summary>
/// <param name="ProducerId">Whose records are to be skipped.</param>
/// <param name="FirstOffset">From where.</param>
/// <param name="LastOffset">To the offset of the abort marker.</param>
public readonly record struct AbortedTransaction(long ProducerId, long FirstOffset, long LastOffset);

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
/// </remarks>
public sealed class ProducerTable
{
    private const int RememberedBatches = 5;
    private const byte SnapshotVersion = 1;

    private readonly Dictionary<long, Producer> _producers = [];
    private readonly List<OpenTransaction> _open = [];
    private readonly List<AbortedTransaction> _aborted = [];

    private sealed class Producer
    {
        public short Epoch = RecordBatchHeader.NoProducerEpoch;
        public long LastTimestamp;
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
            return batch.BaseSequence == 0 ? ProducerCheck.Accept : ProducerCheck.OutOfOrderSequence;

        foreach (ref readonly var known in producer.Batches.AsSpan(0, producer.Count))
        {
            if (known.FirstSequence != batch.BaseSequence || known.LastSequence != batch.LastSequence) continue;
            baseOffset = known.BaseOffset;
            timestamp = known.Timestamp;
            return ProducerCheck.Duplicate;
        }
        if (producer.Count == 0) return batch.BaseSequence == 0 ? ProducerCheck.Accept : ProducerCheck.OutOfOrderSequence;
        var last = producer.Newest.LastSequence;
        var expected = last == int.MaxValue ? 0 : last + 1;
        return batch.BaseSequence == expected ? ProducerCheck.Accept : ProducerCheck.OutOfOrderSequence;
    }

    /// <summary>Takes in a batch that has its offsets. Live and replayed batches come through here alike.</summary>
    /// <param name="batch">The batch's header.</param>
    /// <param name="baseOffset">Its base offset in this log.</param>
    /// <param name="isAbortMarker">For a control batch, whether it ends a transaction by aborting it.</param>
    public void Apply(in RecordBatchHeader batch, long baseOffset, bool isAbortMarker)
    {
        if (batch.ProducerId < 0) return;
        if (!_producers.TryGetValue(batch.ProducerId, out var producer))
            _producers.Add(batch.ProducerId, producer = new Producer());
        if (batch.ProducerEpoch != producer.Epoch)
        {
            producer.Epoch = batch.ProducerEpoch;
            producer.Count = 0;
        }
        producer.LastTimestamp = batch.MaxTimestamp;

        if (batch.IsControl)
        {
            EndTransaction(batch.ProducerId, baseOffset, isAbortMarker);
            return;
        }
        producer.Remember(new Remembered(batch.BaseSequence, batch.LastSequence, baseOffset, batch.LastOffsetDelta, batch.MaxTimestamp));
        if (batch.IsTransactional && !IsOpen(batch.ProducerId)) _open.Add(new OpenTransaction(batch.ProducerId, baseOffset, -1));
    }

    private bool IsOpen(long producerId)
    {
        foreach (var transaction in _open)
            if (transaction.ProducerId == producerId && transaction.MarkerOffset < 0) return true;
        return false;
    }

    private void EndTransaction(long producerId, long markerOffset, bool aborted)
    {
        for (var i = 0; i < _open.Count; i++)
        {
            if (_open[i].ProducerId != producerId || _open[i].MarkerOffset >= 0) continue;
            if (aborted) _aborted.Add(new AbortedTransaction(producerId, _open[i].FirstOffset, markerOffset));
            _open[i] = _open[i] with { MarkerOffset = markerOffset };
            return;
        }
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

    /// <summary>Forgets what lies wholly before an offset.</summary>
    public void ForgetBefore(long offset) => _aborted.RemoveAll(t => t.LastOffset < offset);

    /// <summary>Forgets producers without an open transaction that were last heard of before a time, in milliseconds since 1970.</summary>
    public void ForgetIdle(long before)
    {
        foreach (var (id, producer) in _producers)
            if (producer.LastTimestamp < before && !IsOpen(id)) _producers.Remove(id);
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
        if (markers.Count > 0) _aborted.RemoveAll(t => markers.Contains(t.LastOffset));
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
        }
    }

    /// <summary>Replaces the content by what <see cref="WriteSnapshot(IBufferWriter{byte})"/> wrote.</summary>
    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        _producers.Clear();
        _open.Clear();
        _aborted.Clear();
        var reader = new SnapshotReader(source);
        reader.Version(SnapshotVersion, "producer table");
        for (var n = reader.Int32(); n > 0; n--)
        {
            var id = reader.Int64();
            var producer = new Producer { Epoch = (short)reader.Int32(), LastTimestamp = reader.Int64() };
            for (var b = reader.Int32(); b > 0; b--)
                producer.Remember(new Remembered(reader.Int32(), reader.Int32(), reader.Int64(), reader.Int32(), reader.Int64()));
            _producers.Add(id, producer);
        }
        for (var n = reader.Int32(); n > 0; n--) _open.Add(new OpenTransaction(reader.Int64(), reader.Int64(), reader.Int64()));
        for (var n = reader.Int32(); n > 0; n--) _aborted.Add(new AbortedTransaction(reader.Int64(), reader.Int64(), reader.Int64()));
        reader.End("producer table");
    }
}
