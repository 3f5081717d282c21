using Dragoman.Broker.Transactions;
using Dragoman.Storage.Log;

namespace Dragoman.Broker.Topics;

/// <summary>How an operation on a partition ended.</summary>
public enum PartitionStatus
{
    /// <summary>It did what was asked.</summary>
    Ok,

    /// <summary>The batch was in the log already, at the offset given.</summary>
    Duplicate,

    /// <summary>Batches of this producer are missing before this one.</summary>
    OutOfOrderSequence,

    /// <summary>A newer instance of the producer has taken over.</summary>
    StaleProducerEpoch,

    /// <summary>The batch is transactional, and the partition is not part of the producer's open transaction; or the other way round.</summary>
    NotInTransaction,

    /// <summary>The producer has no transactional id, or another one, or the coordinator does not know it any more.</summary>
    UnknownProducer,

    /// <summary>The coordinator of the producer's transaction cannot say now whether the partition takes part; later it can.</summary>
    CoordinatorBusy,

    /// <summary>The batch is damaged or breaks the format's rules.</summary>
    CorruptBatch,

    /// <summary>A record breaks a rule of the topic; the index says which.</summary>
    InvalidRecord,

    /// <summary>The batch is larger than the topic takes.</summary>
    TooLarge,

    /// <summary>The batch is of an old format.</summary>
    UnsupportedFormat,

    /// <summary>A record's timestamp is out of bounds.</summary>
    InvalidTimestamp,

    /// <summary>The offset lies before the start or after the end.</summary>
    OffsetOutOfRange,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The topic is gone.</summary>
    NotFound,

    /// <summary>Another node owns the partition now; ask the topology again.</summary>
    Moved,

    /// <summary>The disk failed.</summary>
    StorageError,
}

/// <summary>The answer to an append.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="BaseOffset">Offset of the first record, or -1.</param>
/// <param name="LogAppendTime">The broker's timestamp in milliseconds since 1970, where the topic asks for it; else -1.</param>
/// <param name="StartOffset">The first offset that may be read.</param>
/// <param name="BadRecords">Indexes in the batch of all records at fault; null if none is.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct AppendAnswer(
    PartitionStatus Status, long BaseOffset, long LogAppendTime, long StartOffset, IReadOnlyList<int>? BadRecords = null, string? Message = null);

/// <summary>The offsets of a partition at one moment.</summary>
/// <param name="Start">The first offset that may be read.</param>
/// <param name="LastStable">The offset before which no transaction is open.</param>
/// <param name="HighWatermark">The offset after the last committed batch.</param>
/// <param name="LeaderEpoch">The current leader epoch.</param>
public readonly record struct PartitionOffsets(long Start, long LastStable, long HighWatermark, int LeaderEpoch);

/// <summary>How far a reader may see.</summary>
public enum ReadIsolation
{
    /// <summary>Everything that is committed to the log.</summary>
    Committed,

    /// <summary>Only what no open transaction can take back.</summary>
    Stable,
}

/// <summary>
/// A partition of a topic, wherever it lives. A front end holds handles, never logs; every answer may be
/// <see cref="PartitionStatus.Moved"/>.
/// </summary>
public interface IPartitionHandle
{
    /// <summary>The partition's index in its topic, from 0.</summary>
    int Index { get; }

    /// <summary>
    /// Appends one record batch of format v2 as a producer sent it. The bytes may be changed (timestamps) and must stay
    /// put until the answer, which comes when the batch is as durable as the topic asks. Calls by one caller take effect
    /// in the order in which they are made, whether or not it waits for the answers in between.
    /// </summary>
    ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, CancellationToken cancellation = default);

    /// <summary>
    /// As <see cref="AppendAsync(Memory{byte}, CancellationToken)"/>, for a batch of a transaction: the partition must
    /// have been added to the transaction that the producer has open.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="transaction">The producer's transactional id.</param>
    /// <param name="cancellation">Ends the wait for admission.</param>
    ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, TransactionalId transaction, CancellationToken cancellation = default);

    /// <summary>
    /// Ends a producer's transaction here. It can be repeated: a marker that the partition has already is
    /// <see cref="PartitionStatus.Duplicate"/>.
    /// </summary>
    ValueTask<AppendAnswer> AppendMarkerAsync(TransactionMarker marker, CancellationToken cancellation = default);

    /// <summary>The offsets as they are now.</summary>
    /// <returns>False if the topic is gone or the partition has moved.</returns>
    bool TryGetOffsets(out PartitionOffsets offsets);

    /// <summary>
    /// Finds whole batches from the one that holds an offset on, at least one if there is one. At the end of the log
    /// it finds none and says <see cref="PartitionStatus.Ok"/>.
    /// </summary>
    ValueTask<PartitionStatus> ReadAsync(long offset, int maxBytes, ReadIsolation isolation, LogRead read);

    /// <summary>What the partition knows of each idempotent producer.</summary>
    /// <returns>False if the topic is gone or the partition has moved.</returns>
    bool TryCollectProducers(List<ProducerSummary> target);

    /// <summary>
    /// As <see cref="ReadAsync"/> of stable records, and says which of them belong to aborted transactions: these must be
    /// skipped.
    /// </summary>
    /// <param name="offset">From where.</param>
    /// <param name="maxBytes">How much to find at most, the first batch aside.</param>
    /// <param name="read">Takes what is found.</param>
    /// <param name="aborted">Takes the aborted transactions; its former content is removed.</param>
    ValueTask<PartitionStatus> ReadStableAsync(long offset, int maxBytes, LogRead read, List<AbortedTransaction> aborted);

    /// <summary>The first record at or after a time in milliseconds since 1970; null if there is none.</summary>
    ValueTask<TimedOffset?> FindByTimeAsync(long timestamp, ReadIsolation isolation);

    /// <summary>The first record that bears the largest timestamp; null if the partition is empty.</summary>
    ValueTask<TimedOffset?> FindLatestTimeAsync(ReadIsolation isolation);

    /// <summary>The largest epoch not above one, and where it ended (KIP-320); (-1, -1) if unknown.</summary>
    (int Epoch, long EndOffset) EndOfEpoch(int epoch);

    /// <summary>The epoch that wrote an offset, or -1.</summary>
    int EpochAt(long offset);

    /// <summary>Gives up everything before an offset; -1 for all there is. Returns the new start.</summary>
    ValueTask<(PartitionStatus Status, long StartOffset)> TruncateAsync(long beforeOffset);

    /// <summary>Bytes that the partition holds.</summary>
    long SizeBytes { get; }

    /// <summary>Calls a listener when there is more to read, the start moves, or the partition is gone.</summary>
    void AddListener(ILogListener listener);

    /// <summary>Ends <see cref="AddListener"/>; a call under way may still arrive.</summary>
    void RemoveListener(ILogListener listener);
}
