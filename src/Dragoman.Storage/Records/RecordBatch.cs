using System.Buffers.Binary;

namespace Dragoman.Storage.Records;

/// <summary>
/// Changes to a batch in place: what a broker assigns when it appends a batch that is otherwise stored as it arrived.
/// </summary>
/// <remarks>
/// Spans must hold at least a header, and the whole batch where a method says that it renews the CRC; anything shorter
/// is a caller's mistake and throws <see cref="ArgumentException"/>.
/// </remarks>
public static class RecordBatch
{
    /// <summary>Sets the offset of the first record. Lies outside the CRC.</summary>
    public static void SetBaseOffset(Span<byte> batch, long baseOffset)
    {
        RequireHeader(batch);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.BaseOffsetOffset..], baseOffset);
    }

    /// <summary>Sets the epoch of the leader that appends the batch. Lies outside the CRC.</summary>
    public static void SetPartitionLeaderEpoch(Span<byte> batch, int epoch)
    {
        RequireHeader(batch);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.PartitionLeaderEpochOffset..], epoch);
    }

    /// <summary>
    /// Sets the timestamp type and the largest timestamp (milliseconds since 1970), and renews the CRC, which covers
    /// both, unless they were the same before. With <see cref="TimestampType.LogAppendTime"/> this stamps every record.
    /// </summary>
    public static void SetMaxTimestampAndType(Span<byte> batch, TimestampType type, long maxTimestamp)
    {
        RequireWhole(batch);
        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        if (header.TimestampType == type && header.MaxTimestamp == maxTimestamp)
        {
            return;
        }

        short attributes = type == TimestampType.LogAppendTime
            ? (short)(header.Attributes | RecordBatchHeader.TimestampTypeFlag)
            : (short)(header.Attributes & ~RecordBatchHeader.TimestampTypeFlag);
        BinaryPrimitives.WriteInt16BigEndian(batch[RecordBatchHeader.AttributesOffset..], attributes);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.MaxTimestampOffset..], maxTimestamp);
        UpdateCrc(batch);
    }

    /// <summary>The CRC-32C of a whole batch's bytes from the attributes on: what its header should say.</summary>
    public static uint ComputeCrc(ReadOnlySpan<byte> batch)
    {
        RequireWhole(batch);
        return Crc32C.Compute(batch[RecordBatchHeader.AttributesOffset..TotalSize(batch)]);
    }

    /// <summary>Renews the CRC of a whole batch after a change inside it.</summary>
    public static void UpdateCrc(Span<byte> batch) =>
        BinaryPrimitives.WriteUInt32BigEndian(batch[RecordBatchHeader.CrcOffset..], ComputeCrc(batch));

    private static int TotalSize(ReadOnlySpan<byte> batch) =>
        BinaryPrimitives.ReadInt32BigEndian(batch[RecordBatchHeader.BatchLengthOffset..]) + RecordBatchHeader.LogOverhead;

    private static void RequireHeader(ReadOnlySpan<byte> batch)
    {
        if (batch.Length < RecordBatchHeader.Size)
        {
            throw new ArgumentException("The span is shorter than a record batch header.", nameof(batch));
        }
    }

    private static void RequireWhole(ReadOnlySpan<byte> batch)
    {
        if (!RecordBatchHeader.TryRead(batch, out RecordBatchHeader header)
            || header.BatchLength < RecordBatchHeader.MinBatchLength
            || header.TotalSize > batch.Length)
        {
            throw new ArgumentException("The span does not hold a whole record batch.", nameof(batch));
        }
    }
}
