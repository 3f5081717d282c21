using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage.Log;
using Dragoman.Storage.Log.Compaction;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Journal;

/// <summary>
/// Takes sealed journal files, moves what still lives in them into segments, switches the manifest and lets the files
/// go. One checkpoint at a time; it disturbs nobody who appends or reads.
/// </summary>
internal sealed class Checkpointer(Store store, FileJournal journal, Manifest manifest, HashSet<StoreFile> files, SparseIndexCache indexes)
{
    private readonly ArrayBufferWriter<byte> _snapshot = new(4096);
    private readonly WakeSignal _wake = new();
    private readonly Lock _lock = new();
    private readonly List<TaskCompletionSource> _requests = [];
    private readonly List<ReplacementSet> _replacements = [];
    private readonly AsyncGate _planning = new();
    private Manifest _manifest = manifest;
    private HashSet<StoreFile> _files = files;
    private Task _running = Task.CompletedTask;
    private bool _stopping;
    private bool _reclaim;
    private long _sealedSince = -1;

    public void Start(IScheduler scheduler)
    {
        _running = scheduler.Run("checkpoint", RunAsync);
        _wake.Set();
    }

    /// <summary>Looks whether there is something to do.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Asks for a checkpoint although no journal file was sealed, to let go of segments that are no longer needed.</summary>
    public void Reclaim()
    {
        lock (_lock) _reclaim = true;
        _wake.Set();
    }

    public Task RequestAsync(CancellationToken cancellation)
    {
        var request = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_stopping) return Task.CompletedTask;
            _requests.Add(request);
        }
        if (cancellation.CanBeCanceled) cancellation.UnsafeRegister(static (r, c) => ((TaskCompletionSource)r!).TrySetCanceled(c), request);
        _wake.Set();
        return request.Task;
    }

    /// <summary>Puts what compaction has made in place of what there was. Completes when the manifest says so.</summary>
    /// <exception cref="StorageFullException">From the task: there is no room; what was made is gone.</exception>
    public Task ReplaceAsync(ReplacementSet set)
    {
        lock (_lock)
        {
            if (_stopping)
            {
                Discard(set);
                set.Done.SetResult();
            }
            else
            {
                _replacements.Add(set);
            }
        }
        _wake.Set();
        return set.Done.Task;
    }

    /// <summary>Waits for the checkpoint that is being written, if one is: those after it see what changed before the call.</summary>
    public async Task PassAsync()
    {
        await _planning.EnterAsync();
        _planning.Exit();
    }

    public async Task StopAsync()
    {
        lock (_lock) _stopping = true;
        _wake.Set();
        await _running;
        lock (_lock)
        {
            foreach (var request in _requests) request.TrySetResult();
            _requests.Clear();
            foreach (var set in _replacements)
            {
                Discard(set);
                set.Done.TrySetResult();
            }
            _replacements.Clear();
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong here stops the store; nothing is swallowed.")]
    private async Task RunAsync()
    {
        while (true)
        {
            await _wake.WaitAsync();
            List<TaskCompletionSource> requests;
            List<ReplacementSet> replacements;
            bool due, requested, reclaim;
            lock (_lock)
            {
                if (_stopping) return;
                requests = [.. _requests];
                _requests.Clear();
                replacements = [.. _replacements];
                _replacements.Clear();
                requested = requests.Count > 0;
                reclaim = _reclaim;
                due = requested || replacements.Count > 0 || reclaim;
                _reclaim = false;
            }
            var files = Choose(requested);
            due |= files.Count > 0;
            if (store.Failed.IsCompleted)
            {
                foreach (var request in requests) request.TrySetException(new StoreFailedException("The store has stopped after a disk error."));
                foreach (var set in replacements) set.Done.TrySetException(new StoreFailedException("The store has stopped after a disk error."));
                continue;
            }
            if (!due) continue;
            try
            {
                await _planning.EnterAsync();
                try
                {
                    await CheckpointAsync(files, replacements, frugal: false);
                }
                finally
                {
                    _planning.Exit();
                }
                journal.SetCheckpointsStuck(false);
                // Where little fitted, the others' turn comes now that these are gone.
                if (journal.IsSpaceLow && files.Count > 0 && journal.SealedCount > 0) _wake.Set();
                foreach (var request in requests) request.TrySetResult();
                foreach (var set in replacements) set.Done.TrySetResult();
            }
            catch (DiskFullException error)
            {
                // What is in the journal stays there for now; maintenance tries again.
                lock (_lock) _reclaim |= reclaim;
                journal.SetCheckpointsStuck(true);
                foreach (var request in requests) request.TrySetException(new StorageFullException("There is no room for a checkpoint.", error));
                foreach (var set in replacements)
                {
                    Discard(set);
                    set.Done.TrySetException(new StorageFullException("There is no room for a checkpoint.", error));
                }
                await FreeAsync();
            }
            catch (Exception error)
            {
                foreach (var request in requests) request.TrySetException(new StoreFailedException("The checkpoint failed.", error));
                foreach (var set in replacements) set.Done.TrySetException(new StoreFailedException("The checkpoint failed.", error));
                store.Fail(error);
            }
        }
    }

    /// <summary>
    /// The sealed files that it is time for. In the course of things that is the older half, once there are enough: the
    /// longer a message stays in the journal, the more likely it is settled, or given up, before it would be copied.
    /// </summary>
    private List<JournalFile> Choose(bool all)
    {
        var files = new List<JournalFile>(journal.Sealed);
        if (files.Count == 0)
        {
            _sealedSince = -1;
            return files;
        }
        if (_sealedSince < 0) _sealedSince = store.Time.GetTimestamp();
        var isLow = journal.IsSpaceLow;
        if (all || isLow || store.Time.GetElapsedTime(_sealedSince) >= store.Options.CheckpointInterval)
        {
            _sealedSince = -1;
            if (isLow) KeepWhatFits(files);
            return files;
        }
        if (files.Count < store.Options.CheckpointAfterFiles) return [];
        _sealedSince = -1;
        return files.GetRange(0, (files.Count + 1) / 2);
    }

    /// <summary>A checkpoint needs room for what it copies; where there is little, it takes little at a time.</summary>
    private void KeepWhatFits(List<JournalFile> files)
    {
        var room = store.Table.Files.FreeBytes(store.Options.Directory);
        var bytes = 0L;
        for (var i = 0; i < files.Count; i++)
        {
            bytes += files[i].Length;
            if (i == 0 || bytes <= room) continue;
            files.RemoveRange(i, files.Count - i);
            return;
        }
    }

    /// <summary>
    /// With too little room for all that is due: moves the oldest journal file alone, or, where there is no room for
    /// that either, only lets go of segments in which nothing lives.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong here stops the store; nothing is swallowed.")]
    private async Task FreeAsync()
    {
        await _planning.EnterAsync();
        try
        {
            var oldest = journal.Sealed.Take(1).ToList();
            if (oldest.Count > 0 && await TryCheckpointAsync(oldest))
            {
                // The next one may find the room that this one has made.
                _wake.Set();
            }
            else if (!await TryCheckpointAsync([]))
            {
                return;
            }
            journal.RetrySpace();
        }
        catch (Exception error)
        {
            store.Fail(error);
        }
        finally
        {
            _planning.Exit();
        }
    }

    private async Task<bool> TryCheckpointAsync(IReadOnlyList<JournalFile> sealedFiles)
    {
        try
        {
            await CheckpointAsync(sealedFiles, [], frugal: true);
            return true;
        }
        catch (DiskFullException)
        {
            return false;
        }
    }

    /// <summary>Removes what compaction wrote and is not used.</summary>
    private void Discard(ReplacementSet set)
    {
        foreach (var file in set.Files) Delete(file);
    }

    private async Task CheckpointAsync(IReadOnlyList<JournalFile> sealedFiles, List<ReplacementSet> sets, bool frugal)
    {
        // What retention gives up now need not be copied.
        if (sealedFiles.Count > 0) await GiveUpAsync();
        var (nextFile, firstRound, previousHash) = sealedFiles.Count == 0
            ? (_manifest.JournalFile, _manifest.FirstRound, _manifest.PreviousHash)
            : journal.After(sealedFiles[^1]);

        var replacements = new Dictionary<PartitionLog, Replacement>();
        foreach (var set in sets)
            foreach (var replacement in set.Replacements) replacements.Add(replacement.Log, replacement);
        var plan = CheckpointPlan.Make(store.AllLogs, sealedFiles, nextFile, store.Options, replacements, frugal);
        var writer = new CheckpointWriter(store, indexes, plan);
        try
        {
            await writer.WriteAsync();
            foreach (var file in sealedFiles)
            {
                if (plan.IsAdopted(file)) await journal.SyncSealedAsync(file);
                else await journal.CheckWrittenAsync(file);
            }
            var states = SnapshotStates();
            await SyncJournalAsync(nextFile);
            var next = _manifest with
            {
                Number = _manifest.Number + 1,
                JournalFile = nextFile,
                FirstRound = firstRound,
                PreviousHash = previousHash,
                Epoch = journal.Epoch,
                LastSequence = store.Loop.LastSequence,
                LastLogId = store.LastLogId,
                Logs = plan.ManifestLogs(),
                States = states,
            };
            if (!store.Defects.DropManifestSwitch)
            {
                await next.WriteAsync(store.Table.Files, store.Options.Directory);
                store.Table.Files.Delete(Manifest.PathOf(store.Options.Directory, _manifest.Number));
            }
            _manifest = next;
        }
        catch (DiskFullException)
        {
            writer.Discard();
            plan.Release();
            throw;
        }
        plan.Switch();
        plan.Release();
        foreach (var file in sealedFiles) await journal.ForgoSyncAsync(file);
        foreach (var file in sealedFiles) journal.Release(file, keep: plan.IsAdopted(file));
        var used = plan.Files();
        foreach (var known in _files)
            if (!used.Contains(known)) known.Drop(Delete);
        foreach (var set in sets)
            foreach (var file in set.Files)
                if (!used.Contains(file)) file.Drop(Delete);
        _files = used;
        foreach (var log in plan.DeletedLogs) store.ForgetLog(log);
    }

    /// <summary>
    /// Makes durable what the manifest relies on: what the snapshots include, and where the journal begins. What was
    /// copied needs no sync where it came from, and without one it never has to reach the disk there.
    /// </summary>
    private async Task SyncJournalAsync(long nextFile)
    {
        // Then the starts that retention moved, and the plan counts on, are complete.
        await store.PassWrittenAsync();
        var sealedFiles = journal.Sealed;
        var next = sealedFiles.FirstOrDefault(f => f.Number == nextFile);
        if (store.Loop.SnapshotsAreDurable && (next ?? journal.Active) is { SyncedLength: > 0 } begun && begun.Number == nextFile) return;
        if (store.Loop.SnapshotsAreDurable && next is not null)
        {
            await journal.SyncSealedAsync(next);
            return;
        }
        // Here, so that the commit loop, which publishers wait for, finds nothing but the active file to sync.
        foreach (var file in sealedFiles) await journal.SyncSealedAsync(file);
        await store.SyncAsync();
    }

    private async Task GiveUpAsync()
    {
        try
        {
            await store.ApplyRetentionAsync();
        }
        catch (StorageFullException)
        {
            // Then it is copied, or maintenance gives it up before the next attempt.
        }
        // Segments that hold nothing any more go with this checkpoint.
        lock (_lock) _reclaim = false;
    }

    private void Delete(StoreFile file)
    {
        file.Close();
        store.Table.Files.Delete(file.Path);
    }

    private List<StateSnapshot> SnapshotStates()
    {
        var snapshots = new List<StateSnapshot>(store.UnclaimedSnapshots.Values);
        foreach (var state in store.AllStates)
        {
            lock (state.Lock)
            {
                if (state.IsDeleted) continue;
                if (state.Snapshot is null)
                {
                    _snapshot.ResetWrittenCount();
                    state.Machine.WriteSnapshot(_snapshot);
                    // Commits with this state's events are enqueued under its lock, so all up to here are in the snapshot.
                    state.Snapshot = new StateSnapshot(state.Id, store.Loop.LastSequence, _snapshot.WrittenSpan.ToArray());
                }
                snapshots.Add(state.Snapshot);
            }
        }
        return snapshots;
    }
}
