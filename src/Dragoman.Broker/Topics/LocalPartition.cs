using System.Runtime.CompilerServices;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Topics;

/// <summary>A partition whose log this node owns: handles call it directly.</summary>
internal sealed class LocalPartition(Store store, TransactionGate gate, LocalTopic topic, int index, PartitionLog log) : IPartitionHandle
{
    private readonly AppendTurns _turns = new();

    public int Index { get; } = index;

    public PartitionLog Log { get; } = log;

    public long SizeBytes => Log.SizeBytes;

    /// <summary>What a commit to the log means.</summary>
    public CommitMode CommitMode =>
        Log.Kind == LogKind.Memory ? CommitMode.Memory : topic.Settings.CommitMode == CommitMode.Written ? CommitMode.Written : CommitMode.Fsync;

    public ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, CancellationToken cancellation) => AppendBatchAsync(batch, null, cancellation);

    public ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, TransactionalId transaction, CancellationToken cancellation) =>
        AppendBatchAsync(batch, transaction, cancellation);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<AppendAnswer> AppendBatchAsync(Memory<byte> batch, TransactionalId? transaction, CancellationToken cancellation)
    {
        var settings = topic.Settings;
        var error = Check(batch, settings, out var summary);
        if (error.Status != PartitionStatus.Ok) return error;
        var check = CheckOf(batch.Span, transaction);
        var logAppendTime = SetTimestamps(batch.Span, settings, summary);
        try
        {
            var beginning = _turns.BeginAsync(
                static s => s.Partition.BeginAsync(s.CommitMode, s.RecordCount, s.batch, s.check, s.cancellation), (Partition: this, CommitMode, summary.RecordCount, batch, check, cancellation), out var turn);
            ValueTask committed;
            AppendAnswer answer;
            try
            {
                var commit = await beginning;
                committed = Enqueue(commit, batch, check, logAppendTime, out answer);
            }
            finally
            {
                turn?.End();
            }
            await committed;
            return answer;
        }
        catch (StorageFullException full)
        {
            return Refuse(PartitionStatus.Full, full.Message);
        }
        catch (StoreFailedException failed)
        {
            return Refuse(PartitionStatus.StorageError, failed.Message);
        }
    }

    /// <summary>A check, if the coordinator has to be asked: a transaction that is open here has been checked when it began.</summary>
    private TransactionCheck? CheckOf(ReadOnlySpan<byte> batch, TransactionalId? transaction)
    {
        RecordBatchHeader.TryRead(batch, out var header);
        if (!header.IsTransactional || transaction is not { } id || gate.Defects.SkipVerification) return null;
        lock (Log.Lock)
        {
            if (Log.Producers.HasOpenTransaction(header.ProducerId)) return null;
        }
        return new TransactionCheck(gate, id, new TransactionPartition(topic.Id, Index));
    }

    private ValueTask<Commit> BeginAsync(CommitMode mode, int records, Memory<byte> batch, TransactionCheck? check, CancellationToken cancellation)
    {
        if (check is null) return BeginAsync(mode, records, batch.Length, cancellation);
        RecordBatchHeader.TryRead(batch.Span, out var header);
        var asking = check.AskAsync(header);
        return asking.IsCompletedSuccessfully ? BeginAsync(mode, records, batch.Length, cancellation) : BeginAfterAsync(asking, mode, records, batch.Length, cancellation);
    }

    private async ValueTask<Commit> BeginAfterAsync(ValueTask asking, CommitMode mode, int records, int bytes, CancellationToken cancellation)
    {
        await asking;
        return await BeginAsync(mode, records, bytes, cancellation);
    }

    /// <summary>Whether the partition takes no more messages. The caller holds the log's lock.</summary>
    internal bool IsGone => Log.IsDeleted || Log.IsBeingDeleted || topic.IsDeleted;

    /// <summary>Makes sure that the log may give out a number of offsets.</summary>
    internal ValueTask ReserveAsync(int records) => store.ReserveOffsetsAsync(Log, records);

    /// <summary>Counts records that were carried here.</summary>
    internal void Count(int records) => topic.Counters.Add(MessageCounter.PublishIn, records);

    /// <summary>Puts the broker's time into a batch that the broker has made, if the topic asks for that.</summary>
    internal Memory<byte> Stamp(Memory<byte> batch)
    {
        if (topic.Settings.TimestampType == TimestampType.LogAppendTime)
            RecordBatch.SetMaxTimestampAndType(batch.Span, TimestampType.LogAppendTime, store.Time.GetUtcNow().ToUnixTimeMilliseconds());
        return batch;
    }

    private ValueTask<Commit> BeginAsync(CommitMode mode, int records, int bytes, CancellationToken cancellation)
    {
        if (Log.Kind == LogKind.Durable) return store.BeginAsync(mode, bytes, cancellation);
        var reserving = store.ReserveOffsetsAsync(Log, records);
        return reserving.IsCompletedSuccessfully ? store.BeginAsync(mode, bytes, cancellation) : BeginReservedAsync(reserving, mode, bytes, cancellation);
    }

    private async ValueTask<Commit> BeginReservedAsync(ValueTask reserving, CommitMode mode, int bytes, CancellationToken cancellation)
    {
        await reserving;
        return await store.BeginAsync(mode, bytes, cancellation);
    }

    private ValueTask Enqueue(Commit commit, Memory<byte> batch, TransactionCheck? check, long logAppendTime, out AppendAnswer answer)
    {
        RecordBatchHeader.TryRead(batch.Span, out var header);
        lock (Log.Lock)
        {
            if (Log.IsDeleted || topic.IsDeleted)
            {
                store.Abandon(commit);
                answer = Refuse(PartitionStatus.NotFound, $"Topic '{topic.Name}' has been deleted.");
                return default;
            }
            switch (Check(header, out var known, out var knownTime))
            {
                case ProducerCheck.Accept when MayNotBegin(header, check, out var status):
                    store.Abandon(commit);
                    answer = Refuse(status, $"Partition {Index} of '{topic.Name}' is not part of an open transaction of producer {header.ProducerId}: {status}.");
                    return default;
                case ProducerCheck.NotTransactional:
                    store.Abandon(commit);
                    answer = Refuse(PartitionStatus.NotInTransaction, $"Producer {header.ProducerId} has a transaction open, and the batch is not part of it.");
                    return default;
                case ProducerCheck.Accept:
                case ProducerCheck.Duplicate when gate.Defects.RepeatBatches:
                    var baseOffset = Log.Append(commit, batch);
                    topic.Counters.Add(MessageCounter.PublishIn, header.RecordCount);
                    topic.NamespaceCounters.Add(MessageCounter.Publish, header.RecordCount);
                    answer = new AppendAnswer(PartitionStatus.Ok, baseOffset, logAppendTime, Log.StartOffset);
                    return store.Enqueue(commit);
                case ProducerCheck.Duplicate:
                    // The first copy may not be committed yet; an empty commit behind it waits for that.
                    var time = logAppendTime >= 0 ? knownTime : -1;
                    answer = new AppendAnswer(PartitionStatus.Duplicate, known, time, Log.StartOffset);
                    if (!gate.Defects.AcknowledgeRepeatsEarly) return store.Enqueue(commit);
                    store.Abandon(commit);
                    return default;
                case ProducerCheck.StaleEpoch:
                    store.Abandon(commit);
                    answer = Refuse(PartitionStatus.StaleProducerEpoch, $"Producer {header.ProducerId} has a newer instance than epoch {header.ProducerEpoch}.");
                    return default;
                default:
                    store.Abandon(commit);
                    answer = Refuse(PartitionStatus.OutOfOrderSequence, $"Sequence {header.BaseSequence} of producer {header.ProducerId} does not follow what the partition has.");
                    return default;
            }
        }
    }

    /// <summary>Whether a batch would begin a transaction here that is not open at the coordinator, or not any more.</summary>
    private bool MayNotBegin(in RecordBatchHeader header, TransactionCheck? check, out PartitionStatus status)
    {
        status = PartitionStatus.Ok;
        if (!header.IsTransactional || gate.Defects.SkipVerification || Log.Producers.HasOpenTransaction(header.ProducerId)) return false;
        status = check?.Status ?? PartitionStatus.NotInTransaction;
        if (status != PartitionStatus.Ok) return true;
        if (!Log.Producers.HasEnded(header.ProducerId, check!.Transaction)) return false;
        status = PartitionStatus.NotInTransaction;
        return true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<AppendAnswer> AppendMarkerAsync(TransactionMarker marker, CancellationToken cancellation)
    {
        var batch = marker.ToBatch(store.Time.GetUtcNow().ToUnixTimeMilliseconds());
        try
        {
            var commit = await BeginAsync(CommitMode, 1, batch.Length, cancellation);
            ValueTask committed;
            AppendAnswer answer;
            lock (Log.Lock)
            {
                if (Log.IsDeleted || topic.IsDeleted)
                {
                    store.Abandon(commit);
                    return Refuse(PartitionStatus.NotFound, $"Topic '{topic.Name}' has been deleted.");
                }
                if (marker.Transaction < 0 && marker.Producer.Epoch < Log.Producers.EpochOf(marker.Producer.Id))
                {
                    store.Abandon(commit);
                    return Refuse(PartitionStatus.StaleProducerEpoch, $"Producer {marker.Producer.Id} has a newer instance than epoch {marker.Producer.Epoch}.");
                }
                var offset = AppendMarker(commit, marker, batch);
                answer = new AppendAnswer(offset < 0 ? PartitionStatus.Duplicate : PartitionStatus.Ok, offset, -1, Log.StartOffset);
                // One that is in the log already may not be committed yet; an empty commit behind it waits for that.
                committed = store.Enqueue(commit);
            }
            await committed;
            return answer;
        }
        catch (StorageFullException full)
        {
            return Refuse(PartitionStatus.Full, full.Message);
        }
        catch (StoreFailedException failed)
        {
            return Refuse(PartitionStatus.StorageError, failed.Message);
        }
    }

    /// <summary>
    /// Adds a marker to a commit, unless the log has it already or is gone. The caller holds the log's lock, and enqueues
    /// the commit before it lets go.
    /// </summary>
    /// <returns>The marker's offset, or -1 if there was nothing to add.</returns>
    internal long AppendMarker(Commit commit, TransactionMarker marker, byte[] batch)
    {
        if (Log.IsDeleted || topic.IsDeleted) return -1;
        var isThere = marker.Transaction >= 0 && Log.Producers.HasEnded(marker.Producer.Id, marker.Transaction);
        return isThere && !gate.Defects.RepeatMarkers ? -1 : Log.Append(commit, batch);
    }

    private ProducerCheck Check(in RecordBatchHeader header, out long known, out long knownTime)
    {
        known = -1;
        knownTime = -1;
        return header.ProducerId < 0 ? ProducerCheck.Accept : Log.Producers.Check(header, out known, out knownTime);
    }

    private AppendAnswer Refuse(PartitionStatus status, string message) => new(status, -1, -1, Log.StartOffset, null, message);

    /// <summary>Whether the topic takes a batch, for whoever appends it by a commit of its own.</summary>
    internal AppendAnswer Examine(Memory<byte> batch) => Check(batch, topic.Settings, out _);

    private AppendAnswer Check(Memory<byte> batch, TopicSettings settings, out BatchSummary summary)
    {
        var limits = BatchLimits.Producer with { MaxBatchBytes = settings.MaxMessageBytes, RequireKeys = settings.Compacted };
        // The broker's own timestamps replace the producer's, whatever those say.
        if (settings is { TimestampType: TimestampType.CreateTime, MaxTimestampBehindMs: < long.MaxValue } or { TimestampType: TimestampType.CreateTime, MaxTimestampAheadMs: < long.MaxValue })
        {
            var now = store.Time.GetUtcNow().ToUnixTimeMilliseconds();
            limits = limits with { MinTimestamp = Math.Max(0, now - Math.Min(settings.MaxTimestampBehindMs, now)), MaxTimestamp = now + Math.Min(settings.MaxTimestampAheadMs, long.MaxValue - now) };
        }
        var error = RecordBatchValidator.Validate(batch.Span, limits, out summary);
        if (error == BatchError.None) return new AppendAnswer(PartitionStatus.Ok, -1, -1, -1);
        var status = StatusOf(error);
        var message = error == BatchError.MissingKey ? "The topic is compacted: every record must have a key." : $"The record batch is not acceptable: {error}.";
        IReadOnlyList<int>? bad = summary.FirstBadRecord < 0 ? null : error == BatchError.MissingKey ? WithoutKey(batch) : [summary.FirstBadRecord];
        return new AppendAnswer(status, -1, -1, Log.StartOffset, bad, message);
    }

    /// <summary>What is said of a batch that breaks a rule.</summary>
    internal static PartitionStatus StatusOf(BatchError error) => error switch
    {
        BatchError.BatchTooLarge or BatchError.DecompressedTooLarge => PartitionStatus.TooLarge,
        BatchError.UnsupportedMagic => PartitionStatus.UnsupportedFormat,
        BatchError.TimestampOutOfRange or BatchError.InvalidTimestampType => PartitionStatus.InvalidTimestamp,
        BatchError.MissingKey or BatchError.InvalidOffsetDelta or BatchError.InvalidRecordCount or BatchError.InvalidLastOffsetDelta
            or BatchError.ControlBatchNotAllowed or BatchError.InvalidProducerFields => PartitionStatus.InvalidRecord,
        _ => PartitionStatus.CorruptBatch,
    };

    /// <summary>
    /// All records without a key, for producers that sort out the bad ones and send the rest again (KIP-467).
    /// </summary>
    private static List<int> WithoutKey(ReadOnlyMemory<byte> batch)
    {
        var found = new List<int>();
        using var reader = new RecordBatchReader();
        Invariant.Check(reader.Open(batch) == BatchError.None, "a batch that was read once can be read again");
        var records = reader.Records;
        for (var i = 0; records.MoveNext(); i++)
            if (records.Current.Key.IsNull) found.Add(i);
        return found;
    }

    private long SetTimestamps(Span<byte> batch, TopicSettings settings, in BatchSummary summary)
    {
        if (settings.TimestampType == TimestampType.LogAppendTime)
        {
            var now = store.Time.GetUtcNow().ToUnixTimeMilliseconds();
            RecordBatch.SetMaxTimestampAndType(batch, TimestampType.LogAppendTime, now);
            return now;
        }
        // Producers may state a wrong maximum; look-ups by time rely on it.
        RecordBatchHeader.TryRead(batch, out var header);
        if (header.MaxTimestamp != summary.MaxTimestamp) RecordBatch.SetMaxTimestampAndType(batch, TimestampType.CreateTime, summary.MaxTimestamp);
        return -1;
    }

    public bool TryGetOffsets(out PartitionOffsets offsets)
    {
        offsets = default;
        if (topic.IsDeleted || Log.IsDeleted) return false;
        // The stable offset first: it never exceeds a high watermark read later.
        var stable = Log.LastStableOffset;
        offsets = new PartitionOffsets(Log.StartOffset, stable, Log.HighWatermark, store.Epoch);
        return true;
    }

    public ValueTask<PartitionStatus> ReadAsync(long offset, int maxBytes, ReadIsolation isolation, LogRead read) => Read(offset, maxBytes, isolation, read, null);

    public ValueTask<PartitionStatus> ReadStableAsync(long offset, int maxBytes, LogRead read, List<AbortedTransaction> aborted) =>
        Read(offset, maxBytes, ReadIsolation.Stable, read, aborted);

    private ValueTask<PartitionStatus> Read(long offset, int maxBytes, ReadIsolation isolation, LogRead read, List<AbortedTransaction>? aborted)
    {
        ArgumentNullException.ThrowIfNull(read);
        read.Dispose();
        if (topic.IsDeleted || Log.IsDeleted) return ValueTask.FromResult(PartitionStatus.NotFound);
        var end = EndFor(isolation);
        if (offset < Log.StartOffset || offset > Log.HighWatermark) return ValueTask.FromResult(PartitionStatus.OffsetOutOfRange);
        try
        {
            if (aborted is null) Log.Read(offset, end, maxBytes, read);
            else Log.ReadStable(offset, maxBytes, read, aborted);
        }
        catch (IOException)
        {
            read.Dispose();
            return ValueTask.FromResult(PartitionStatus.StorageError);
        }
        return ValueTask.FromResult(PartitionStatus.Ok);
    }

    private long EndFor(ReadIsolation isolation) => isolation == ReadIsolation.Stable ? Log.LastStableOffset : Log.HighWatermark;

    public bool TryCollectProducers(List<ProducerSummary> target)
    {
        ArgumentNullException.ThrowIfNull(target);
        lock (Log.Lock)
        {
            if (topic.IsDeleted || Log.IsDeleted) return false;
            Log.Producers.CollectProducers(target);
            return true;
        }
    }

    public ValueTask<TimedOffset?> FindByTimeAsync(long timestamp, ReadIsolation isolation) =>
        ValueTask.FromResult(Log.IsDeleted ? null : TimeLookup.FirstAtOrAfter(Log, timestamp, EndFor(isolation)));

    public ValueTask<TimedOffset?> FindLatestTimeAsync(ReadIsolation isolation) =>
        ValueTask.FromResult(Log.IsDeleted ? null : TimeLookup.Latest(Log, EndFor(isolation)));

    public (int Epoch, long EndOffset) EndOfEpoch(int epoch)
    {
        lock (Log.Lock)
        {
            // The node's epoch counts although it may not have written here yet.
            var end = Log.HighWatermark;
            return epoch == store.Epoch ? (epoch, end) : Log.Epochs.EndOf(epoch, end);
        }
    }

    public int EpochAt(long offset)
    {
        lock (Log.Lock) return Log.Epochs.At(offset);
    }

    public async ValueTask<(PartitionStatus Status, long StartOffset)> TruncateAsync(long beforeOffset)
    {
        if (topic.IsDeleted || Log.IsDeleted) return (PartitionStatus.NotFound, -1);
        var target = beforeOffset == -1 ? Log.HighWatermark : beforeOffset;
        if (target < 0 || target > Log.HighWatermark) return (PartitionStatus.OffsetOutOfRange, Log.StartOffset);
        try
        {
            await store.TruncateAsync(Log, target);
            return (PartitionStatus.Ok, Log.StartOffset);
        }
        catch (StorageFullException)
        {
            return (PartitionStatus.Full, Log.StartOffset);
        }
        catch (StoreFailedException)
        {
            return (PartitionStatus.StorageError, Log.StartOffset);
        }
    }

    public void AddListener(ILogListener listener) => Log.AddListener(listener);

    public void RemoveListener(ILogListener listener) => Log.RemoveListener(listener);
}
