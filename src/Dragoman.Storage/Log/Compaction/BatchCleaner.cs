using System.Buffers.Binary;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log.Compaction;

/// <summary>
/// Decides what stays of a batch. Kafka's cleaner is the model (<c>Cleaner.java</c>, KIP-58, KIP-98, KIP-534): offsets stay
/// as they are, a batch keeps its base offset and last offset delta whatever is left in it, and the last batch of a
/// producer stays, be it empty, for its sequence.
/// </summary>
internal sealed class BatchCleaner : IDisposable
{
    private readonly KeyOffsets _keys;
    private readonly long _end;
    private readonly CompactedTransactions _transactions;
    private readonly IReadOnlyDictionary<long, ProducerEnd> _producers;
    private readonly long _now;
    private readonly long _tombstoneRetentionMs;
    private readonly RecordBatchReader _reader = new();
    private readonly RecordBatchBuilder _builder = new();
    private readonly List<bool> _kept = [];
    private readonly byte[] _empty = new byte[RecordBatchHeader.Size];

    /// <summary>Makes a cleaner for one pass over a log.</summary>
    /// <param name="keys">The newest offset of each key of the stretch that is cleaned for the first time.</param>
    /// <param name="end">Where that stretch ends: records from here on stay.</param>
    /// <param name="transactions">The log's transactions.</param>
    /// <param name="producers">How far each active producer has come.</param>
    /// <param name="now">The time, in milliseconds since 1970.</param>
    /// <param name="tombstoneRetentionMs">How long tombstones stay from now on, where that was not settled before.</param>
    public BatchCleaner(
        KeyOffsets keys, long end, CompactedTransactions transactions, IReadOnlyDictionary<long, ProducerEnd> producers, long now, long tombstoneRetentionMs)
    {
        _keys = keys;
        _end = end;
        _transactions = transactions;
        _producers = producers;
        _now = now;
        _tombstoneRetentionMs = tombstoneRetentionMs;
    }

    /// <summary>Offsets of abort markers that did not stay: the log need not know of these transactions any more.</summary>
    public HashSet<long> DroppedMarkers { get; } = [];

    /// <summary>What stays of a batch: nothing, the batch as it is, or another that is valid until the next call.</summary>
    /// <exception cref="CorruptDataException">The batch cannot be read.</exception>
    public ReadOnlyMemory<byte> Clean(ReadOnlyMemory<byte> batch)
    {
        RecordBatchHeader.TryRead(batch.Span, out var header);
        if (header.BaseOffset >= _end) return batch;
        if (header.IsControl) return CleanMarker(header, batch);
        if (header.IsTransactional)
        {
            _transactions.Saw(header.ProducerId);
            if (_transactions.IsAborted(header.ProducerId, header.BaseOffset)) return Nothing(header, batch);
        }
        return header.RecordCount == 0 ? Nothing(header, batch) : CleanRecords(header, batch);
    }

    private ReadOnlyMemory<byte> CleanMarker(in RecordBatchHeader header, ReadOnlyMemory<byte> batch)
    {
        // A marker outlives its records by a while, as those who have read them need it.
        if (!_transactions.EndsNothing(header.ProducerId)) return batch;
        if (header.HasDeleteHorizon)
        {
            var isLast = _producers.TryGetValue(header.ProducerId, out var end) && end.LastOffset < 0 && end.Epoch == header.ProducerEpoch;
            if (header.BaseTimestamp > _now || isLast) return batch;
            DroppedMarkers.Add(header.BaseOffset);
            return default;
        }
        Open(batch);
        _kept.Clear();
        for (var records = _reader.Records; records.MoveNext();) _kept.Add(true);
        return Rebuild(_reader.Header, Horizon());
    }

    private ReadOnlyMemory<byte> CleanRecords(in RecordBatchHeader header, ReadOnlyMemory<byte> batch)
    {
        Open(batch);
        var expired = header.HasDeleteHorizon && header.BaseTimestamp <= _now;
        var (kept, tombstones) = (0, 0);
        _kept.Clear();
        var records = _reader.Records;
        while (records.MoveNext())
        {
            var stays = Stays(records.Current, expired);
            _kept.Add(stays);
            if (!stays) continue;
            kept++;
            if (records.Current.Value.IsNull) tombstones++;
        }
        if (records.Error != BatchError.None) throw Unreadable(header, records.Error);
        if (kept == 0) return Nothing(header, batch);
        var needsHorizon = tombstones > 0 && !header.HasDeleteHorizon;
        if (kept == _kept.Count && !needsHorizon) return batch;
        return Rebuild(_reader.Header, header.HasDeleteHorizon ? header.BaseTimestamp : needsHorizon ? Horizon() : null);
    }

    private bool Stays(in RecordView record, bool expired)
    {
        if (record.Offset >= _end) return true;
        // They can be older than the log's being compacted; nobody could ever replace them.
        if (record.Key.IsNull) return false;
        if (_keys.Get(record.Key.Span) > record.Offset) return false;
        return !record.Value.IsNull || !expired;
    }

    private long Horizon() => _tombstoneRetentionMs > long.MaxValue - _now ? long.MaxValue : _now + _tombstoneRetentionMs;

    /// <summary>The batch with the records that stay, in the codec that it had.</summary>
    private Memory<byte> Rebuild(in RecordBatchHeader header, long? horizon)
    {
        _builder.Reset(horizon);
        var index = 0;
        for (var records = _reader.Records; records.MoveNext();)
        {
            var record = records.Current;
            if (_kept[index++]) _builder.AddAt(record.OffsetDelta, record.Timestamp, record.Key, record.Value, record.Headers);
        }
        return _builder.Build(new BatchOptions
        {
            Codec = header.Codec,
            Producer = new BatchProducer(header.ProducerId, header.ProducerEpoch, header.BaseSequence),
            IsTransactional = header.IsTransactional,
            IsControl = header.IsControl,
            BaseOffset = header.BaseOffset,
            PartitionLeaderEpoch = header.PartitionLeaderEpoch,
            LogAppendTimestamp = header.TimestampType == TimestampType.LogAppendTime ? header.MaxTimestamp : null,
            LastOffsetDelta = header.LastOffsetDelta,
            HasDeleteHorizon = horizon is not null,
        });
    }

    /// <summary>What stays where no record does: an empty batch if it is the producer's last, else nothing.</summary>
    private ReadOnlyMemory<byte> Nothing(in RecordBatchHeader header, ReadOnlyMemory<byte> batch)
    {
        if (!header.HasProducerId || !_producers.TryGetValue(header.ProducerId, out var end) || end.LastOffset != header.LastOffset) return default;
        if (header.RecordCount == 0) return batch;
        batch.Span[..RecordBatchHeader.Size].CopyTo(_empty);
        BinaryPrimitives.WriteInt32BigEndian(_empty.AsSpan(RecordBatchHeader.BatchLengthOffset), RecordBatchHeader.MinBatchLength);
        var attributes = (short)(header.Attributes & ~(RecordBatchHeader.CodecMask | RecordBatchHeader.DeleteHorizonFlag));
        BinaryPrimitives.WriteInt16BigEndian(_empty.AsSpan(RecordBatchHeader.AttributesOffset), attributes);
        BinaryPrimitives.WriteInt64BigEndian(_empty.AsSpan(RecordBatchHeader.BaseTimestampOffset), RecordBatchHeader.NoTimestamp);
        BinaryPrimitives.WriteInt32BigEndian(_empty.AsSpan(RecordBatchHeader.RecordCountOffset), 0);
        RecordBatch.UpdateCrc(_empty);
        return _empty;
    }

    private void Open(ReadOnlyMemory<byte> batch)
    {
        var error = _reader.Open(batch, int.MaxValue);
        if (error == BatchError.None) return;
        RecordBatchHeader.TryRead(batch.Span, out var header);
        throw Unreadable(header, error);
    }

    private static CorruptDataException Unreadable(in RecordBatchHeader header, BatchError error) =>
        new($"The batch at offset {header.BaseOffset} cannot be read: {error}.");

    public void Dispose()
    {
        _reader.Dispose();
        _builder.Dispose();
    }
}
