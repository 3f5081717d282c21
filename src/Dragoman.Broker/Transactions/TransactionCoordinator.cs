using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Transactions;

/// <summary>
/// Coordinates the transactions of the ids whose shares this node owns. What a transaction is, and how it ends, is in
/// the coordinator's own state first; its partitions and groups follow (<see cref="TransactionEnding"/>).
/// </summary>
internal sealed class TransactionCoordinator : ITransactions, IAsyncDisposable
{
    private readonly TransactionContext _context;
    private readonly TransactionTransfers _transfers;
    private readonly TransactionEnding _ending;
    private readonly ProducerInitialisation _initialisation;
    private readonly OffsetStaging _staging;
    private readonly TransactionTimeouts _timeouts;

    public TransactionCoordinator(TransactionContext context, IScheduler scheduler)
    {
        _context = context;
        _transfers = new TransactionTransfers(context, scheduler);
        _ending = new TransactionEnding(context, _transfers);
        _initialisation = new ProducerInitialisation(context, _ending);
        _staging = new OffsetStaging(context);
        _timeouts = new TransactionTimeouts(context, _ending);
        foreach (var shard in context.AllShards) _transfers.Resume(shard);
        _timeouts.Start(scheduler);
    }

    /// <summary>Answers <see cref="TransactionStatus.Moved"/> from now on, and lets go of what is under way: the next owner resumes it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_context.IsStopped) return;
        _context.Stop();
        await _timeouts.StopAsync();
        await _transfers.StopAsync();
        _context.Dispose();
    }

    public ValueTask<InitialiseAnswer> InitialiseAsync(TransactionalId id, int timeoutMs, ProducerIdentity? known, CancellationToken cancellation) =>
        _initialisation.InitialiseAsync(id, timeoutMs, known, cancellation);

    public ValueTask<TransactionStatus> AddPartitionsAsync(TransactionalId id, ProducerIdentity producer, ReadOnlyMemory<TransactionPartition> partitions, CancellationToken cancellation) =>
        JoinAsync(id, producer, partitions, null, cancellation);

    public ValueTask<TransactionStatus> AddGroupAsync(TransactionalId id, ProducerIdentity producer, string group, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(group);
        return JoinAsync(id, producer, default, group, cancellation);
    }

    public ValueTask<TransactionalOffsetsAnswer> CommitOffsetsAsync(
        TransactionalId id, ProducerIdentity producer, string group, GroupCaller caller, IReadOnlyList<OffsetCommit> offsets, CancellationToken cancellation) =>
        _staging.StageAsync(id, producer, group, caller, offsets, cancellation);

    public async ValueTask<TransactionStatus> EndAsync(TransactionalId id, ProducerIdentity producer, bool commit, CancellationToken cancellation) =>
        (await _ending.EndAsync(id, entry => Judge(entry, producer, commit), cancellation)).Status;

    public ValueTask<VerifyAnswer> VerifyAsync(TransactionalId id, ProducerIdentity producer, TransactionPartition partition)
    {
        if (_context.IsStopped) return ValueTask.FromResult(new VerifyAnswer(TransactionStatus.Moved, -1));
        var shard = _context.ShardOf(id);
        lock (shard.Lock)
        {
            var entry = ((TransactionShard)shard.Machine).Find(id);
            var status = Check(entry, producer);
            if (status != TransactionStatus.Ok) return ValueTask.FromResult(new VerifyAnswer(status, -1));
            if (entry!.State != TransactionState.Ongoing || !entry.Partitions.Contains(partition)) status = TransactionStatus.NotInTransaction;
            return ValueTask.FromResult(new VerifyAnswer(status, entry.Number));
        }
    }

    public TransactionDescription? Describe(TransactionalId id)
    {
        var shard = _context.ShardOf(id);
        lock (shard.Lock) return ((TransactionShard)shard.Machine).Find(id) is { } entry ? Describe(entry) : null;
    }

    public IReadOnlyList<TransactionDescription> List()
    {
        var all = new List<TransactionDescription>();
        foreach (var shard in _context.AllShards)
        {
            lock (shard.Lock)
            {
                foreach (var entry in ((TransactionShard)shard.Machine).Entries.Values) all.Add(Describe(entry));
            }
        }
        return all;
    }

    private static TransactionDescription Describe(TransactionEntry entry) =>
        new(entry.Id, entry.State, entry.Producer, entry.TimeoutMs, entry.StartedMs, [.. entry.Partitions], [.. entry.Groups]);

    private async ValueTask<TransactionStatus> JoinAsync(
        TransactionalId id, ProducerIdentity producer, ReadOnlyMemory<TransactionPartition> partitions, string? group, CancellationToken cancellation)
    {
        if (_context.IsStopped) return TransactionStatus.Moved;
        var shard = _context.ShardOf(id);
        var bytes = TransactionEvents.FixedBytes + TransactionEvents.SizeOf(id) + partitions.Length * TransactionEvents.PartitionBytes + 4 + 3 * (group?.Length ?? 0);
        try
        {
            var mode = group is null && AreWritten(partitions.Span) ? CommitMode.Written : CommitMode.Fsync;
            return await shard.ExecuteAsync(mode, commit =>
            {
                if (_context.IsStopped) return TransactionStatus.Moved;
                var entry = ((TransactionShard)shard.Machine).Find(id);
                var status = Check(entry, producer);
                if (status != TransactionStatus.Ok) return status;
                if (entry!.State != TransactionState.Ongoing || !IsIn(entry, partitions.Span, group))
                    shard.Emit(commit, TransactionEvents.Joined(id, partitions.Span, group, _context.Now));
                return TransactionStatus.Ok;
            }, bytes, cancellation: cancellation);
        }
        catch (StorageFullException)
        {
            return TransactionStatus.Full;
        }
        catch (StoreFailedException)
        {
            return TransactionStatus.StorageError;
        }
    }

    /// <summary>
    /// Whether the topics ask for no more than that their messages are written, to this node's journal: then what is
    /// appended to them is behind this, and lost with it if it is lost.
    /// </summary>
    private bool AreWritten(ReadOnlySpan<TransactionPartition> partitions)
    {
        foreach (var partition in partitions)
            if (_context.Find(partition) is not Topics.LocalPartition { CommitMode: not CommitMode.Fsync }) return false;
        return true;
    }

    private static bool IsIn(TransactionEntry entry, ReadOnlySpan<TransactionPartition> partitions, string? group)
    {
        foreach (var partition in partitions)
            if (!entry.Partitions.Contains(partition)) return false;
        return group is null || entry.Groups.Contains(group);
    }

    /// <summary>Whether a producer may work on its transaction.</summary>
    internal static TransactionStatus Check(TransactionEntry? entry, ProducerIdentity producer)
    {
        if (entry is null || entry.Producer.Id != producer.Id) return TransactionStatus.UnknownProducer;
        if (entry.Producer.Epoch != producer.Epoch) return TransactionStatus.Fenced;
        return entry.IsEnding ? TransactionStatus.Concurrent : TransactionStatus.Ok;
    }

    /// <summary>What comes of a producer's wish to end its transaction.</summary>
    private static EndDecision Judge(TransactionEntry? entry, ProducerIdentity producer, bool commit)
    {
        if (entry is null || entry.Producer.Id != producer.Id) return EndDecision.Answer(TransactionStatus.UnknownProducer);
        if (entry.Producer.Epoch != producer.Epoch) return EndDecision.Answer(TransactionStatus.Fenced);
        return entry.State switch
        {
            TransactionState.Ongoing => EndDecision.End(commit, producer.Epoch),
            TransactionState.PrepareCommit when commit => EndDecision.Answer(TransactionStatus.Concurrent),
            TransactionState.PrepareAbort when !commit => EndDecision.Answer(TransactionStatus.Concurrent),
            // Asked a second time: the producer did not see the answer.
            TransactionState.CompleteCommit when commit => EndDecision.Answer(TransactionStatus.Ok),
            TransactionState.CompleteAbort when !commit => EndDecision.Answer(TransactionStatus.Ok),
            _ => EndDecision.Answer(TransactionStatus.InvalidState),
        };
    }
}
