using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.State;

/// <summary>
/// Holds a state machine whose events are in the journal. A command looks at the newest state, uncommitted events
/// included; its events are applied at once and join the commit queue before the lock is released; its answer, and
/// all that follows from it, waits for the commit.
/// </summary>
public sealed class StateLog
{
    private readonly Store _store;

    internal StateLog(Store store, long id, IStateMachine machine)
    {
        _store = store;
        Id = id;
        Machine = machine;
    }

    /// <summary>The state's id in the journal. Ids of states and of logs are apart.</summary>
    public long Id { get; }

    /// <summary>The state.</summary>
    public IStateMachine Machine { get; }

    /// <summary>Guards the state. Taken before the locks of logs, and in the order of ids among states.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Whether its deletion is enqueued. It takes no more events.</summary>
    public bool IsDeleted { get; internal set; }

    /// <summary>Sequence of the last commit of this state that must be synced; later ones are completed no earlier.</summary>
    internal long LastStrongSequence { get; set; }

    /// <summary>The newest snapshot, or null if events have come since: what did not change is not written out again.</summary>
    internal StateSnapshot? Snapshot { get; set; }

    /// <summary>Applies an event and adds it to a commit. The caller holds <see cref="Lock"/>.</summary>
    public void Emit(Commit commit, ReadOnlySpan<byte> evt)
    {
        ArgumentNullException.ThrowIfNull(commit);
        Invariant.Check(Lock.IsHeldByCurrentThread, "a state changes under its lock");
        Invariant.Check(!IsDeleted, "a state that is gone does not change");
        // Found out before anything has changed, it costs the command alone; afterwards the state would no longer be what the journal says.
        Invariant.Check(2 * (commit.BodySize + EntryFormat.EntryHeaderSize + evt.Length) <= commit.Reserved, "an event stays within what was admitted");
        Snapshot = null;
        Machine.Apply(evt);
        commit.AddEvent(Id, evt);
    }

    /// <summary>
    /// Runs a command: <paramref name="decide"/> runs under the lock, may read the state, may <see cref="Emit"/> events
    /// and change logs in the commit it is given, and returns the answer; the answer is handed out when the commit is
    /// durable. A command that emits nothing still waits for what it saw to be committed.
    /// </summary>
    /// <param name="mode">What the answer means.</param>
    /// <param name="decide">The command. It must throw before its first <see cref="Emit"/>, or not at all.</param>
    /// <param name="maxBytes">The most that the events, and 32 bytes for each log that is changed, take together.</param>
    /// <param name="urgent">Whether the command frees space, and so may run when the disk is full.</param>
    /// <param name="cancellation">Ends the wait for admission; a command that was admitted runs to its end.</param>
    /// <exception cref="StorageFullException">There is no room; nothing was changed.</exception>
    /// <exception cref="StoreFailedException">The store has failed; the outcome is unknown.</exception>
    public async ValueTask<T> ExecuteAsync<T>(CommitMode mode, Func<Commit, T> decide, int maxBytes = Store.TypicalCommandBytes, bool urgent = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(decide);
        var commit = await _store.BeginAsync(mode, maxBytes, urgent, cancellation);
        T answer;
        ValueTask committed;
        lock (Lock) committed = Decide(commit, decide, out answer);
        await committed;
        return answer;
    }

    /// <summary>Runs a command that changes this state and another one, in one commit.</summary>
    /// <param name="mode">What the answer means.</param>
    /// <param name="other">The other state, whose id is higher. Its lock is held, too.</param>
    /// <param name="decide">The command. It must throw before its first <see cref="Emit"/>, or not at all.</param>
    /// <param name="maxBytes">The most that the events, and 32 bytes for each log that is changed, take together.</param>
    /// <param name="urgent">Whether the command frees space, and so may run when the disk is full.</param>
    /// <param name="cancellation">Ends the wait for admission; a command that was admitted runs to its end.</param>
    /// <exception cref="StorageFullException">There is no room; nothing was changed.</exception>
    /// <exception cref="StoreFailedException">The store has failed; the outcome is unknown.</exception>
    public async ValueTask<T> ExecuteWithAsync<T>(CommitMode mode, StateLog other, Func<Commit, T> decide, int maxBytes = Store.TypicalCommandBytes, bool urgent = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(decide);
        Invariant.Check(Id < other.Id, "states are locked in the order of their ids");
        var commit = await _store.BeginAsync(mode, maxBytes, urgent, cancellation);
        T answer;
        ValueTask committed;
        lock (Lock)
        {
            lock (other.Lock) committed = Decide(commit, decide, out answer);
        }
        await committed;
        return answer;
    }

    [SuppressMessage("Design", "CA1031", Justification = "The exception goes on to the caller once the commit is given back.")]
    private ValueTask Decide<T>(Commit commit, Func<Commit, T> decide, out T answer)
    {
        try
        {
            answer = decide(commit);
        }
        catch (Exception error)
        {
            if (commit.Count > 0) _store.Fail(new InvariantViolatedException("A command failed after it had changed the state.", error));
            _store.Abandon(commit);
            throw;
        }
        return _store.Enqueue(commit);
    }
}
