using System.Collections.Concurrent;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Log.Compaction;
using Dragoman.Storage.Memory;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Storage;

/// <summary>
/// Everything durable on one node: logs and state machines over one journal. Changes are gathered in a
/// <see cref="Commit"/> and become durable together.
/// </summary>
/// <remarks>
/// After <see cref="Failed"/> the store does nothing more: what is in memory may not be what is on disk, so the
/// process drops it and recovers from disk.
/// </remarks>
public sealed class Store : IAsyncDisposable
{
    /// <summary>What to reserve for a command whose events are small.</summary>
    public const int TypicalCommandBytes = 4096;

    /// <summary>The first id of states that commits create; those below are registered when the store is opened.</summary>
    public const long FirstDynamicState = 1_000_000;

    private const int PooledCommits = 1024;

    private readonly ConcurrentDictionary<long, PartitionLog> _logs;
    private readonly ConcurrentDictionary<long, StateLog> _states = new();
    private readonly ObjectPool<Commit> _pool = new(PooledCommits);
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FileJournal _journal;
    private readonly CommitLoop _loop;
    private readonly Task _running;
    private readonly MemoryLoop _memory;
    private readonly Checkpointer _checkpointer;
    private readonly Maintenance _maintenance;
    private readonly Compactor _compactor;
    private readonly IDisposable _directoryLock;
    private readonly Dictionary<long, StateSnapshot> _unclaimedSnapshots;
    private long _lastLogId;
    private long _lastVolatileId;
    private int _disposed;
    private bool _deletedSegments;

    internal Store(StoreParts parts)
    {
        Options = parts.Options;
        Defects = parts.Defects;
        Time = parts.Time;
        Recovery = parts.Recovery;
        Id = parts.Manifest.StoreId;
        Table = parts.Table;
        Numbers = parts.Numbers;
        _logs = parts.Logs;
        foreach (var (id, machine) in parts.Machines) _states[id] = new StateLog(this, id, machine);
        _unclaimedSnapshots = parts.UnclaimedSnapshots;
        _lastLogId = parts.LastLogId;
        _directoryLock = parts.DirectoryLock;
        _journal = parts.Journal;
        _loop = new CommitLoop(this, _journal, parts.LastSequence);
        _memory = new MemoryLoop(this, parts.Table.Files, parts.Options);
        _checkpointer = new Checkpointer(this, _journal, parts.Manifest, parts.SegmentFiles, parts.Indexes);
        _maintenance = new Maintenance(this, _journal);
        _compactor = new Compactor(this, _checkpointer, parts.Indexes);
        _journal.OnSpaceFailed(Fail);
        _journal.OnSpaceLow(WakeCheckpointer);
        _running = parts.Scheduler.Run("commit", _loop.RunAsync);
        _memory.Start(parts.Scheduler);
        _checkpointer.Start(parts.Scheduler);
        _maintenance.Start(parts.Scheduler);
        _compactor.Start(parts.Scheduler);
    }

    /// <summary>The options it was opened with.</summary>
    public StoreOptions Options { get; }

    /// <summary>The store's id: made once, when its directory was new.</summary>
    public Guid Id { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>What recovery found when the store was opened.</summary>
    public RecoveryReport Recovery { get; }

    /// <summary>The leader epoch of this node: it rises with every start that follows an unclean end.</summary>
    public int Epoch => _journal.Epoch;

    /// <summary>How many commits are complete, over all of the store's lives: it only rises.</summary>
    public long CompletedSequence => _loop.CompletedSequence;

    /// <summary>Completes, with the reason, when the store has failed and the process should recover.</summary>
    public Task<Exception> Failed => _failed.Task;

    /// <summary>The logs there are.</summary>
    public IEnumerable<PartitionLog> Logs
    {
        get
        {
            foreach (var (_, log) in _logs)
                if (!log.IsDeleted) yield return log;
        }
    }

    /// <summary>Admission: how much is under way, and whether the disk is full.</summary>
    public SpaceBudget Space => _journal.Space;

    /// <summary>What the journal has done since the store was opened.</summary>
    public JournalCounters JournalCounters => _journal.Counters;

    /// <summary>Sealed files of the journal that were not checkpointed yet.</summary>
    public int SealedJournalFiles => _journal.SealedCount;

    /// <summary>Bytes free on the volume that the store is on.</summary>
    public long FreeBytes => Table.Files.FreeBytes(Options.Directory);

    /// <summary>Bytes of messages that are in memory because their logs live there.</summary>
    public long MemoryBytes => _memory.ResidentBytes;

    internal PlantedDefects Defects { get; }

    internal FileTable Table { get; }

    internal FileNumbers Numbers { get; }

    internal CommitLoop Loop => _loop;

    internal ICollection<PartitionLog> AllLogs => _logs.Values;

    internal ICollection<StateLog> AllStates => _states.Values;

    internal long LastLogId => Volatile.Read(ref _lastLogId);

    /// <summary>Snapshots of states that nobody has registered this time: they are carried on.</summary>
    internal Dictionary<long, StateSnapshot> UnclaimedSnapshots => _unclaimedSnapshots;

    /// <summary>The log of an id.</summary>
    /// <exception cref="KeyNotFoundException">There is none, or it has been deleted.</exception>
    public PartitionLog GetLog(long id) =>
        _logs.TryGetValue(id, out var log) && !log.IsDeleted ? log : throw new KeyNotFoundException($"There is no log {id}.");

    /// <summary>The state machine's log of an id: registered when the store was opened, or created by a commit.</summary>
    /// <exception cref="KeyNotFoundException">None was.</exception>
    public StateLog GetState(long id) =>
        _states.TryGetValue(id, out var state) ? state : throw new KeyNotFoundException($"There is no state {id}.");

    /// <summary>Bytes that one commit can hold.</summary>
    public long MaxCommitBytes => (Options.MaxJournalFileBytes - Options.ReserveBytes - FileJournal.FileOverhead) / 2 - 512;

    /// <summary>
    /// Waits until there is room for a commit, on disk and among what is under way, and begins it. It must be handed to
    /// <see cref="Enqueue(Commit)"/> or <see cref="Abandon"/> soon.
    /// </summary>
    /// <param name="mode">What its completion shall mean at least.</param>
    /// <param name="bytes">The most that its batches and events take, and 32 bytes for each beyond the first few.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="StorageFullException">There is no room; try again later.</exception>
    /// <exception cref="StoreFailedException">The store has failed.</exception>
    public ValueTask<Commit> BeginAsync(CommitMode mode, long bytes, CancellationToken cancellation = default) =>
        BeginAsync(mode, bytes, urgent: false, cancellation);

    /// <summary>As <see cref="BeginAsync(CommitMode, long, CancellationToken)"/>, for a commit that may free space.</summary>
    /// <param name="mode">What its completion shall mean at least.</param>
    /// <param name="bytes">The most that it takes.</param>
    /// <param name="urgent">Whether it may use the space that is kept back for commits that free more.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public ValueTask<Commit> BeginAsync(CommitMode mode, long bytes, bool urgent, CancellationToken cancellation)
    {
        var cost = CostOf(bytes);
        if (bytes > MaxCommitBytes)
            return ValueTask.FromException<Commit>(new ArgumentOutOfRangeException(nameof(bytes), bytes, $"A commit holds at most {MaxCommitBytes} bytes."));
        var admission = (mode == CommitMode.Memory ? _memory.Space : _journal.Space).AdmitAsync(cost, urgent, cancellation);
        return admission.IsCompletedSuccessfully ? ValueTask.FromResult(Rent(mode, cost)) : Slow(admission, mode, cost);

        async ValueTask<Commit> Slow(ValueTask wait, CommitMode wanted, long reserved)
        {
            await wait;
            return Rent(wanted, reserved);
        }
    }

    /// <summary>
    /// Disk space that a commit can take at worst: a round to itself, at the end of a file with just too little room
    /// for it. Hence twice its size.
    /// </summary>
    private static long CostOf(long bytes) => 2 * (bytes + 512);

    private Commit Rent(CommitMode mode, long cost)
    {
        if (!_pool.TryTake(out var commit)) commit = new Commit(this);
        commit.Mode = mode;
        commit.Reserved = cost;
        commit.IsOfMemory = mode == CommitMode.Memory;
        return commit;
    }

    internal void Recycle(Commit commit)
    {
        commit.Reset();
        _pool.Return(commit);
    }

    /// <summary>
    /// Hands a commit over. The caller holds the locks of all that it changes; when it releases them, the order of
    /// commits is settled. The task completes when the commit is what its mode says, and visible.
    /// </summary>
    /// <exception cref="StoreFailedException">From the task: the store has failed; whether the commit survives is unknown.</exception>
    public ValueTask Enqueue(Commit commit) => Enqueue(commit, willWork: false);

    /// <summary>As <see cref="Enqueue(Commit)"/>.</summary>
    /// <param name="commit">The commit.</param>
    /// <param name="willWork">Whether the caller calls <see cref="Work"/> as soon as it has released its locks.</param>
    public ValueTask Enqueue(Commit commit, bool willWork)
    {
        ArgumentNullException.ThrowIfNull(commit);
        Invariant.Check(2 * commit.BodySize <= commit.Reserved, "a commit stays within what was admitted");
        if (commit.Mode == CommitMode.Memory) return _memory.Enqueue(commit, !willWork);
        return commit.HasChangedStates ? EnqueueStates(commit) : _loop.Enqueue(commit);
    }

    /// <summary>Commits what was enqueued in mode <see cref="CommitMode.Memory"/>, on the caller's thread, which holds no lock.</summary>
    public void Work() => _memory.Work();

    /// <summary>
    /// A checkpoint sees a state as created, or deleted, only once the commit that does so is enqueued: so neither is kept
    /// without the other.
    /// </summary>
    private ValueTask EnqueueStates(Commit commit)
    {
        foreach (var (state, isDeletion) in commit.ChangedStates)
        {
            state.Lock.Enter();
            if (isDeletion) state.IsDeleted = true;
            else Invariant.Check(_states.TryAdd(state.Id, state), "ids of states are never used twice");
        }
        try
        {
            return _loop.Enqueue(commit);
        }
        finally
        {
            foreach (var (state, _) in commit.ChangedStates) state.Lock.Exit();
        }
    }

    /// <summary>Gives an unused commit back.</summary>
    public void Abandon(Commit commit)
    {
        ArgumentNullException.ThrowIfNull(commit);
        ReturnSpace(commit);
        Recycle(commit);
    }

    internal void ReturnSpace(Commit commit)
    {
        if (commit.Reserved == 0) return;
        (commit.IsOfMemory ? _memory.Space : _journal.Space).Return(commit.Reserved);
        commit.Reserved = 0;
    }

    /// <summary>Adds the creation of a log to a commit. The log can be appended to in the same commit.</summary>
    public PartitionLog CreateLog(Commit commit, LogKind kind)
    {
        ArgumentNullException.ThrowIfNull(commit);
        var log = new PartitionLog(Interlocked.Increment(ref _lastLogId), kind);
        Invariant.Check(_logs.TryAdd(log.Id, log), "log ids are never used twice");
        commit.Add(new Commit.Entry { Kind = EntryKind.CreateLog, Id = log.Id, Log = log, Payload = KindPayload(kind), PayloadLength = 1 });
        return log;
    }

    /// <summary>
    /// A log in memory of which the journal knows nothing: made without a commit, and gone with the process. It is found
    /// by whoever holds it, and deleted by a commit of mode <see cref="CommitMode.Memory"/>.
    /// </summary>
    /// <param name="firstOffset">The offset of its first message.</param>
    public PartitionLog CreateVolatileLog(long firstOffset = 0)
    {
        var log = new PartitionLog(Interlocked.Decrement(ref _lastVolatileId), LogKind.Memory);
        log.SkipTo(firstOffset);
        log.ReservedOffsets = long.MaxValue;
        return log;
    }

    /// <summary>Adds the creation of a state to a commit; the same commit may hold events of it.</summary>
    /// <param name="commit">The commit.</param>
    /// <param name="machine">The state, empty, as the store's factory makes it.</param>
    public StateLog CreateState(Commit commit, IStateMachine machine)
    {
        ArgumentNullException.ThrowIfNull(commit);
        ArgumentNullException.ThrowIfNull(machine);
        // Logs and states share a counter, so that neither's ids are used again.
        var state = new StateLog(this, FirstDynamicState + Interlocked.Increment(ref _lastLogId), machine);
        commit.ChangedStates.Add((state, false));
        commit.Add(new Commit.Entry { Kind = EntryKind.CreateState, Id = state.Id });
        return state;
    }

    /// <summary>Adds the deletion of a state that a commit created to a commit. Nothing more may be emitted to it.</summary>
    public static void DeleteState(Commit commit, StateLog state)
    {
        ArgumentNullException.ThrowIfNull(commit);
        ArgumentNullException.ThrowIfNull(state);
        Invariant.Check(state.Id >= FirstDynamicState && !state.IsDeleted, "a state is deleted once, and only if a commit created it");
        commit.ChangedStates.Add((state, true));
        commit.Add(new Commit.Entry { Kind = EntryKind.DeleteState, Id = state.Id });
    }

    private static ReadOnlyMemory<byte> KindPayload(LogKind kind) => kind == LogKind.Durable ? DurablePayload : MemoryPayload;

    private static readonly byte[] DurablePayload = [(byte)LogKind.Durable];
    private static readonly byte[] MemoryPayload = [(byte)LogKind.Memory];

    /// <summary>Adds the deletion of a log, and of all that it holds, to a commit.</summary>
    public static void DeleteLog(Commit commit, PartitionLog log)
    {
        ArgumentNullException.ThrowIfNull(commit);
        ArgumentNullException.ThrowIfNull(log);
        lock (log.Lock) log.IsBeingDeleted = true;
        commit.Add(new Commit.Entry { Kind = EntryKind.DeleteLog, Id = log.Id, Log = log });
    }

    /// <summary>
    /// Makes sure that a memory log may give out a number of offsets. What it gives out stays given out across
    /// restarts, so the bounds are journaled, far ahead and seldom.
    /// </summary>
    public ValueTask ReserveOffsetsAsync(PartitionLog log, int count)
    {
        ArgumentNullException.ThrowIfNull(log);
        if (log.Kind == LogKind.Durable || log.EndOffset + count <= log.ReservedOffsets) return ValueTask.CompletedTask;
        return ReserveSlowAsync(log, count);
    }

    private async ValueTask ReserveSlowAsync(PartitionLog log, int count)
    {
        const int Ahead = 1 << 20;
        var commit = await BeginAsync(CommitMode.Written, TypicalCommandBytes);
        long reserved;
        ValueTask committed;
        lock (log.Lock)
        {
            reserved = log.EndOffset + count + Ahead;
            log.PendingReservation = Math.Max(log.PendingReservation, reserved);
            commit.Add(new Commit.Entry { Kind = EntryKind.ReserveOffsets, Id = log.Id, Log = log, Offset = reserved });
            committed = Enqueue(commit);
        }
        await committed;
        lock (log.Lock) log.ReservedOffsets = Math.Max(log.ReservedOffsets, reserved);
    }

    /// <summary>Gives up everything before an offset of a log, durably.</summary>
    public async ValueTask TruncateAsync(PartitionLog log, long offset, CommitMode mode = CommitMode.Fsync)
    {
        ArgumentNullException.ThrowIfNull(log);
        var commit = await BeginAsync(mode == CommitMode.Memory ? CommitMode.Written : mode, TypicalCommandBytes, urgent: true, default);
        ValueTask committed;
        lock (log.Lock)
        {
            log.AdvanceStart(commit, Math.Min(offset, log.HighWatermark));
            committed = Enqueue(commit);
        }
        await committed;
    }

    /// <summary>Completes when everything enqueued before that asked for no more than to be written is complete.</summary>
    internal async ValueTask PassWrittenAsync() => await Enqueue(Rent(CommitMode.Written, 0));

    /// <summary>Completes when everything enqueued before is on disk.</summary>
    public async ValueTask SyncAsync()
    {
        // It takes no space, so that a checkpoint can end on a full disk.
        var commit = Rent(CommitMode.Fsync, 0);
        await Enqueue(commit);
    }

    /// <summary>Writes a checkpoint of all that is in sealed journal files, sealing the active one first if asked to.</summary>
    public Task CheckpointAsync(CancellationToken cancellation = default) => _checkpointer.RequestAsync(cancellation);

    /// <summary>
    /// Compacts now every compacted log of which anything was not compacted before, however little, and what is in the
    /// journal included; only records that are younger than <see cref="LogCompaction.MinLagMs"/>, or behind the start of
    /// an open transaction, and the last batch are left alone.
    /// </summary>
    /// <exception cref="StorageFullException">There is no room.</exception>
    public Task CompactAsync() => _compactor.CompactAsync(force: true);

    /// <summary>Bytes that compaction reads and writes a second at most; at first what the options say.</summary>
    public long CompactionBytesPerSecond
    {
        get => _compactor.BytesPerSecond;
        set => _compactor.BytesPerSecond = value;
    }

    /// <summary>Seals the active journal file if it holds anything, so that the next checkpoint takes it.</summary>
    /// <param name="wait">Whether to wait until another file is ready; without, nothing is done if none is.</param>
    internal async ValueTask SealJournalAsync(bool wait)
    {
        var file = _journal.Active;
        // What others were promised must fit the next file, as the rest of this one goes unused.
        var cost = file.Capacity - file.Length;
        if (wait) await _journal.Space.AdmitAsync(cost, urgent: false, default);
        else if (!_journal.Space.TryAdmit(cost)) return;
        var commit = Rent(CommitMode.Written, cost);
        commit.Seals = file.Number;
        await Enqueue(commit);
    }

    /// <summary>Looks at retention now instead of at the next interval.</summary>
    public Task ApplyRetentionAsync() => _maintenance.ApplyRetentionAsync(alsoByAge: true);

    internal long LastStrongSequenceOf(in Commit.Entry entry) =>
        entry.Log is { } log ? log.LastStrongSequence : _states.TryGetValue(entry.Id, out var state) ? state.LastStrongSequence : 0;

    internal void NoteStrong(in Commit.Entry entry, long sequence)
    {
        if (entry.Log is { } log) log.LastStrongSequence = sequence;
        else if (_states.TryGetValue(entry.Id, out var state)) state.LastStrongSequence = sequence;
    }

    /// <summary>Makes a complete commit's changes visible.</summary>
    internal void ApplyCommitted(Commit commit, HashSet<PartitionLog> changed)
    {
        foreach (ref readonly var entry in commit.Entries)
        {
            if (entry.Kind == EntryKind.DeleteState) _states.TryRemove(entry.Id, out _);
            if (entry.Log is not { } log) continue;
            switch (entry.Kind)
            {
                case EntryKind.Append or EntryKind.AppendReference:
                    log.Commit(entry.Offset + entry.LastOffsetDelta + 1);
                    break;
                case EntryKind.AdvanceStart:
                    log.CommitStart(entry.Offset);
                    _memory.DropBefore(log);
                    break;
                case EntryKind.DeleteLog:
                    ReleaseChunks(log.CommitDelete(commit.JournalFile));
                    break;
                default:
                    continue;
            }
            if (log.HasListeners) changed.Add(log);
        }
    }

    private void ReleaseChunks(List<Chunk> chunks)
    {
        foreach (var chunk in chunks)
        {
            if (chunk is JournalChunk { File: MemoryBlock block }) _memory.Forget(block, 1);
            else if (chunk is not JournalChunk) _deletedSegments = true;
        }
    }

    /// <summary>Whether logs were deleted, since this was last asked, that had bytes outside the journal.</summary>
    internal bool TakeDeletedSegments() => Interlocked.Exchange(ref _deletedSegments, false);

    internal void ForgetLog(PartitionLog log) => _logs.TryRemove(log.Id, out _);

    internal void WakeCheckpointer() => _checkpointer.Wake();

    internal void Reclaim() => _checkpointer.Reclaim();

    /// <summary>
    /// Stops the store for good: also for owners of a state who find that they can rely on it no more. Whatever waits for a
    /// commit learns that its outcome is unknown.
    /// </summary>
    public void Fail(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        if (!_failed.TrySetResult(error)) return;
        _journal.Space.Fail(error);
        _memory.Fail(error);
        _loop.Fail(error);
        _checkpointer.Wake();
    }

    /// <summary>Stops in good order: completes what was enqueued, marks the journal and lets the directory go.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _maintenance.StopAsync();
        _maintenance.Dispose();
        await _compactor.StopAsync();
        _compactor.Dispose();
        await _checkpointer.StopAsync();
        await _memory.StopAsync();
        if (!_failed.Task.IsCompleted)
        {
            await MarkCleanStopAsync();
        }
        _loop.Stop();
        await _running;
        await _journal.DisposeAsync();
        foreach (var log in _logs.Values) CloseFiles(log);
        _directoryLock.Dispose();
    }

    private async ValueTask MarkCleanStopAsync()
    {
        try
        {
            var commit = await BeginAsync(CommitMode.Fsync, 0, urgent: true, default);
            commit.Add(new Commit.Entry { Kind = EntryKind.CleanStop });
            await Enqueue(commit);
        }
        catch (StorageFullException)
        {
            // Without the mark the next start takes this for an unclean end, which costs it an epoch and nothing else.
        }
    }

    private static void CloseFiles(PartitionLog log)
    {
        foreach (var chunk in log.Chunks) chunk.Close();
    }
}
