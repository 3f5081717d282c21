using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Transactions;

/// <summary>Aborts transactions that were open for too long, fencing their producers, and forgets ids that nobody uses.</summary>
internal sealed class TransactionTimeouts(TransactionContext context, TransactionEnding ending)
{
    private const int ForgottenAtOnce = 100;

    private Task _running = Task.CompletedTask;

    public void Start(IScheduler scheduler) => _running = scheduler.Run("transaction timeouts", RunAsync);

    public async ValueTask StopAsync() => await _running;

    private async Task RunAsync()
    {
        while (!context.IsStopped)
        {
            try
            {
                await Task.Delay(context.Options.TimeoutCheckInterval, context.Store.Time, context.Stopped);
                await CheckAsync();
            }
            catch (OperationCanceledException) when (context.IsStopped)
            {
                return;
            }
            catch (StorageFullException)
            {
                // The next round tries again.
            }
            catch (StoreFailedException)
            {
                return;
            }
        }
    }

    private async ValueTask CheckAsync()
    {
        foreach (var shard in context.AllShards)
        {
            Find(shard, out var overdue, out var unused);
            var aborts = new List<Task<EndAnswer>>(overdue.Count);
            foreach (var id in overdue) aborts.Add(ending.EndAsync(id, AbortIfOverdue, context.Stopped).AsTask());
            // One that finds no room is found again by the next round.
            foreach (var abort in aborts) await abort;
            for (var i = 0; i < unused.Count; i += ForgottenAtOnce) await ForgetAsync(shard, unused.GetRange(i, Math.Min(ForgottenAtOnce, unused.Count - i)));
        }
    }

    private void Find(StateLog shard, out List<TransactionalId> overdue, out List<TransactionalId> unused)
    {
        overdue = [];
        unused = [];
        lock (shard.Lock)
        {
            foreach (var entry in ((TransactionShard)shard.Machine).Entries.Values)
            {
                if (IsOverdue(entry)) overdue.Add(entry.Id);
                else if (IsUnused(entry)) unused.Add(entry.Id);
            }
        }
    }

    private bool IsOverdue([NotNullWhen(true)] TransactionEntry? entry) =>
        entry is { State: TransactionState.Ongoing } && context.Now - entry.StartedMs >= entry.TimeoutMs;

    private bool IsUnused([NotNullWhen(true)] TransactionEntry? entry) =>
        entry is { IsEnding: false, State: not TransactionState.Ongoing } && context.Now - entry.UpdatedMs >= context.Options.IdExpiration.TotalMilliseconds;

    private EndDecision AbortIfOverdue(TransactionEntry? entry) =>
        IsOverdue(entry) ? EndDecision.End(commit: false, (short)(entry.Producer.Epoch + 1)) : EndDecision.Answer(TransactionStatus.Ok);

    private async ValueTask ForgetAsync(StateLog shard, List<TransactionalId> ids)
    {
        var bytes = 0;
        foreach (var id in ids) bytes += TransactionEvents.FixedBytes + TransactionEvents.SizeOf(id) + 32;
        await shard.ExecuteAsync(CommitMode.Written, commit =>
        {
            if (context.IsStopped) return false;
            foreach (var id in ids)
                if (IsUnused(((TransactionShard)shard.Machine).Find(id))) shard.Emit(commit, TransactionEvents.Forgotten(id, context.Now));
            return true;
        }, bytes, cancellation: context.Stopped);
    }
}
