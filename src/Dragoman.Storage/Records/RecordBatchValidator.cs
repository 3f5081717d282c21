using Dragoman.Storage.Records.Compression;

namespace Dragoman.Storage.Records;

/// <summary>
/// Checks a record batch before it is stored or believed: header, CRC, and every record, decompressed if need be.
/// Bad input is answered, never thrown at; memory stays within a small multiple of the limits.
/// </summary>
public static class RecordBatchValidator
{
    private static readonly ObjectSlots<PooledBuffer> Buffers = new(static () => new PooledBuffer());

    /// <summary>Checks the one batch that the span must hold exactly.</summary>
    public static BatchError Validate(ReadOnlySpan<byte> batch, in BatchLimits limits, out BatchSummary summary)
    {
        BatchError error = ValidateHeader(batch, limits);
        if (error != BatchError.None)
        {
            summary = new BatchSummary();
            return error;
        }

        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        if (header.Codec == CompressionCodec.None)
        {
            return ValidateRecords(header, batch[RecordBatchHeader.Size..], limits, out summary);
        }

        PooledBuffer buffer = Buffers.Take();
        try
        {
            return ValidateCompressed(header, batch, limits, buffer, out summary);
        }
        finally
        {
            // The slots keep the object; its array goes back, so that one large batch does not hold memory for ever.
            buffer.Dispose();
            Buffers.Put(buffer);
        }
    }

    /// <summary>
    /// Checks a batch as <see cref="Validate(ReadOnlySpan{byte}, in BatchLimits, out BatchSummary)"/> does and leaves the
    /// decompressed records in <paramref name="decompressed"/> (nothing, if the batch is not compressed), so that a caller
    /// who reads them next does not decompress twice: <c>new RecordReader(header, decompressed.WrittenSpan)</c>.
    /// </summary>
    public static BatchError Validate(
        ReadOnlySpan<byte> batch, in BatchLimits limits, PooledBuffer decompressed, out BatchSummary summary)
    {
        ArgumentNullException.ThrowIfNull(decompressed);
        decompressed.Clear();
        BatchError error = ValidateHeader(batch, limits);
        if (error != BatchError.None)
        {
            summary = new BatchSummary();
            return error;
        }

        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        return header.Codec == CompressionCodec.None
            ? ValidateRecords(header, batch[RecordBatchHeader.Size..], limits, out summary)
            : ValidateCompressed(header, batch, limits, decompressed, out summary);
    }

    /// <summary>
    /// Checks all that can be told without looking at a record: size, magic, CRC and the header's fields.
    /// </summary>
    public static BatchError ValidateHeader(ReadOnlySpan<byte> batch, in BatchLimits limits)
    {
        BatchError error = RecordBatches.Measure(batch, out int size);
        if (error != BatchError.None)
        {
            return error;
        }

        if (size != batch.Length)
        {
            return BatchError.TrailingBytes;
        }

        if (size > limits.MaxBatchBytes)
        {
            return BatchError.BatchTooLarge;
        }

        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        if (RecordBatch.ComputeCrc(batch) != header.Crc)
        {
            return BatchError.CrcMismatch;
        }

        if (header.Codec > CompressionCodec.Zstd)
        {
            return BatchError.UnknownCodec;
        }

        if (header.RecordCount < 0)
        {
            return BatchError.InvalidRecordCount;
        }

        // A log's batch may have lost records to compaction, but never has more than offsets.
        if (header.LastOffsetDelta < 0 || header.RecordCount > header.LastOffsetDelta + 1L)
        {
            return BatchError.InvalidLastOffsetDelta;
        }

        return limits.FromProducer ? ValidateProducerHeader(header) : BatchError.None;
    }

    private static BatchError ValidateProducerHeader(RecordBatchHeader header)
    {
        if (header.RecordCount == 0)
        {
            return BatchError.InvalidRecordCount;
        }

        if (header.RecordCount != header.LastOffsetDelta + 1L)
        {
            return BatchError.InvalidLastOffsetDelta;
        }

        if (header.IsControl)
        {
            return BatchError.ControlBatchNotAllowed;
        }

        if (header.TimestampType != TimestampType.CreateTime || header.HasDeleteHorizon)
        {
            return BatchError.InvalidTimestampType;
        }

        // Without a producer id, epoch and sequence mean nothing, and some clients fill them with zeros.
        bool valid = header.HasProducerId
            ? header.ProducerEpoch >= 0 && header.BaseSequence >= 0
            : !header.IsTransactional;
        return valid ? BatchError.None : BatchError.InvalidProducerFields;
    }

    private static BatchError ValidateCompressed(
        RecordBatchHeader header, ReadOnlySpan<byte> batch, in BatchLimits limits, PooledBuffer buffer, out BatchSummary summary)
    {
        BatchError error = DecompressBody(header, batch, limits.MaxDecompressedBytes, buffer);
        if (error == BatchError.None)
        {
            return ValidateRecords(header, buffer.WrittenSpan, limits, out summary);
        }

        summary = new BatchSummary();
        return error;
    }

    /// <summary>Appends the records of a compressed batch, whose size and codec are known to be good, to a buffer.</summary>
    internal static BatchError DecompressBody(
        RecordBatchHeader header, ReadOnlySpan<byte> batch, int maxBytes, PooledBuffer buffer)
    {
        ReadOnlySpan<byte> body = batch[RecordBatchHeader.Size..];
        if (body.IsEmpty && header.RecordCount == 0)
        {
            // What compaction leaves of a batch keeps its attributes and has nothing to decompress.
            return BatchError.None;
        }

        return RecordCompression.Decompress(header.Codec, body, maxBytes, buffer) switch
        {
            DecompressionResult.Ok => BatchError.None,
            DecompressionResult.TooLarge => BatchError.DecompressedTooLarge,
            DecompressionResult.UnknownCodec => BatchError.UnknownCodec,
            _ => BatchError.CorruptCompression,
        };
    }

    private static BatchError ValidateRecords(
        RecordBatchHeader header, ReadOnlySpan<byte> body, in BatchLimits limits, out BatchSummary summary)
    {
        long maxTimestamp = RecordBatchHeader.NoTimestamp;
        int maxTimestampDelta = -1;
        int lastDelta = -1;
        int lastOffsetDelta = header.LastOffsetDelta;
        BatchError error = BatchError.None;
        var reader = new RecordReader(header, body);
        int good = 0;
        while (error == BatchError.None && reader.MoveNext())
        {
            ref readonly RecordView record = ref reader.Current;
            error = ValidateRecord(record, limits, lastDelta, lastOffsetDelta);
            if (error == BatchError.None)
            {
                lastDelta = record.OffsetDelta;
                good++;
                if (record.Timestamp > maxTimestamp)
                {
                    maxTimestamp = record.Timestamp;
                    maxTimestampDelta = record.OffsetDelta;
                }
            }
        }

        error = error == BatchError.None ? reader.Error : error;
        summary = new BatchSummary
        {
            FirstBadRecord = error is BatchError.None or BatchError.BytesAfterRecords ? -1 : good,
            RecordCount = good,
            RecordsBytes = body.Length,
            MaxTimestamp = maxTimestamp,
            MaxTimestampOffsetDelta = maxTimestampDelta,
        };
        return error;
    }

    private static BatchError ValidateRecord(
        in RecordView record, in BatchLimits limits, int lastDelta, int lastOffsetDelta)
    {
        bool inOrder = limits.FromProducer
            ? record.OffsetDelta == lastDelta + 1
            : record.OffsetDelta > lastDelta && record.OffsetDelta <= lastOffsetDelta;
        if (!inOrder)
        {
            return BatchError.InvalidOffsetDelta;
        }

        if (limits.RequireKeys && record.Key.IsNull)
        {
            return BatchError.MissingKey;
        }

        bool inRange = record.Timestamp == RecordBatchHeader.NoTimestamp
            || (record.Timestamp >= limits.MinTimestamp && record.Timestamp <= limits.MaxTimestamp);
        return inRange ? BatchError.None : BatchError.TimestampOutOfRange;
    }
}
