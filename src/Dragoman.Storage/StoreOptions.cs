namespace Dragoman.Storage;

/// <summary>How a store uses its disk and memory. All sizes are in bytes.</summary>
public sealed record StoreOptions
{
    /// <summary>The data directory; created if missing. It belongs to one store at a time.</summary>
    public required string Directory { get; init; }

    /// <summary>Size of a journal file.</summary>
    public int JournalFileBytes { get; init; } = 64 << 20;

    /// <summary>The largest journal file that an exceptionally large commit may cause.</summary>
    public int MaxJournalFileBytes { get; init; } = 1 << 30;

    /// <summary>Payload of the largest round: what one write and one fsync cover.</summary>
    public int MaxRoundBytes { get; init; } = 1 << 20;

    /// <summary>Memory in which rounds are put together and the newest part of the journal is read.</summary>
    public int TailBytes { get; init; } = 16 << 20;

    /// <summary>Admitted bytes, counted twice, that may wait for the disk before publishers have to.</summary>
    public long MaxPendingBytes { get; init; } = 64 << 20;

    /// <summary>Space that must stay free when a journal file is reserved, so that a checkpoint can free more.</summary>
    public long HeadroomBytes { get; init; } = 128 << 20;

    /// <summary>Journal space that only commits which free space, or end the store, may use.</summary>
    public long ReserveBytes { get; init; } = 256 << 10;

    /// <summary>Journal files kept for use again after a checkpoint: writing over a file is cheaper than making one.</summary>
    public int RecycledFiles { get; init; } = 4;

    /// <summary>
    /// Sealed journal files that set a checkpoint off, of the older half of them: what recovery has to read at most, as
    /// long as checkpoints keep up. Messages that are settled, or given up by retention, within so much of the journal
    /// are written once.
    /// </summary>
    public int CheckpointAfterFiles { get; init; } = 16;

    /// <summary>How long a sealed journal file waits for a checkpoint at most, for others to gather.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Sealed journal files at which publishers have to wait for the checkpoint.</summary>
    public int MaxSealedFiles { get; init; } = 64;

    /// <summary>A log with at least so much in a checkpoint gets a segment of its own.</summary>
    public int OwnSegmentBytes { get; init; } = 1 << 20;

    /// <summary>A log whose shares in shared segments reach this size moves into a segment of its own.</summary>
    public int PromoteBytes { get; init; } = 4 << 20;

    /// <summary>Memory for logs that live in memory, before they spill to scratch files.</summary>
    public long MemoryBytes { get; init; } = 64 << 20;

    /// <summary>Size of a block of such memory, and of its place in a scratch file.</summary>
    public int MemoryBlockBytes { get; init; } = 4 << 20;

    /// <summary>Segment files held open at most.</summary>
    public int MaxOpenFiles { get; init; } = 1000;

    /// <summary>Memory for the sparse indexes of segments.</summary>
    public long IndexCacheBytes { get; init; } = 32 << 20;

    /// <summary>How often retention by size is looked at, and space again after the disk was full.</summary>
    public TimeSpan MaintenanceInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often retention by age is looked at. Records bear their producers' times, so they may be past their age when
    /// they arrive: applications that write old times count on some minutes to read them. The default is Kafka's.
    /// </summary>
    public TimeSpan AgeRetentionInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often it is looked whether logs have to be compacted.</summary>
    public TimeSpan CompactionInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Memory for the keys of the log that is being compacted; a log with more of them takes several passes.</summary>
    public long CompactionKeyBytes { get; init; } = 128 << 20;

    /// <summary>Bytes that compaction reads and writes a second at most.</summary>
    public long CompactionBytesPerSecond { get; init; } = 64 << 20;

    /// <summary>Idempotent producers that were silent for so long are forgotten.</summary>
    public TimeSpan ProducerExpiration { get; init; } = TimeSpan.FromDays(1);
}
