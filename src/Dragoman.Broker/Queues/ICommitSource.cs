using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;

namespace Dragoman.Broker.Queues;

/// <summary>
/// Where messages come from that a commit appends elsewhere: what it forgets of them, or how far it has come, is in the
/// same commit, so that no crash loses a message or leaves it in two places.
/// </summary>
internal interface ICommitSource
{
    /// <summary>Guards it.</summary>
    Lock Gate { get; }

    /// <summary>The order in which the gates of several sources and targets are taken.</summary>
    long GateOrder { get; }

    /// <summary>The log that it changes, or null.</summary>
    PartitionLog? Log { get; }

    /// <summary>Bytes to ask for, so that its events fit, and some more that may come meanwhile.</summary>
    long BytesWanted { get; }

    /// <summary>Bytes that its events take at most. The caller holds <see cref="Gate"/>.</summary>
    long BytesNeeded { get; }

    /// <summary>Whether nothing is to be appended any more on its behalf. The caller holds <see cref="Gate"/>.</summary>
    bool IsGone { get; }

    /// <summary>
    /// Adds its events to the commit, in which all that it takes elsewhere is already. The caller holds <see cref="Gate"/>.
    /// </summary>
    void Emit(Commit commit);

    /// <summary>Changes its log, if it has one. The caller holds <see cref="Gate"/> and the log's lock.</summary>
    void ChangeLog(Commit commit);
}

/// <summary>Messages that leave a subscription.</summary>
/// <param name="subscription">Which.</param>
/// <param name="count">How many messages.</param>
/// <param name="departures">The messages, and what became of each; asked when that is known.</param>
internal sealed class DepartureSource(Subscription subscription, int count, Func<IReadOnlyList<(Departure Departure, DepartureEnd End)>> departures) : ICommitSource
{
    public Lock Gate => subscription.Gate;

    public long GateOrder => subscription.GateOrder;

    public PartitionLog Log => subscription.Log;

    public long BytesWanted => subscription.PendingBytes + 24L * count;

    public long BytesNeeded => subscription.PendingBytes / 2 + 24L * count;

    public bool IsGone => subscription.IsDeleted;

    public void Emit(Commit commit)
    {
        subscription.Departed(departures());
        subscription.EmitPending(commit);
    }

    public void ChangeLog(Commit commit) => subscription.Truncate(commit);
}
