using Dragoman.Broker.Messages;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Queues.Moves;

/// <summary>How a step of a move ended.</summary>
internal enum MoveStep
{
    /// <summary>The messages are in the target, and settled at the source.</summary>
    Done,

    /// <summary>The consumer no longer holds them all: somebody purged the source, or had it go elsewhere.</summary>
    NotHeld,

    /// <summary>The target takes no more than some of them.</summary>
    TargetFull,

    /// <summary>The target is gone.</summary>
    TargetGone,
}

/// <summary>
/// One commit that appends a batch to a queue, settles its messages at their source, and counts them for the move: all or
/// nothing. Where one of the two queues is in memory it does one half, and the caller the other.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="target">The queue that takes the messages.</param>
/// <param name="batch">The messages.</param>
internal sealed class MoveCommit(Store store, LocalQueue target, MessageBatch batch)
{
    /// <summary>Messages from the first on that the target has room for, where it does not take all.</summary>
    public int Room { get; private set; }

    /// <summary>What is settled in the same commit.</summary>
    /// <param name="Subscription">The source.</param>
    /// <param name="Consumer">Who holds the messages.</param>
    /// <param name="Offsets">The messages.</param>
    /// <param name="Moves">The state of the moves.</param>
    /// <param name="Progress">The event that counts the messages.</param>
    internal sealed record Departure(Subscription Subscription, Consumer Consumer, IReadOnlyList<long> Offsets, StateLog Moves, byte[] Progress);

    /// <summary>Commits; the task completes when that is what the mode says.</summary>
    /// <param name="mode">What its completion means.</param>
    /// <param name="begin">Begins a commit of a size.</param>
    /// <param name="departure">What is settled with it; null where the caller sees to that.</param>
    public async ValueTask<MoveStep> RunAsync(CommitMode mode, Func<CommitMode, long, ValueTask<(Commit Commit, IDisposable? Turn)>> begin, Departure? departure)
    {
        ValueTask committed;
        while (true)
        {
            var bytes = batch.Bytes + 128 + 32L * batch.Special.Count + (departure is null ? 0 : departure.Subscription.PendingBytes + 24L * departure.Offsets.Count + departure.Progress.Length);
            var (commit, turn) = await begin(mode, bytes);
            try
            {
                if (Enqueue(commit, bytes, departure, out committed) is { } step)
                {
                    if (step != MoveStep.Done) return step;
                    break;
                }
            }
            finally
            {
                turn?.Dispose();
            }
        }
        await committed;
        return MoveStep.Done;
    }

    /// <returns>How it ended; null if a larger commit is needed.</returns>
    private MoveStep? Enqueue(Commit commit, long bytes, Departure? departure, out ValueTask committed)
    {
        committed = default;
        // Locks of states come first, in the order of their ids; those of logs after them.
        var gates = new List<Lock>(3);
        if (departure is not null) gates.Add(departure.Moves.Lock);
        Add(gates, target.Subscription, departure?.Subscription);
        var logs = new List<PartitionLog> { target.Subscription.Log };
        if (departure is not null) logs.Insert(departure.Subscription.Log.Id < logs[0].Id ? 0 : 1, departure.Subscription.Log);
        foreach (var gate in gates) gate.Enter();
        try
        {
            if (Check(bytes, departure) is var (isReady, refusal) && !isReady)
            {
                store.Abandon(commit);
                return refusal;
            }
            if (departure is not null)
            {
                departure.Moves.Emit(commit, departure.Progress);
                departure.Subscription.MoveOut(departure.Consumer, departure.Offsets);
                departure.Subscription.EmitPending(commit);
            }
            foreach (var log in logs) log.Lock.Enter();
            try
            {
                var offset = target.Subscription.Log.Append(commit, batch.Build());
                target.Subscription.Arrived(commit, offset, batch, store.Time.GetUtcNow().ToUnixTimeMilliseconds());
                departure?.Subscription.Truncate(commit);
                committed = store.Enqueue(commit);
                return MoveStep.Done;
            }
            finally
            {
                foreach (var log in logs) log.Lock.Exit();
            }
        }
        finally
        {
            foreach (var gate in gates) gate.Exit();
        }
    }

    private static void Add(List<Lock> gates, Subscription one, Subscription? other)
    {
        var (first, second) = other is not null && other.GateOrder < one.GateOrder ? (other, one) : (one, other);
        gates.Add(first.Gate);
        if (second is not null) gates.Add(second.Gate);
    }

    private (bool IsReady, MoveStep? Refusal) Check(long bytes, Departure? departure)
    {
        var subscription = target.Subscription;
        if (target.IsDeleted || subscription.IsDeleted || subscription.Log.IsBeingDeleted) return (false, MoveStep.TargetGone);
        if (departure is not null)
        {
            if (!departure.Subscription.HoldsAll(departure.Consumer, departure.Offsets)) return (false, MoveStep.NotHeld);
            // More has come meanwhile than was asked for.
            if (departure.Subscription.PendingBytes / 2 + 24L * departure.Offsets.Count + batch.Bytes + 64 > bytes) return (false, null);
        }
        var selected = subscription.Admit(batch, store.Time.GetUtcNow().ToUnixTimeMilliseconds(), out var room, out _);
        if (ReferenceEquals(selected, batch)) return (true, null);
        selected?.Dispose();
        Room = room;
        return (false, MoveStep.TargetFull);
    }
}
