using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Memory;

/// <summary>
/// Commits what lives in memory. It never waits for the journal; when its memory is used up it moves the oldest block
/// to a scratch file, and when that cannot be made, publishers are refused.
/// </summary>
internal sealed class MemoryLoop
{
    private readonly Store _store;
    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly int _blockBytes;
    private readonly WakeSignal _wake = new();
    private readonly Lock _queueLock = new();
    private readonly Lock _blocksLock = new();
    private readonly Queue<Commit> _queue = new();
    private readonly List<Commit> _round = [];
    private readonly HashSet<PartitionLog> _changed = [];
    private readonly LinkedList<MemoryBlock> _resident = new();
    private MemoryBlock? _current;
    private long _nextBlock;
    private long _sequence;
    private bool _stopping;
    private bool _started;
    private Exception? _failure;
    private int _working;
    private Task _running = Task.CompletedTask;

    public MemoryLoop(Store store, IFileSystem files, StoreOptions options)
    {
        _store = store;
        _files = files;
        _directory = $"{options.Directory}/scratch";
        _blockBytes = options.MemoryBlockBytes;
        Space = new SpaceBudget(options.MaxPendingBytes, 0) { NeedsSpace = _wake.Set };
        Space.Change(options.MemoryBytes);
    }

    public SpaceBudget Space { get; }

    public long ResidentBytes
    {
        get
        {
            lock (_blocksLock)
            {
                var bytes = 0L;
                foreach (var block in _resident) bytes += block.Capacity;
                return bytes;
            }
        }
    }

    public void Start(IScheduler scheduler)
    {
        _files.CreateDirectory(_directory);
        foreach (var name in _files.ListFiles(_directory)) _files.Delete($"{_directory}/{name}");
        _started = true;
        _running = scheduler.Run("memory-commit", RunAsync);
    }

    /// <param name="commit">The commit.</param>
    /// <param name="wakes">Whether the loop is woken: not where the caller calls <see cref="Work"/> when it has released its locks.</param>
    public ValueTask Enqueue(Commit commit, bool wakes)
    {
        lock (_queueLock)
        {
            commit.IsEnqueued = true;
            var completion = commit.Completion;
            if (_failure is not null)
            {
                commit.Fail(new StoreFailedException("The store has stopped after a disk error.", _failure));
                return completion;
            }
            foreach (ref readonly var entry in commit.Entries)
                Invariant.Check(entry.Log is { Kind: LogKind.Memory }, "a commit of mode memory changes only logs that live in memory");
            commit.Sequence = ++_sequence;
            _queue.Enqueue(commit);
            if (wakes) _wake.Set();
            return completion;
        }
    }

    public async Task StopAsync()
    {
        lock (_queueLock) _stopping = true;
        _wake.Set();
        await _running;
    }

    public void Fail(Exception error)
    {
        Space.Fail(error);
        lock (_queueLock)
        {
            _failure ??= error;
            var failure = new StoreFailedException("The store has stopped after a disk error.", error);
            foreach (var commit in _round) commit.Fail(failure);
            _round.Clear();
            while (_queue.TryDequeue(out var commit)) commit.Fail(failure);
        }
        if (_started) _wake.Set();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong here stops the store; nothing is swallowed.")]
    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _wake.WaitAsync();
                Work();
                lock (_queueLock)
                {
                    // Whoever works at the moment wakes the loop at the end.
                    if (_failure is not null || (_stopping && _queue.Count == 0 && Volatile.Read(ref _working) == 0)) return;
                }
                await SpillAsync();
            }
        }
        catch (Exception error)
        {
            _store.Fail(error);
        }
    }

    /// <summary>
    /// Commits what is enqueued, unless somebody does that already. The caller holds no lock. Nothing here waits for a disk, so
    /// whoever has enqueued does it itself: to wake another thread takes longer.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong here stops the store; nothing is swallowed.")]
    public void Work()
    {
        while (Interlocked.CompareExchange(ref _working, 1, 0) == 0)
        {
            try
            {
                while (TakeRound()) CommitRound();
            }
            catch (Exception error)
            {
                _store.Fail(error);
            }
            finally
            {
                Volatile.Write(ref _working, 0);
            }
            lock (_queueLock)
            {
                // What came while the others saw somebody at work.
                if (_queue.Count > 0 && _failure is null) continue;
                if (_stopping) _wake.Set();
                return;
            }
        }
    }

    private bool TakeRound()
    {
        lock (_queueLock)
        {
            if (_failure is not null) return false;
            while (_round.Count < 1024 && _queue.TryDequeue(out var commit)) _round.Add(commit);
            return _round.Count > 0;
        }
    }

    private void CommitRound()
    {
        foreach (var commit in _round)
        {
            foreach (ref readonly var entry in commit.Entries)
                if (entry.Kind is EntryKind.Append or EntryKind.AppendReference) Place(entry);
            _store.ApplyCommitted(commit, _changed);
        }
        lock (_queueLock)
        {
            foreach (var commit in _round)
            {
                _store.ReturnSpace(commit);
                commit.Succeed();
            }
            _round.Clear();
        }
        foreach (var log in _changed) log.NotifyListeners();
        _changed.Clear();
    }

    private void Place(in Commit.Entry entry)
    {
        var size = entry.Payload.Length;
        if (_current is null || _current.Length + size > _current.Capacity) NextBlock(size);
        var block = _current!;
        var target = block.Extend(size, out var position);
        entry.Payload.Span.CopyTo(target);
        RecordBatch.SetBaseOffset(target, entry.Offset);
        RecordBatch.SetPartitionLeaderEpoch(target, _store.Epoch);
        if (entry.Log!.Place(block, _store.Epoch, entry.Offset, entry.LastOffsetDelta, position, size, false, entry.MaxTimestamp))
        {
            lock (_blocksLock) block.LiveChunks++;
        }
    }

    private void NextBlock(int size)
    {
        var block = new MemoryBlock(++_nextBlock, Math.Max(_blockBytes, size));
        var previous = _current;
        lock (_blocksLock)
        {
            _current = block;
            _resident.AddLast(block);
        }
        Space.Change(-block.Capacity);
        // When the loop looked there may have been nothing to move; now there is.
        if (Space.HasWaiters) _wake.Set();
        if (previous is not null) FreeIfDead(previous);
    }

    /// <summary>Frees the chunks of a log that lie wholly before its start.</summary>
    public void DropBefore(PartitionLog log)
    {
        if (log.Kind != LogKind.Memory) return;
        foreach (var block in log.DropMemoryChunks()) Forget(block, 1);
    }

    /// <summary>Notes that chunks of a block are gone.</summary>
    public void Forget(MemoryBlock block, int chunks)
    {
        lock (_blocksLock) block.LiveChunks -= chunks;
        FreeIfDead(block);
    }

    private void FreeIfDead(MemoryBlock block)
    {
        lock (_blocksLock)
        {
            if (block.LiveChunks > 0 || block == _current || block.IsFreed) return;
            block.IsFreed = true;
            _resident.Remove(block);
        }
        block.Drop(() =>
        {
            if (block.IsResident)
            {
                block.Free();
                Space.Change(block.Capacity);
            }
            block.Spilled?.Drop(file =>
            {
                file.Close();
                _files.Delete(file.Path);
            });
        });
    }

    /// <summary>
    /// Ends the block that is being filled, so that it can be moved; not while somebody works, who may be filling it just now.
    /// </summary>
    private bool TryCloseCurrent()
    {
        if (Interlocked.CompareExchange(ref _working, 1, 0) != 0)
        {
            // Once more when the loop comes round.
            _wake.Set();
            return false;
        }
        var closes = _current is { Length: > 0 };
        if (closes)
        {
            lock (_blocksLock) _current = null;
        }
        Volatile.Write(ref _working, 0);
        // What came meanwhile saw somebody at work.
        Work();
        return closes;
    }

    /// <summary>Moves the oldest blocks to disk while publishers wait for memory.</summary>
    private async Task SpillAsync()
    {
        while (Space.HasWaiters)
        {
            MemoryBlock? oldest;
            lock (_blocksLock) oldest = _resident.First?.Value;
            if (oldest is null) return;
            if (oldest == Volatile.Read(ref _current) && !TryCloseCurrent()) return;
            var number = _store.Numbers.Next();
            var path = $"{_directory}/{number:D20}.blk";
            IStorageFile? handle = null;
            try
            {
                handle = _files.Open(path, FileOpenMode.CreateNew);
                handle.Preallocate(oldest.Length);
                await handle.WriteAsync(0, oldest.Content);
            }
            catch (DiskFullException error)
            {
                handle?.Dispose();
                _files.Delete(path);
                Space.SetFull(error.Message);
                return;
            }
            handle.Dispose();
            lock (_blocksLock)
            {
                if (!_resident.Remove(oldest))
                {
                    // Its last message went while it was being written.
                    _files.Delete(path);
                    continue;
                }
                oldest.MoveTo(_store.Table.Add(number, path));
            }
            Space.Change(oldest.Capacity);
            FreeIfDead(oldest);
        }
    }
}
