namespace Dragoman.Storage.Log;

/// <summary>How a log is compacted, of which only the newest record of each key is kept.</summary>
/// <remarks>
/// What is compacted lies in segments: what is still in the journal is dirty, and is left alone. Times are in
/// milliseconds.
/// </remarks>
public sealed record LogCompaction
{
    /// <summary>The settings of a log of which nothing else was said: Kafka's defaults.</summary>
    public static LogCompaction Default { get; } = new();

    /// <summary>The log is compacted when more than this part of its bytes, between 0 and 1, has come since the last time.</summary>
    public double MinDirtyRatio { get; init; } = 0.5;

    /// <summary>Records younger than this are left alone.</summary>
    public long MinLagMs { get; init; }

    /// <summary>When a record that was never compacted is older than this, the log is compacted whatever the ratio says.</summary>
    public long MaxLagMs { get; init; } = long.MaxValue;

    /// <summary>How long a tombstone, or the end of a transaction of which nothing is left, stays after it was first compacted.</summary>
    public long TombstoneRetentionMs { get; init; } = 24L * 3600 * 1000;

    /// <summary>When records in the journal are older than this, they are moved to where they can be compacted.</summary>
    public long SealAfterMs { get; init; } = 7L * 24 * 3600 * 1000;

    /// <summary>When the log has so many bytes in the journal, they are moved to where they can be compacted.</summary>
    public long SealAfterBytes { get; init; } = 1L << 30;
}
