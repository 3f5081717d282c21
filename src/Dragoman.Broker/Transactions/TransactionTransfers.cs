using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Transactions;

/// <summary>
/// Carries the ends of transactions to all that takes part in them: a Transfer. The intent is in the coordinator's state
/// already; each partition takes the marker of a transaction once, however often it is sent; when all have it, the
/// coordinator notes that the transaction is complete. A crash in between loses nothing: the next owner of the share
/// begins anew.
/// </summary>
internal sealed class TransactionTransfers(TransactionContext context, IScheduler scheduler)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(long ProducerId, int Number), Task> _running = [];

    /// <summary>Takes up what was under way when this node stopped, or another one let go of the share.</summary>
    public void Resume(StateLog shard)
    {
        List<TransactionEntry> ending = [];
        lock (shard.Lock)
        {
            foreach (var entry in ((TransactionShard)shard.Machine).Entries.Values)
                if (entry.IsEnding) ending.Add(entry);
        }
        foreach (var entry in ending) Start(shard, entry.Id, entry.Producer.Id, entry.Number);
    }

    /// <summary>Begins the transfer of a transaction that is being ended, unless it is under way.</summary>
    public void Start(StateLog shard, TransactionalId id, long producerId, int number)
    {
        var key = (producerId, number);
        lock (_lock)
        {
            if (context.IsStopped || _running.ContainsKey(key)) return;
            _running.Add(key, scheduler.Run("transaction transfer", async () =>
            {
                await RunAsync(shard, id, producerId, number);
                lock (_lock) _running.Remove(key);
            }));
        }
    }

    /// <summary>Waits for those under way to let go.</summary>
    public async ValueTask StopAsync()
    {
        List<Task> running;
        lock (_lock) running = [.. _running.Values];
        foreach (var transfer in running) await transfer;
    }

    private async Task RunAsync(StateLog shard, TransactionalId id, long producerId, int number)
    {
        if (!TryFind(shard, id, producerId, number, out var marker, out var partitions, out var offsets)) return;
        var delay = context.Options.FirstRetryDelay;
        while (!context.IsStopped)
        {
            if (!context.Defects.CompleteBeforeMarkers) await TellAsync(marker, partitions);
            try
            {
                if (partitions.Count == 0 || context.Defects.CompleteBeforeMarkers)
                {
                    await CompleteAsync(shard, id, producerId, number, offsets);
                    break;
                }
                await Task.Delay(delay, context.Store.Time, context.Stopped);
            }
            catch (StorageFullException)
            {
                // The markers are where they belong; the note that they are waits for room.
                await DelayAsync(delay);
            }
            catch (StoreFailedException)
            {
                return;
            }
            catch (OperationCanceledException) when (context.IsStopped)
            {
                return;
            }
            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, context.Options.MaxRetryDelay.Ticks));
        }
        if (context.Defects.CompleteBeforeMarkers) await TellAsync(marker, partitions);
    }

    private async ValueTask DelayAsync(TimeSpan delay)
    {
        try
        {
            await Task.Delay(delay, context.Store.Time, context.Stopped);
        }
        catch (OperationCanceledException) when (context.IsStopped)
        {
            // The caller looks.
        }
    }

    private bool TryFind(
        StateLog shard, TransactionalId id, long producerId, int number, out TransactionMarker marker, out List<TransactionPartition> partitions, out List<StateLog> offsets)
    {
        lock (shard.Lock)
        {
            var entry = ((TransactionShard)shard.Machine).Find(id);
            var found = IsEnding(entry, producerId, number);
            marker = found ? entry!.Marker(entry.Producer, entry.State == TransactionState.PrepareCommit) : default;
            partitions = found ? [.. entry!.Partitions] : [];
            offsets = found ? context.OffsetShardsOf(id, entry!.Groups) : [];
            return found;
        }
    }

    private static bool IsEnding([NotNullWhen(true)] TransactionEntry? entry, long producerId, int number) =>
        entry is { IsEnding: true } && entry.Producer.Id == producerId && entry.Number == number;

    /// <summary>Sends the marker to all partitions at once, and takes off those that have it.</summary>
    private async ValueTask TellAsync(TransactionMarker marker, List<TransactionPartition> partitions)
    {
        var calls = new List<(TransactionPartition Partition, Task<AppendAnswer> Answer)>(partitions.Count);
        var gone = new List<TransactionPartition>();
        foreach (var partition in partitions)
        {
            if (context.Find(partition) is { } handle) calls.Add((partition, handle.AppendMarkerAsync(marker, default).AsTask()));
            else gone.Add(partition);
        }
        foreach (var (partition, call) in calls)
        {
            // A topic that is gone has nothing that could be committed or aborted.
            if ((await call).Status is PartitionStatus.Ok or PartitionStatus.Duplicate or PartitionStatus.NotFound) gone.Add(partition);
        }
        foreach (var partition in gone) partitions.Remove(partition);
    }

    /// <summary>Notes that the transaction is complete, and makes the offsets in it those of their groups, in one commit.</summary>
    private async ValueTask CompleteAsync(StateLog shard, TransactionalId id, long producerId, int number, List<StateLog> offsets)
    {
        var bytes = TransactionEvents.FixedBytes + TransactionEvents.SizeOf(id) + offsets.Count * ITransactionalOffsets.CompletionBytes;
        var commit = await context.Store.BeginAsync(CommitMode.Fsync, bytes, context.Stopped);
        if (TryEnqueueCompletion(commit, shard, id, producerId, number, offsets, out var committed)) await committed;
        else context.Store.Abandon(commit);
    }

    private bool TryEnqueueCompletion(Commit commit, StateLog shard, TransactionalId id, long producerId, int number, List<StateLog> offsets, out ValueTask committed)
    {
        committed = default;
        using var locks = new LockSet(offsets.Count + 1);
        foreach (var state in offsets) locks.Enter(state.Lock);
        locks.Enter(shard.Lock);
        var entry = ((TransactionShard)shard.Machine).Find(id);
        if (context.IsStopped || !IsEnding(entry, producerId, number)) return false;
        foreach (var state in offsets) context.Offsets.Complete(commit, state, producerId, entry.State == TransactionState.PrepareCommit);
        shard.Emit(commit, TransactionEvents.Completed(id, context.Now));
        committed = context.Store.Enqueue(commit);
        return true;
    }
}
