using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Log.Compaction;

/// <summary>
/// Compacts logs in the background: looks from time to time which are dirty enough, writes what stays of them into new
/// segments, and has the next checkpoint put those in place. Appends and reads go on meanwhile; idle when nothing is dirty.
/// </summary>
internal sealed class Compactor(Store store, Checkpointer checkpointer, SparseIndexCache indexes) : IDisposable
{
    private const long MaxSharedBytes = 64L << 20;
    private const int Overhead = 4096;

    private readonly CancellationTokenSource _stop = new();
    private readonly AsyncGate _running = new();
    private readonly Throttle _throttle = new(store.Time, store.Options.CompactionBytesPerSecond);
    private Task _loop = Task.CompletedTask;

    public long BytesPerSecond
    {
        get => _throttle.BytesPerSecond;
        set => _throttle.BytesPerSecond = value;
    }

    public void Start(IScheduler scheduler) => _loop = scheduler.Run("compaction", RunAsync);

    public async Task StopAsync()
    {
#pragma warning disable CA1849, VSTHRD103 // CancelAsync leaves the scheduler that the simulator drives.
        _stop.Cancel();
#pragma warning restore CA1849, VSTHRD103
        await _loop;
        await _running.EnterAsync();
        _running.Exit();
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested && !store.Failed.IsCompleted)
        {
            try
            {
                await Task.Delay(store.Options.CompactionInterval, store.Time, _stop.Token);
                await CompactAsync(force: false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (StorageFullException)
            {
                // Compaction frees space, but needs some first: retention or somebody's deletions have to help.
            }
            catch (StoreFailedException)
            {
                return;
            }
        }
    }

    /// <summary>Compacts what is due.</summary>
    /// <param name="force">Whether everything is due of which anything is dirty, what is in the journal included.</param>
    /// <exception cref="StorageFullException">There is no room.</exception>
    /// <exception cref="StoreFailedException">The store has failed.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong here stops the store; nothing is swallowed.")]
    public async Task CompactAsync(bool force)
    {
        await _running.EnterAsync();
        try
        {
            if (_stop.IsCancellationRequested) return;
            await SealAsync(force);
            while (await CompactDueAsync(force)) _stop.Token.ThrowIfCancellationRequested();
        }
        catch (Exception error) when (error is not (OperationCanceledException or StorageFullException or StoreFailedException))
        {
            store.Fail(error);
            throw new StoreFailedException("Compaction failed.", error);
        }
        finally
        {
            _running.Exit();
        }
    }

    /// <summary>Moves out of the journal what has waited there long enough to be compacted.</summary>
    private async Task SealAsync(bool force)
    {
        var wanted = false;
        foreach (var log in store.Logs)
        {
            using var dirty = Measure(log, force);
            wanted |= dirty is { WantsSeal: true };
        }
        if (!wanted) return;
        await store.SealJournalAsync(wait: force);
        await store.CheckpointAsync(_stop.Token);
    }

    private DirtyLog? Measure(PartitionLog log, bool force)
    {
        try
        {
            return log.Compaction is null ? null : DirtyLog.Measure(log, store.Time.GetUtcNow().ToUnixTimeMilliseconds(), force, store.Defects.CompactOpenTransactions);
        }
        catch (IOException error)
        {
            log.CompactionFailure = error.Message;
            return null;
        }
    }

    /// <summary>Compacts the dirtiest log that is due; small ones together. False if none is.</summary>
    private async Task<bool> CompactDueAsync(bool force)
    {
        var due = new List<(PartitionLog Log, double Ratio, long Bytes)>();
        foreach (var log in store.Logs)
        {
            using var dirty = Measure(log, force);
            if (dirty is { IsDue: true }) due.Add((log, dirty.DirtyRatio, dirty.StoredBytes));
        }
        if (due.Count == 0) return false;
        due.Sort(static (a, b) => b.Ratio.CompareTo(a.Ratio));
        var chosen = new List<PartitionLog> { due[0].Log };
        var bytes = due[0].Bytes;
        for (var i = 1; i < due.Count && bytes < store.Options.OwnSegmentBytes * (long)chosen.Count && bytes < MaxSharedBytes; i++)
        {
            if (due[i].Bytes >= store.Options.OwnSegmentBytes) continue;
            chosen.Add(due[i].Log);
            bytes += due[i].Bytes;
        }
        return await CompactAsync(chosen, force);
    }

    /// <summary>Compacts some logs into one file.</summary>
    /// <returns>Whether anything came of it.</returns>
    private async Task<bool> CompactAsync(List<PartitionLog> logs, bool force)
    {
        var set = new ReplacementSet();
        var handedOver = false;
        Hold(logs, true);
        try
        {
            // A checkpoint that is being written may have plans for the chunks; those after it leave them alone.
            await checkpointer.PassAsync();
            await WriteAsync(logs, force, set);
            if (set.Replacements.Count == 0) return false;
            handedOver = true;
            await checkpointer.ReplaceAsync(set);
            return true;
        }
        catch (DiskFullException error)
        {
            throw new StorageFullException("There is no room for compaction.", error);
        }
        finally
        {
            Hold(logs, false);
            if (!handedOver) Discard(set);
        }
    }

    private static void Hold(List<PartitionLog> logs, bool held)
    {
        foreach (var log in logs)
            lock (log.Lock) log.IsBeingCompacted = held;
    }

    private async Task WriteAsync(List<PartitionLog> logs, bool force, ReplacementSet set)
    {
        var dirtyLogs = new List<DirtyLog>();
        try
        {
            var estimate = 0L;
            foreach (var log in logs)
            {
                if (Measure(log, force) is not { } dirty) continue;
                dirtyLogs.Add(dirty);
                estimate += dirty.StoredBytes + dirty.StoredBytes / 64 + Overhead;
            }
            if (dirtyLogs.Count == 0) return;
            using var output = SegmentOutput.Create(store, estimate, store.Options.HeadroomBytes, set.Files);
            foreach (var dirty in dirtyLogs)
            {
                using var pass = new CompactionPass(store, dirty, _throttle, _stop.Token);
                try
                {
                    if (await pass.RunAsync(output, indexes) is { } replacement) set.Replacements.Add(replacement);
                }
                catch (CorruptDataException error)
                {
                    // Readers will hear of it too; the other logs must not suffer.
                    dirty.Log.CompactionFailure = error.Message;
                }
            }
            if (set.Replacements.Count == 0) return;
            await output.FinishAsync();
            store.Table.Files.SyncDirectory(store.Options.Directory);
        }
        finally
        {
            foreach (var dirty in dirtyLogs) dirty.Dispose();
        }
    }

    private void Discard(ReplacementSet set)
    {
        foreach (var file in set.Files)
        {
            file.Close();
            store.Table.Files.Delete(file.Path);
        }
        set.Files.Clear();
    }
}
