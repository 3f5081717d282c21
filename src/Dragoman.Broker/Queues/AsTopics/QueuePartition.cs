using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing.Forwarding;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Queues.AsTopics;

/// <summary>
/// A queue's log, as a partition. Reading it is a tap: it shows what the log still keeps, settled or not, and takes nothing
/// out. Writing to it sends to the queue, once if the producer is idempotent and the queue has no deduplication of its own.
/// </summary>
internal sealed class QueuePartition(Queues queues, LocalQueue queue) : IPartitionHandle
{
    private PartitionLog Log => queue.Subscription.Log;

    public int Index => 0;

    public long SizeBytes => Log.SizeBytes;

    private bool IsGone => queue.IsDeleted || Log.IsDeleted;

    public async ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, CancellationToken cancellation)
    {
        if (IsGone) return Refuse(PartitionStatus.NotFound, $"Queue '{queue.Name}' has been deleted.");
        var error = RecordBatchValidator.Validate(batch.Span, BatchLimits.Producer with { MaxBatchBytes = TopicSettings.Default.MaxMessageBytes }, out _);
        if (error != BatchError.None) return Refuse(LocalPartition.StatusOf(error), $"The record batch is not acceptable: {error}.");
        RecordBatchHeader.TryRead(batch.Span, out var header);
        if (header.IsTransactional) return Refuse(PartitionStatus.NotInTransaction, "Queues take part in no transactions.");
        var now = queues.Now();
        var messages = Convert(batch, header, now);
        var outcome = await queues.PublishAsync(messages, queue, null, cancellation);
        return outcome.Status switch
        {
            QueueStatus.Ok when outcome.Duplicates is { Count: > 0 } copies && outcome.BaseOffset == copies[0].Offset => new AppendAnswer(PartitionStatus.Duplicate, outcome.BaseOffset, now, Log.StartOffset),
            QueueStatus.Ok => new AppendAnswer(PartitionStatus.Ok, outcome.BaseOffset, now, Log.StartOffset),
            QueueStatus.OutOfOrderSequence => Refuse(PartitionStatus.OutOfOrderSequence, outcome.Message),
            QueueStatus.StaleProducer => Refuse(PartitionStatus.StaleProducerEpoch, outcome.Message),
            QueueStatus.QueueFull or QueueStatus.Full => Refuse(PartitionStatus.Full, outcome.Message),
            QueueStatus.NotFound => Refuse(PartitionStatus.NotFound, outcome.Message),
            QueueStatus.Moved => Refuse(PartitionStatus.Moved, outcome.Message),
            _ => Refuse(PartitionStatus.StorageError, outcome.Message),
        };
    }

    public ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, TransactionalId transaction, CancellationToken cancellation) =>
        ValueTask.FromResult(Refuse(PartitionStatus.NotInTransaction, "Queues take part in no transactions."));

    public ValueTask<AppendAnswer> AppendMarkerAsync(TransactionMarker marker, CancellationToken cancellation) =>
        ValueTask.FromResult(Refuse(PartitionStatus.NotInTransaction, "Queues take part in no transactions."));

    public bool TryGetOffsets(out PartitionOffsets offsets)
    {
        offsets = default;
        if (IsGone) return false;
        var stable = Log.LastStableOffset;
        offsets = new PartitionOffsets(Log.StartOffset, stable, Log.HighWatermark, queues.Epoch);
        return true;
    }

    public ValueTask<PartitionStatus> ReadAsync(long offset, int maxBytes, ReadIsolation isolation, LogRead read) => Read(offset, maxBytes, read);

    public ValueTask<PartitionStatus> ReadStableAsync(long offset, int maxBytes, LogRead read, List<AbortedTransaction> aborted)
    {
        ArgumentNullException.ThrowIfNull(aborted);
        aborted.Clear();
        return Read(offset, maxBytes, read);
    }

    public bool TryCollectProducers(List<ProducerSummary> target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (IsGone) return false;
        lock (Log.Lock) Log.Producers.CollectProducers(target);
        return true;
    }

    public ValueTask<TimedOffset?> FindByTimeAsync(long timestamp, ReadIsolation isolation) =>
        ValueTask.FromResult(IsGone ? null : TimeLookup.FirstAtOrAfter(Log, timestamp, Log.HighWatermark));

    public ValueTask<TimedOffset?> FindLatestTimeAsync(ReadIsolation isolation) => ValueTask.FromResult(IsGone ? null : TimeLookup.Latest(Log, Log.HighWatermark));

    public (int Epoch, long EndOffset) EndOfEpoch(int epoch)
    {
        lock (Log.Lock)
        {
            var end = Log.HighWatermark;
            return epoch == queues.Epoch ? (epoch, end) : Log.Epochs.EndOf(epoch, end);
        }
    }

    public int EpochAt(long offset)
    {
        lock (Log.Lock) return Log.Epochs.At(offset);
    }

    /// <summary>A tap takes nothing out: whoever wants that purges the queue.</summary>
    public ValueTask<(PartitionStatus Status, long StartOffset)> TruncateAsync(long beforeOffset) => ValueTask.FromResult((PartitionStatus.OffsetOutOfRange, Log.StartOffset));

    public void AddListener(ILogListener listener) => Log.AddListener(listener);

    public void RemoveListener(ILogListener listener) => Log.RemoveListener(listener);

    private ValueTask<PartitionStatus> Read(long offset, int maxBytes, LogRead read)
    {
        ArgumentNullException.ThrowIfNull(read);
        read.Dispose();
        if (IsGone) return ValueTask.FromResult(PartitionStatus.NotFound);
        var end = Log.HighWatermark;
        if (offset < Log.StartOffset || offset > end) return ValueTask.FromResult(PartitionStatus.OffsetOutOfRange);
        try
        {
            Log.Read(offset, end, maxBytes, read);
            return ValueTask.FromResult(PartitionStatus.Ok);
        }
        catch (IOException)
        {
            read.Dispose();
            return ValueTask.FromResult(PartitionStatus.StorageError);
        }
    }

    private MessageBatch Convert(ReadOnlyMemory<byte> batch, in RecordBatchHeader header, long now)
    {
        var messages = MessageBatch.Rent();
        using var reader = new RecordBatchReader();
        using var headers = new RecordHeadersWriter();
        Invariant.Check(reader.Open(batch) == BatchError.None, "a batch that was validated can be read");
        var records = reader.Records;
        while (records.MoveNext())
        {
            var record = records.Current;
            var message = new MessageView(record.Offset, record.Timestamp, record.Key, record.Value, record.Headers);
            QueueRecords.Add(messages, message, RecordRoute.Read(message), null, now, headers);
        }
        // Where the queue looks for copies by their ids, it may take some records of a batch and not others.
        if (header.ProducerId >= 0 && queue.Settings.DeduplicationWindowMs <= 0)
            messages.Producer = new BatchProducer(header.ProducerId, header.ProducerEpoch, header.BaseSequence);
        return messages;
    }

    private AppendAnswer Refuse(PartitionStatus status, string? message) => new(status, -1, -1, Log.StartOffset, null, message);
}
