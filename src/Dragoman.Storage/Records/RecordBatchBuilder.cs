using System.Buffers;
using System.Buffers.Binary;
using Dragoman.Storage.Records.Compression;

namespace Dragoman.Storage.Records;

/// <summary>The fields by which an idempotent producer's batches are recognised.</summary>
/// <param name="Id">Id that the broker gave the producer.</param>
/// <param name="Epoch">Epoch of the producer; raised to fence its former self.</param>
/// <param name="BaseSequence">Sequence number of the batch's first record.</param>
public readonly record struct BatchProducer(long Id, short Epoch, int BaseSequence)
{
    internal static BatchProducer None { get; } =
        new(RecordBatchHeader.NoProducerId, RecordBatchHeader.NoProducerEpoch, RecordBatchHeader.NoSequence);
}

/// <summary>Everything about a batch that its records do not say.</summary>
public readonly record struct BatchOptions
{
    /// <summary>No compression, no producer, not transactional, CreateTime.</summary>
    public BatchOptions()
    {
    }

    /// <summary>How to compress the records.</summary>
    public CompressionCodec Codec { get; init; }

    /// <summary>The idempotent producer, if there is one.</summary>
    public BatchProducer? Producer { get; init; }

    /// <summary>Whether the batch is part of a transaction.</summary>
    public bool IsTransactional { get; init; }

    /// <summary>Whether the batch holds a control record.</summary>
    public bool IsControl { get; init; }

    /// <summary>Offset of the first record; appending to a log sets it again.</summary>
    public long BaseOffset { get; init; }

    /// <summary>Epoch of the leader; appending to a log sets it again.</summary>
    public int PartitionLeaderEpoch { get; init; } = RecordBatchHeader.NoPartitionLeaderEpoch;

    /// <summary>The broker's time for all records, in milliseconds since 1970, which makes the batch LogAppendTime.</summary>
    public long? LogAppendTimestamp { get; init; }

    /// <summary>
    /// The last offset delta where it is not the last record's: what compaction keeps when it drops the last records.
    /// </summary>
    public int? LastOffsetDelta { get; init; }

    /// <summary>
    /// Whether the base timestamp is the time from which compaction may drop the batch's tombstones. That time is given
    /// before the first record, to <see cref="RecordBatchBuilder.Reset(long?)"/>.
    /// </summary>
    public bool HasDeleteHorizon { get; init; }
}

/// <summary>
/// Builds record batches in pooled memory, one after the other. Adding a record allocates nothing once the memory has
/// grown. Not safe for concurrent use.
/// </summary>
public sealed class RecordBatchBuilder : IDisposable
{
    /// <summary>The most bytes of records that one builder takes: 1 GiB.</summary>
    public const int MaxRecordsBytes = 1 << 30;

    // The header is written in front of the records at the end, so that a batch without compression is never copied.
    private readonly PooledBuffer _records = new();
    private readonly PooledBuffer _compressed = new();
    private long? _givenBaseTimestamp;
    private long _baseTimestamp;
    private long _maxTimestamp;
    private int _lastOffsetDelta;

    /// <summary>Makes an empty builder.</summary>
    public RecordBatchBuilder() => Reset();

    /// <summary>Records added.</summary>
    public int RecordCount { get; private set; }

    /// <summary>Size of the batch, in bytes, if it were built now without compression.</summary>
    public int UncompressedSize => Math.Max(_records.Length, RecordBatchHeader.Size);

    /// <summary>The records so far, one after the other, without the header; valid until the next change.</summary>
    public ReadOnlyMemory<byte> UncompressedBody => _records.Length == 0 ? default : _records.WrittenMemory[RecordBatchHeader.Size..];

    /// <summary>What the records' timestamp deltas count from.</summary>
    public long BaseTimestamp => _baseTimestamp;

    /// <summary>Starts anew. What <see cref="Build"/> returned before is no longer valid.</summary>
    public void Reset() => Reset(null);

    /// <summary>
    /// Starts anew with a base timestamp (milliseconds since 1970) instead of the first record's timestamp: a compacted
    /// batch's delete horizon.
    /// </summary>
    public void Reset(long? baseTimestamp)
    {
        _records.Clear();
        _compressed.Clear();
        _givenBaseTimestamp = baseTimestamp;
        _baseTimestamp = baseTimestamp ?? RecordBatchHeader.NoTimestamp;
        _maxTimestamp = RecordBatchHeader.NoTimestamp;
        _lastOffsetDelta = -1;
        RecordCount = 0;
    }

    /// <summary>Adds a record at the next offset.</summary>
    /// <param name="timestamp">Milliseconds since 1970, or -1 for none.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="headers">The headers.</param>
    /// <exception cref="InvalidOperationException">The batch would exceed <see cref="MaxRecordsBytes"/>.</exception>
    public void Add(long timestamp, NullableBytes key, NullableBytes value, RecordHeaders headers = default)
    {
        Span<byte> target = Begin(_lastOffsetDelta + 1, timestamp, key, value.IsNull, value.Length, headers, out int at);
        value.Span.CopyTo(target[at..]);
        End(target, at + value.Length, headers);
    }

    /// <summary>Adds a record at the next offset; its value is in pieces.</summary>
    /// <param name="timestamp">Milliseconds since 1970, or -1 for none.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The value, never null.</param>
    /// <param name="headers">The headers.</param>
    /// <exception cref="InvalidOperationException">The batch would exceed <see cref="MaxRecordsBytes"/>.</exception>
    public void Add(long timestamp, NullableBytes key, in ReadOnlySequence<byte> value, RecordHeaders headers = default)
    {
        Span<byte> target = Begin(_lastOffsetDelta + 1, timestamp, key, false, value.Length, headers, out int at);
        value.CopyTo(target[at..]);
        End(target, at + (int)value.Length, headers);
    }

    /// <summary>
    /// Adds a record at an offset delta of its own, which must be larger than the last one: what compaction needs, whose
    /// batches have gaps.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The offset delta does not rise.</exception>
    /// <exception cref="InvalidOperationException">The batch would exceed <see cref="MaxRecordsBytes"/>.</exception>
    public void AddAt(
        int offsetDelta, long timestamp, NullableBytes key, NullableBytes value, RecordHeaders headers = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(offsetDelta, _lastOffsetDelta);
        Span<byte> target = Begin(offsetDelta, timestamp, key, value.IsNull, value.Length, headers, out int at);
        value.Span.CopyTo(target[at..]);
        End(target, at + value.Length, headers);
    }

    /// <summary>
    /// Builds the batch. The result belongs to the builder and is valid until <see cref="Reset()"/>, the next
    /// <see cref="Build"/>, or the next record; it may be changed in place with <see cref="RecordBatch"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// There is no record, and the options do not state a last offset delta; or a stated one is smaller than the last record's.
    /// </exception>
    public Memory<byte> Build(in BatchOptions options)
    {
        int lastOffsetDelta = options.LastOffsetDelta ?? _lastOffsetDelta;
        if (lastOffsetDelta < 0 || lastOffsetDelta < _lastOffsetDelta)
        {
            throw new InvalidOperationException("A batch needs a record or a last offset delta that covers its records.");
        }

        ReserveHeader(_records);
        PooledBuffer target = _records;
        CompressionCodec codec = RecordCount > 0 ? options.Codec : CompressionCodec.None;
        if (codec != CompressionCodec.None)
        {
            target = _compressed;
            target.Clear();
            ReserveHeader(target);
            RecordCompression.Compress(codec, _records.WrittenSpan[RecordBatchHeader.Size..], target);
        }

        WriteHeader(target.WritableSpan, options, codec, lastOffsetDelta);
        return target.WritableMemory;
    }

    /// <summary>Gives the memory back. The builder may be used again.</summary>
    public void Dispose()
    {
        Reset();
        _records.Dispose();
        _compressed.Dispose();
    }

    private static void ReserveHeader(PooledBuffer buffer)
    {
        if (buffer.Length == 0)
        {
            buffer.GetSpan(RecordBatchHeader.Size);
            buffer.Advance(RecordBatchHeader.Size);
        }
    }

    /// <summary>Writes a record up to its value, for which the returned span has room at <paramref name="at"/>.</summary>
    private Span<byte> Begin(
        int offsetDelta,
        long timestamp,
        NullableBytes key,
        bool valueIsNull,
        long valueLength,
        RecordHeaders headers,
        out int at)
    {
        ReserveHeader(_records);
        long baseTimestamp = RecordCount == 0 ? _givenBaseTimestamp ?? timestamp : _baseTimestamp;
        long timestampDelta = unchecked(timestamp - baseTimestamp);
        long content = 1L
            + Varint.SizeOf(timestampDelta)
            + Varint.SizeOf(offsetDelta)
            + Varint.SizeOf(key.IsNull ? -1 : key.Length) + key.Length
            + Varint.SizeOf(valueIsNull ? -1L : valueLength) + valueLength
            + Varint.SizeOf(headers.Count) + headers.Encoded.Length;
        if (_records.Length + Varint.MaxInt32Size + content > MaxRecordsBytes)
        {
            throw new InvalidOperationException($"A record batch takes at most {MaxRecordsBytes} bytes of records.");
        }

        _baseTimestamp = baseTimestamp;
        _maxTimestamp = Math.Max(_maxTimestamp, timestamp);
        _lastOffsetDelta = offsetDelta;
        RecordCount++;

        Span<byte> target = _records.GetSpan(Varint.SizeOf((int)content) + (int)content);
        at = Varint.Write(target, (int)content);
        target[at++] = 0;
        at += Varint.Write(target[at..], timestampDelta);
        at += Varint.Write(target[at..], offsetDelta);
        at += Varint.Write(target[at..], key.IsNull ? -1 : key.Length);
        key.Span.CopyTo(target[at..]);
        at += key.Length;
        at += Varint.Write(target[at..], valueIsNull ? -1 : (int)valueLength);
        return target;
    }

    private void End(Span<byte> target, int at, RecordHeaders headers)
    {
        at += Varint.Write(target[at..], headers.Count);
        headers.Encoded.CopyTo(target[at..]);
        _records.Advance(at + headers.Encoded.Length);
    }

    private void WriteHeader(
        Span<byte> batch, in BatchOptions options, CompressionCodec codec, int lastOffsetDelta)
    {
        int attributes = (int)codec
            | (options.LogAppendTimestamp is null ? 0 : RecordBatchHeader.TimestampTypeFlag)
            | (options.IsTransactional ? RecordBatchHeader.TransactionalFlag : 0)
            | (options.IsControl ? RecordBatchHeader.ControlFlag : 0)
            | (options.HasDeleteHorizon ? RecordBatchHeader.DeleteHorizonFlag : 0);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.BaseOffsetOffset..], options.BaseOffset);
        BinaryPrimitives.WriteInt32BigEndian(
            batch[RecordBatchHeader.BatchLengthOffset..], batch.Length - RecordBatchHeader.LogOverhead);
        BinaryPrimitives.WriteInt32BigEndian(
            batch[RecordBatchHeader.PartitionLeaderEpochOffset..], options.PartitionLeaderEpoch);
        batch[RecordBatchHeader.MagicOffset] = RecordBatchHeader.CurrentMagic;
        BinaryPrimitives.WriteInt16BigEndian(batch[RecordBatchHeader.AttributesOffset..], (short)attributes);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.LastOffsetDeltaOffset..], lastOffsetDelta);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.BaseTimestampOffset..], _baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(
            batch[RecordBatchHeader.MaxTimestampOffset..], options.LogAppendTimestamp ?? _maxTimestamp);
        BatchProducer producer = options.Producer ?? BatchProducer.None;
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.ProducerIdOffset..], producer.Id);
        BinaryPrimitives.WriteInt16BigEndian(batch[RecordBatchHeader.ProducerEpochOffset..], producer.Epoch);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.BaseSequenceOffset..], producer.BaseSequence);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.RecordCountOffset..], RecordCount);
        RecordBatch.UpdateCrc(batch);
    }
}
