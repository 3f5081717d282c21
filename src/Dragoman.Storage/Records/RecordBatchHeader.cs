using System.Buffers.Binary;

namespace Dragoman.Storage.Records;

/// <summary>How the records of a batch are compressed: bits 0 to 2 of its attributes.</summary>
public enum CompressionCodec : byte
{
    /// <summary>The records follow the header as they are.</summary>
    None = 0,

    /// <summary>One or more gzip members.</summary>
    Gzip = 1,

    /// <summary>Snappy, in the xerial framing or as a single raw block.</summary>
    Snappy = 2,

    /// <summary>One or more LZ4 frames.</summary>
    Lz4 = 3,

    /// <summary>One or more Zstandard frames.</summary>
    Zstd = 4,
}

/// <summary>Who set the timestamps of a batch: bit 3 of its attributes.</summary>
public enum TimestampType
{
    /// <summary>The producer, for each record.</summary>
    CreateTime = 0,

    /// <summary>The broker, one for the whole batch: its <see cref="RecordBatchHeader.MaxTimestamp"/>.</summary>
    LogAppendTime = 1,
}

/// <summary>
/// A view of the 61 bytes in front of every record batch of Kafka's message format v2. All integers are big-endian.
/// </summary>
/// <remarks>
/// <para>
/// Layout: baseOffset int64, batchLength int32, partitionLeaderEpoch int32, magic int8, crc uint32, attributes int16,
/// lastOffsetDelta int32, baseTimestamp int64, maxTimestamp int64, producerId int64, producerEpoch int16,
/// baseSequence int32, recordCount int32 (Kafka's message format documentation, "Record Batch"). The CRC-32C covers
/// everything from the attributes to the end of the batch; base offset and leader epoch lie outside it.
/// </para>
/// <para>
/// A view judges nothing: fields are as they stand on the wire, and can be any number in a batch that
/// <see cref="RecordBatchValidator"/> has not seen.
/// </para>
/// </remarks>
public readonly ref struct RecordBatchHeader
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 61;

    /// <summary>Bytes before the part that <see cref="BatchLength"/> counts: base offset and batch length.</summary>
    public const int LogOverhead = 12;

    /// <summary>The smallest <see cref="BatchLength"/>: a header and no records, which is what compaction may leave.</summary>
    public const int MinBatchLength = Size - LogOverhead;

    /// <summary>The magic of message format v2, the only one that is stored.</summary>
    public const byte CurrentMagic = 2;

    /// <summary>The producer id of a batch that no idempotent producer sent.</summary>
    public const long NoProducerId = -1;

    /// <summary>The producer epoch of a batch without a producer id.</summary>
    public const short NoProducerEpoch = -1;

    /// <summary>The base sequence of a batch without a producer id, and of control batches.</summary>
    public const int NoSequence = -1;

    /// <summary>The leader epoch of a batch that no leader has appended yet.</summary>
    public const int NoPartitionLeaderEpoch = -1;

    /// <summary>The timestamp that means there is none.</summary>
    public const long NoTimestamp = -1;

    internal const int BaseOffsetOffset = 0;
    internal const int BatchLengthOffset = 8;
    internal const int PartitionLeaderEpochOffset = 12;
    internal const int MagicOffset = 16;
    internal const int CrcOffset = 17;
    internal const int AttributesOffset = 21;
    internal const int LastOffsetDeltaOffset = 23;
    internal const int BaseTimestampOffset = 27;
    internal const int MaxTimestampOffset = 35;
    internal const int ProducerIdOffset = 43;
    internal const int ProducerEpochOffset = 51;
    internal const int BaseSequenceOffset = 53;
    internal const int RecordCountOffset = 57;

    internal const short CodecMask = 0x07;
    internal const short TimestampTypeFlag = 0x08;
    internal const short TransactionalFlag = 0x10;
    internal const short ControlFlag = 0x20;
    internal const short DeleteHorizonFlag = 0x40;

    private readonly ReadOnlySpan<byte> _bytes;

    private RecordBatchHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Offset of the first record as it was produced; compaction may have removed that record.</summary>
    public long BaseOffset => BinaryPrimitives.ReadInt64BigEndian(_bytes[BaseOffsetOffset..]);

    /// <summary>Bytes of the batch after this field: the wire's own length.</summary>
    public int BatchLength => BinaryPrimitives.ReadInt32BigEndian(_bytes[BatchLengthOffset..]);

    /// <summary>Bytes of the whole batch: <see cref="LogOverhead"/> more than <see cref="BatchLength"/>.</summary>
    public long TotalSize => (long)BatchLength + LogOverhead;

    /// <summary>Epoch of the leader that appended the batch, or <see cref="NoPartitionLeaderEpoch"/>.</summary>
    public int PartitionLeaderEpoch => BinaryPrimitives.ReadInt32BigEndian(_bytes[PartitionLeaderEpochOffset..]);

    /// <summary>Version of the message format. Fields behind it mean what they say only if it is 2.</summary>
    public byte Magic => _bytes[MagicOffset];

    /// <summary>CRC-32C that the batch claims for its bytes from the attributes to the end.</summary>
    public uint Crc => BinaryPrimitives.ReadUInt32BigEndian(_bytes[CrcOffset..]);

    /// <summary>The flags as they stand; bits 7 to 15 are unused.</summary>
    public short Attributes => BinaryPrimitives.ReadInt16BigEndian(_bytes[AttributesOffset..]);

    /// <summary>Compression of the records. A value that the enumeration does not name is a codec nobody has defined.</summary>
    public CompressionCodec Codec => (CompressionCodec)(Attributes & CodecMask);

    /// <summary>Who set the timestamps.</summary>
    public TimestampType TimestampType =>
        (Attributes & TimestampTypeFlag) != 0 ? TimestampType.LogAppendTime : TimestampType.CreateTime;

    /// <summary>Whether the batch is part of a transaction.</summary>
    public bool IsTransactional => (Attributes & TransactionalFlag) != 0;

    /// <summary>Whether the batch holds a control record, which clients never show to their users.</summary>
    public bool IsControl => (Attributes & ControlFlag) != 0;

    /// <summary>Whether <see cref="BaseTimestamp"/> is the time from which compaction may drop the batch's tombstones.</summary>
    public bool HasDeleteHorizon => (Attributes & DeleteHorizonFlag) != 0;

    /// <summary>Offset of the last record less the base offset; compaction keeps it when it drops that record.</summary>
    public int LastOffsetDelta => BinaryPrimitives.ReadInt32BigEndian(_bytes[LastOffsetDeltaOffset..]);

    /// <summary>Offset of the last record as it was produced.</summary>
    public long LastOffset => unchecked(BaseOffset + LastOffsetDelta);

    /// <summary>What the timestamp deltas of the records count from, in milliseconds since 1970.</summary>
    public long BaseTimestamp => BinaryPrimitives.ReadInt64BigEndian(_bytes[BaseTimestampOffset..]);

    /// <summary>Largest timestamp of the records, in milliseconds since 1970; under LogAppendTime that of every record.</summary>
    public long MaxTimestamp => BinaryPrimitives.ReadInt64BigEndian(_bytes[MaxTimestampOffset..]);

    /// <summary>Id of the idempotent producer, or <see cref="NoProducerId"/>.</summary>
    public long ProducerId => BinaryPrimitives.ReadInt64BigEndian(_bytes[ProducerIdOffset..]);

    /// <summary>Epoch of the idempotent producer, or <see cref="NoProducerEpoch"/>.</summary>
    public short ProducerEpoch => BinaryPrimitives.ReadInt16BigEndian(_bytes[ProducerEpochOffset..]);

    /// <summary>Sequence number of the first record, or <see cref="NoSequence"/>.</summary>
    public int BaseSequence => BinaryPrimitives.ReadInt32BigEndian(_bytes[BaseSequenceOffset..]);

    /// <summary>
    /// Sequence number of the last record, or <see cref="NoSequence"/>. After <see cref="int.MaxValue"/> sequences go on with 0.
    /// </summary>
    public int LastSequence =>
        BaseSequence == NoSequence ? NoSequence : unchecked(BaseSequence + LastOffsetDelta) & int.MaxValue;

    /// <summary>Records that the batch claims to hold; 0 where compaction kept a batch for its sequence numbers alone.</summary>
    public int RecordCount => BinaryPrimitives.ReadInt32BigEndian(_bytes[RecordCountOffset..]);

    /// <summary>Whether an idempotent producer sent the batch.</summary>
    public bool HasProducerId => ProducerId > NoProducerId;

    /// <summary>
    /// Lays a view over the first bytes of a batch. False if there are fewer than <see cref="Size"/> of them, and only then.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out RecordBatchHeader header)
    {
        if (bytes.Length < Size)
        {
            header = default;
            return false;
        }

        header = new RecordBatchHeader(bytes[..Size]);
        return true;
    }
}
