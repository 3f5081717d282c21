namespace Dragoman.Storage.Records;

/// <summary>What is wrong with a record batch, or with a sequence of them.</summary>
public enum BatchError
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The bytes end before the batch does. At the end of a fetch response or of a torn log this is no corruption.</summary>
    Truncated,

    /// <summary>Bytes follow the batch where exactly one was expected.</summary>
    TrailingBytes,

    /// <summary>The batch length is smaller than a header, or negative.</summary>
    InvalidLength,

    /// <summary>A message set of the old formats, magic 0 or 1, which is not supported.</summary>
    UnsupportedMagic,

    /// <summary>A magic that no format has.</summary>
    UnknownMagic,

    /// <summary>The batch is larger than <see cref="BatchLimits.MaxBatchBytes"/>.</summary>
    BatchTooLarge,

    /// <summary>The CRC does not match the bytes.</summary>
    CrcMismatch,

    /// <summary>The attributes name a compression codec that does not exist.</summary>
    UnknownCodec,

    /// <summary>The record count is negative, or zero where records are required.</summary>
    InvalidRecordCount,

    /// <summary>A producer's batch whose record count and last offset delta disagree, or a negative last offset delta.</summary>
    InvalidLastOffsetDelta,

    /// <summary>A control batch where only clients' data is allowed.</summary>
    ControlBatchNotAllowed,

    /// <summary>A producer id without an epoch or a base sequence, or a transactional batch without a producer id.</summary>
    InvalidProducerFields,

    /// <summary>A batch from a producer that claims LogAppendTime, which only a broker may set.</summary>
    InvalidTimestampType,

    /// <summary>A record's timestamp lies outside the allowed range.</summary>
    TimestampOutOfRange,

    /// <summary>The compressed records cannot be decompressed.</summary>
    CorruptCompression,

    /// <summary>Decompressed, the records would exceed <see cref="BatchLimits.MaxDecompressedBytes"/>.</summary>
    DecompressedTooLarge,

    /// <summary>The bytes end inside a record, or before as many records as the header counts.</summary>
    RecordTruncated,

    /// <summary>Bytes follow the last record.</summary>
    BytesAfterRecords,

    /// <summary>A record's length is negative, or disagrees with its content.</summary>
    InvalidRecordLength,

    /// <summary>A number in a record is cut short or too large.</summary>
    InvalidVarint,

    /// <summary>A key, value, header key or header value has an impossible length.</summary>
    InvalidFieldLength,

    /// <summary>A negative number of headers, or more than the record can hold.</summary>
    InvalidHeaderCount,

    /// <summary>Offset deltas do not rise as they must, by one in a producer's batch.</summary>
    InvalidOffsetDelta,

    /// <summary>A record without a key where keys are required.</summary>
    MissingKey,
}
