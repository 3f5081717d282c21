using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Transactions;

/// <summary>What shall become of a transaction, as far as its state goes. Made under the share's lock, and made anew if that was released.</summary>
internal readonly record struct EndDecision(bool Ends, bool IsCommit, short Epoch, TransactionStatus Status)
{
    /// <summary>It is not to be ended, and this is why, or that it has been already.</summary>
    public static EndDecision Answer(TransactionStatus status) => new(false, false, -1, status);

    /// <summary>It is to be ended, with markers of an epoch.</summary>
    public static EndDecision End(bool commit, short epoch) => new(true, commit, epoch, TransactionStatus.Ok);
}

/// <summary>How the end of a transaction went.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="IsComplete">Whether all that takes part in it knows; otherwise it is being told.</param>
/// <param name="Producer">The producer, with the epoch that the markers bear; none if nothing was to be ended.</param>
internal readonly record struct EndAnswer(TransactionStatus Status, bool IsComplete, ProducerIdentity Producer);

/// <summary>
/// Ends transactions. Where all that takes part is on this node, coordinator, markers and offsets are one commit: there
/// is no moment in which some of them are known and others not. Otherwise the intent is committed first, and the rest
/// follows (<see cref="TransactionTransfers"/>).
/// </summary>
internal sealed class TransactionEnding(TransactionContext context, TransactionTransfers transfers)
{
    // A marker's batch is 78 bytes; what else a log adds to a commit is in the store's own reckoning.
    private const int BytesPerMarker = 160;

    /// <summary>Ends the transaction of an id if a function of its state says so; it may be called more than once, and must be pure.</summary>
    public async ValueTask<EndAnswer> EndAsync(TransactionalId id, Func<TransactionEntry?, EndDecision> decide, CancellationToken cancellation)
    {
        var shard = context.ShardOf(id);
        try
        {
            while (true)
            {
                if (context.IsStopped) return Refuse(TransactionStatus.Moved);
                if (!TryLook(shard, id, decide, out var plan))
                {
                    await TransactionContext.SettleAsync(shard);
                    return new EndAnswer(plan.Decision.Status, true, ProducerIdentity.None);
                }
                var answer = FindLocals(plan.Partitions) is { } locals
                    ? await EndAtOnceAsync(shard, id, plan, locals, cancellation)
                    : await PrepareAsync(shard, id, plan, cancellation);
                if (answer is { } final) return final;
            }
        }
        catch (StorageFullException)
        {
            return Refuse(TransactionStatus.Full);
        }
        catch (StoreFailedException)
        {
            return Refuse(TransactionStatus.StorageError);
        }
    }

    private static EndAnswer Refuse(TransactionStatus status) => new(status, false, ProducerIdentity.None);

    private sealed record Plan(EndDecision Decision, long Changes, TransactionPartition[] Partitions, string[] Groups);

    private static bool TryLook(StateLog shard, TransactionalId id, Func<TransactionEntry?, EndDecision> decide, out Plan plan)
    {
        lock (shard.Lock)
        {
            var entry = ((TransactionShard)shard.Machine).Find(id);
            var decision = decide(entry);
            plan = new Plan(decision, entry?.Changes ?? 0, decision.Ends ? [.. entry!.Partitions] : [], decision.Ends ? [.. entry!.Groups] : []);
            return decision.Ends;
        }
    }

    /// <summary>The partitions in the order of their logs; null if one of them has a journal of its own.</summary>
    private List<LocalPartition>? FindLocals(TransactionPartition[] partitions)
    {
        var locals = new List<LocalPartition>(partitions.Length);
        foreach (var partition in partitions)
        {
            switch (context.Find(partition))
            {
                case null:
                    // The topic is gone, and all that the transaction wrote to it.
                    continue;
                case LocalPartition { Log.Kind: LogKind.Durable } local:
                    locals.Add(local);
                    continue;
                default:
                    return null;
            }
        }
        locals.Sort(static (a, b) => a.Log.Id.CompareTo(b.Log.Id));
        return locals;
    }

    /// <summary>Ends it in one commit. Null if it has changed since it was looked at.</summary>
    private async ValueTask<EndAnswer?> EndAtOnceAsync(StateLog shard, TransactionalId id, Plan plan, List<LocalPartition> partitions, CancellationToken cancellation)
    {
        var mode = CommitMode.Written;
        if (plan.Groups.Length > 0) mode = CommitMode.Fsync;
        foreach (var partition in partitions)
            if (partition.CommitMode == CommitMode.Fsync) mode = CommitMode.Fsync;
        var offsets = context.OffsetShardsOf(id, plan.Groups);
        var bytes = TransactionEvents.FixedBytes + TransactionEvents.SizeOf(id)
            + partitions.Count * BytesPerMarker + offsets.Count * ITransactionalOffsets.CompletionBytes;
        var commit = await context.Store.BeginAsync(mode, bytes, cancellation);
        if (!TryEnqueueEnd(commit, shard, id, plan, partitions, offsets, out var producer, out var committed))
        {
            context.Store.Abandon(commit);
            return null;
        }
        await committed;
        return new EndAnswer(TransactionStatus.Ok, true, producer);
    }

    private bool TryEnqueueEnd(
        Commit commit, StateLog shard, TransactionalId id, Plan plan, List<LocalPartition> partitions, List<StateLog> offsets, out ProducerIdentity producer, out ValueTask committed)
    {
        producer = ProducerIdentity.None;
        committed = default;
        // The shards of groups come before those of transactions, and logs after all states.
        using var locks = new LockSet(offsets.Count + 1 + partitions.Count);
        foreach (var state in offsets) locks.Enter(state.Lock);
        locks.Enter(shard.Lock);
        var entry = ((TransactionShard)shard.Machine).Find(id);
        if (context.IsStopped || entry is null || entry.Changes != plan.Changes) return false;
        foreach (var partition in partitions) locks.Enter(partition.Log.Lock);
        producer = entry.Producer with { Epoch = plan.Decision.Epoch };
        var marker = entry.Marker(producer, plan.Decision.IsCommit);
        var batch = marker.ToBatch(context.Now);
        foreach (var state in offsets) context.Offsets.Complete(commit, state, producer.Id, plan.Decision.IsCommit);
        shard.Emit(commit, TransactionEvents.Ended(id, plan.Decision.Epoch, plan.Decision.IsCommit, completely: true, context.Now));
        foreach (var partition in partitions) partition.AppendMarker(commit, marker, batch);
        committed = context.Store.Enqueue(commit);
        return true;
    }

    /// <summary>Commits the intent, and has all that takes part told. Null if it has changed since it was looked at.</summary>
    private async ValueTask<EndAnswer?> PrepareAsync(StateLog shard, TransactionalId id, Plan plan, CancellationToken cancellation)
    {
        var (number, producer) = await shard.ExecuteAsync(CommitMode.Fsync, commit =>
        {
            var entry = ((TransactionShard)shard.Machine).Find(id);
            if (context.IsStopped || entry is null || entry.Changes != plan.Changes) return (-1, ProducerIdentity.None);
            shard.Emit(commit, TransactionEvents.Ended(id, plan.Decision.Epoch, plan.Decision.IsCommit, completely: false, context.Now));
            return (entry.Number, entry.Producer);
        }, TransactionEvents.FixedBytes + TransactionEvents.SizeOf(id), cancellation: cancellation);
        if (number < 0) return null;
        transfers.Start(shard, id, producer.Id, number);
        return new EndAnswer(TransactionStatus.Ok, false, producer);
    }
}
