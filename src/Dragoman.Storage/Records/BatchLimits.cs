namespace Dragoman.Storage.Records;

/// <summary>What <see cref="RecordBatchValidator"/> demands of a batch beyond its form.</summary>
/// <remarks>Make one with <c>new</c>: the <c>default</c> value has limits of zero and refuses every batch.</remarks>
public readonly record struct BatchLimits
{
    /// <summary>Largest decompressed size unless a caller says otherwise: 64 MiB.</summary>
    public const int DefaultMaxDecompressedBytes = 64 * 1024 * 1024;

    /// <summary>Limits that accept every well-formed batch of a log, up to 64 MiB of decompressed records.</summary>
    public BatchLimits()
    {
    }

    /// <summary>Limits for a batch that a client produces: the rules of <see cref="FromProducer"/>.</summary>
    public static BatchLimits Producer => new() { FromProducer = true };

    /// <summary>Largest size of the whole batch as it stands, in bytes (Kafka's <c>max.message.bytes</c>).</summary>
    public int MaxBatchBytes { get; init; } = int.MaxValue;

    /// <summary>Largest size of the decompressed records, in bytes. Ignored for batches that are not compressed.</summary>
    public int MaxDecompressedBytes { get; init; } = DefaultMaxDecompressedBytes;

    /// <summary>
    /// Whether the batch comes from a client: it has at least one record, offsets without gaps, CreateTime, no control
    /// record, and whole producer fields. A log also holds what the broker and compaction make: control batches, gaps
    /// between offsets, and batches without records.
    /// </summary>
    public bool FromProducer { get; init; }

    /// <summary>Whether each record needs a key, as in a compacted topic. An empty key is one.</summary>
    public bool RequireKeys { get; init; }

    /// <summary>Smallest timestamp of a record, in milliseconds since 1970. Records without a timestamp (-1) pass.</summary>
    public long MinTimestamp { get; init; } = long.MinValue;

    /// <summary>Largest timestamp of a record, in milliseconds since 1970.</summary>
    public long MaxTimestamp { get; init; } = long.MaxValue;
}

/// <summary>What <see cref="RecordBatchValidator"/> learned about a batch.</summary>
public readonly record struct BatchSummary
{
    /// <summary>Nothing learned yet.</summary>
    public BatchSummary()
    {
    }

    /// <summary>Index of the first bad record; -1 if no record is at fault.</summary>
    public int FirstBadRecord { get; init; } = -1;

    /// <summary>Records that are good: all of them, or those before the first bad one.</summary>
    public int RecordCount { get; init; }

    /// <summary>Size of the records without compression, in bytes.</summary>
    public int RecordsBytes { get; init; }

    /// <summary>
    /// Largest timestamp of the good records, in milliseconds since 1970, or -1. If it is not the header's, the header
    /// is wrong, and <see cref="RecordBatch.SetMaxTimestampAndType"/> sets it right.
    /// </summary>
    public long MaxTimestamp { get; init; } = RecordBatchHeader.NoTimestamp;

    /// <summary>Offset delta of the first record that bears <see cref="MaxTimestamp"/>; -1 if there is none.</summary>
    public int MaxTimestampOffsetDelta { get; init; } = -1;
}
