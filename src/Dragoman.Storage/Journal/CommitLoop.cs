using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Journal;

/// <summary>
/// Drains the commits that have gathered into a round, writes it, completes those that asked for no more, syncs, and
/// completes the rest. While a sync runs the next round gathers, so batching needs no timer.
/// </summary>
internal sealed class CommitLoop
{
    private readonly Store _store;
    private readonly IJournal _journal;
    private readonly WakeSignal _wake = new();
    private readonly Lock _queueLock = new();
    private readonly Queue<Commit> _queue = new();
    private readonly List<Commit> _round = [];
    private readonly List<Commit> _strong = [];
    private readonly HashSet<PartitionLog> _changed = [];
    private readonly List<BatchFile.Piece> _pieces = [];
    private long _lastSequence;
    private long _completedSequence;
    private long _snapshotSequence;
    private long _syncedSequence;
    private volatile bool _unsynced;
    private bool _stopping;
    private Exception? _failure;

    public CommitLoop(Store store, IJournal journal, long lastSequence)
    {
        _store = store;
        _journal = journal;
        _lastSequence = _completedSequence = _syncedSequence = lastSequence;
    }

    /// <summary>Sequence of the newest commit enqueued.</summary>
    public long LastSequence => Volatile.Read(ref _lastSequence);

    /// <summary>All commits up to this sequence are complete.</summary>
    public long CompletedSequence => Volatile.Read(ref _completedSequence);

    /// <summary>Whether everything that a checkpoint takes a snapshot of, and that was enqueued, is on disk.</summary>
    public bool SnapshotsAreDurable => Volatile.Read(ref _snapshotSequence) <= Volatile.Read(ref _syncedSequence);

    /// <summary>Called under the locks of all that the commit changes, so that journal order is offset order.</summary>
    public ValueTask Enqueue(Commit commit)
    {
        lock (_queueLock)
        {
            commit.IsEnqueued = true;
            var completion = commit.Completion;
            if (_failure is not null)
            {
                commit.Fail(Stopped(_failure));
                return completion;
            }
            // A command that changed nothing waits for what it may have seen, and for nothing if all of that is on disk.
            if (commit.Count == 0 && commit.Seals < 0 && !_unsynced && _lastSequence == Volatile.Read(ref _completedSequence))
            {
                commit.Sequence = _lastSequence;
                _store.ReturnSpace(commit);
                commit.Succeed();
                return completion;
            }
            commit.Sequence = ++_lastSequence;
            _queue.Enqueue(commit);
            commit.Mode = StrongestBefore(commit);
            // A checkpoint drops what lies before a start that is under way: not before that start is complete.
            if (commit.ChangesSnapshots || (commit.MovesStarts && commit.Mode == CommitMode.Fsync)) Volatile.Write(ref _snapshotSequence, commit.Sequence);
            _wake.Set();
            return completion;
        }
    }

    /// <summary>
    /// A commit may not be seen before an earlier one of the same log or state; so behind one that waits for a sync it
    /// waits for a sync too.
    /// </summary>
    private CommitMode StrongestBefore(Commit commit)
    {
        var completed = Volatile.Read(ref _completedSequence);
        var mode = commit.Mode;
        if (mode != CommitMode.Fsync)
        {
            foreach (ref readonly var entry in commit.Entries)
            {
                if (_store.LastStrongSequenceOf(entry) > completed)
                {
                    mode = CommitMode.Fsync;
                    break;
                }
            }
        }
        if (mode == CommitMode.Fsync)
            foreach (ref readonly var entry in commit.Entries) _store.NoteStrong(entry, commit.Sequence);
        return mode;
    }

    public void Stop()
    {
        lock (_queueLock) _stopping = true;
        _wake.Set();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong here stops the store; nothing is swallowed.")]
    public async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _wake.WaitAsync();
                while (TakeRound())
                {
                    await CommitRoundAsync();
                    // Those who were just answered often have more to commit: let them join the next round, or it
                    // would sync for the first of them alone.
                    await Task.Yield();
                }
                lock (_queueLock)
                {
                    if (_stopping && _queue.Count == 0 || _failure is not null) return;
                }
            }
        }
        catch (Exception error)
        {
            _store.Fail(error);
            FailRound();
        }
    }

    /// <summary>
    /// Ends all that waits in the queue; whether it survives is unknown. What is in a round is the loop's own to end,
    /// as it may be reading it.
    /// </summary>
    public void Fail(Exception error)
    {
        lock (_queueLock)
        {
            _failure ??= error;
            while (_queue.TryDequeue(out var commit)) commit.Fail(Stopped(_failure));
        }
        _wake.Set();
    }

    private void FailRound()
    {
        lock (_queueLock)
        {
            foreach (var commit in _round) commit.Fail(Stopped(_failure!));
            foreach (var commit in _strong) commit.Fail(Stopped(_failure!));
            _round.Clear();
            _strong.Clear();
        }
    }

    private static StoreFailedException Stopped(Exception cause) => new("The store has stopped after a disk error.", cause);

    /// <summary>Nothing is written once something has failed elsewhere.</summary>
    private void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure) throw Stopped(failure);
    }

    /// <summary>Takes as many commits as fit one round, or one that is too large for any.</summary>
    private bool TakeRound()
    {
        lock (_queueLock)
        {
            ThrowIfFailed();
            var budget = (long)_journal.MaxRoundPayload;
            while (_queue.TryPeek(out var commit))
            {
                var size = EncodedSize(commit);
                if (size > budget && _round.Count > 0) break;
                budget -= size;
                _round.Add(commit);
                _queue.Dequeue();
                if (budget <= 0) break;
            }
            return _round.Count > 0;
        }
    }

    private static long EncodedSize(Commit commit) => commit.Count == 0 ? 0 : EntryFormat.CommitHeaderSize + commit.BodySize;

    private async ValueTask CommitRoundAsync()
    {
        // Commits of one round may end up in two rounds, where the first file has no room for all of them.
        var start = 0;
        while (start < _round.Count)
        {
            ThrowIfFailed();
            var end = start;
            var payload = 0L;
            while (end < _round.Count && payload + EncodedSize(_round[end]) <= Math.Min(_journal.Remaining, _journal.MaxRoundPayload))
                payload += EncodedSize(_round[end++]);
            if (end > start)
            {
                if (payload > 0) await WriteWholeAsync(start, end, (int)payload);
                start = end;
            }
            else if (EncodedSize(_round[start]) <= _journal.MaxRoundPayload || FragmentedSize(_round[start]) > _journal.Remaining)
            {
                _journal.Roll();
                _store.WakeCheckpointer();
            }
            else
            {
                await WriteFragmentsAsync(_round[start]);
                start++;
            }
        }
        SealIfAsked();

        var last = _round[^1].Sequence;
        CompleteWritten();
        if (_strong.Count == 0) return;
        if (!_store.Defects.AcknowledgeEarly)
        {
            if (_unsynced) await _journal.SyncAsync();
            _unsynced = false;
            Volatile.Write(ref _syncedSequence, last);
        }
        CompleteStrong();
    }

    private void SealIfAsked()
    {
        foreach (var commit in _round)
        {
            if (commit.Seals < 0 || commit.Seals != _journal.Active.Number || !_journal.CanRoll) continue;
            // The next file's header: a checkpoint syncs before it says that the journal begins there.
            _unsynced = true;
            _journal.Roll();
            _store.WakeCheckpointer();
        }
    }

    private long FragmentedSize(Commit commit)
    {
        var perRound = _journal.MaxRoundPayload - EntryFormat.CommitHeaderSize;
        var rounds = (commit.BodySize + perRound - 1) / perRound;
        return commit.BodySize + rounds * (EntryFormat.CommitHeaderSize + RoundFormat.RoundHeaderSize + RoundFormat.Alignment);
    }

    private async ValueTask WriteWholeAsync(int from, int to, int payload)
    {
        Encode(from, to, _journal.Reserve(payload).Span);
        _unsynced = true;
        var (file, position) = await _journal.AppendAsync(payload);
        for (var i = from; i < to; i++)
        {
            var commit = _round[i];
            if (commit.Count == 0) continue;
            _pieces.Clear();
            _pieces.Add(new BatchFile.Piece(position + EntryFormat.CommitHeaderSize, (int)commit.BodySize));
            Place(commit, file);
            position += (int)EncodedSize(commit);
        }
    }

    private void Encode(int from, int to, Span<byte> target)
    {
        for (var i = from; i < to; i++)
        {
            var commit = _round[i];
            if (commit.Count == 0) continue;
            EntryFormat.WriteCommitHeader(target, (int)commit.BodySize, EntryFormat.First | EntryFormat.Last, commit.Mode, commit.Sequence);
            target = target[EntryFormat.CommitHeaderSize..];
            foreach (ref readonly var entry in commit.Entries)
            {
                EntryFormat.WriteEntryHeader(target, entry.Kind, entry.PayloadLength, entry.Id, entry.Offset);
                target = target[EntryFormat.EntryHeaderSize..];
                WritePayload(commit, entry, entry.PayloadLength, target);
                target = target[entry.PayloadLength..];
            }
        }
    }

    /// <summary>Writes the first bytes of a payload: all that it has, or at least a batch's header.</summary>
    private void WritePayload(Commit commit, in Commit.Entry entry, int length, Span<byte> target)
    {
        if (entry.Kind == EntryKind.AppendReference)
        {
            BinaryPrimitives.WriteInt32LittleEndian(target, entry.ReferencedEntry);
            return;
        }
        commit.PayloadOf(entry)[..length].CopyTo(target);
        if (entry.Kind != EntryKind.Append) return;
        // Both lie outside the batch's checksum, and the producer's own buffer stays as it is.
        RecordBatch.SetBaseOffset(target, entry.Offset);
        RecordBatch.SetPartitionLeaderEpoch(target, _journal.Active.Epoch);
    }

    /// <summary>Writes a commit that is too large for one round, as fragments within one file.</summary>
    private async ValueTask WriteFragmentsAsync(Commit commit)
    {
        _unsynced = true;
        _pieces.Clear();
        JournalFile? file = null;
        for (var done = 0; done < commit.BodySize;)
        {
            ThrowIfFailed();
            var length = (int)Math.Min(_journal.MaxRoundPayload - EntryFormat.CommitHeaderSize, commit.BodySize - done);
            var flags = (done == 0 ? EntryFormat.First : 0) | (done + length == commit.BodySize ? EntryFormat.Last : 0);
            var target = _journal.Reserve(EntryFormat.CommitHeaderSize + length);
            EntryFormat.WriteCommitHeader(target.Span, length, (byte)flags, commit.Mode, commit.Sequence);
            EncodePart(commit, done, target.Span[EntryFormat.CommitHeaderSize..]);
            (file, var position) = await _journal.AppendAsync(EntryFormat.CommitHeaderSize + length);
            _pieces.Add(new BatchFile.Piece(position + EntryFormat.CommitHeaderSize, length));
            done += length;
        }
        Place(commit, file!);
    }

    /// <summary>Encodes what of a commit's body begins at a place, as much as there is room for: a large one is never held as a whole.</summary>
    private void EncodePart(Commit commit, int from, Span<byte> target)
    {
        // An entry's header, and as much of its payload as is not written the way it came.
        Span<byte> buffer = stackalloc byte[EntryFormat.EntryHeaderSize + RecordBatchHeader.Size];
        var at = -from;
        foreach (ref readonly var entry in commit.Entries)
        {
            if (at >= target.Length) return;
            var own = Math.Min(entry.PayloadLength, RecordBatchHeader.Size);
            var end = at + EntryFormat.EntryHeaderSize + entry.PayloadLength;
            if (end > 0)
            {
                var head = buffer[..(EntryFormat.EntryHeaderSize + own)];
                EntryFormat.WriteEntryHeader(head, entry.Kind, entry.PayloadLength, entry.Id, entry.Offset);
                WritePayload(commit, entry, own, head[EntryFormat.EntryHeaderSize..]);
                CopyPart(head, target, at);
                if (own < entry.PayloadLength) CopyPart(commit.PayloadOf(entry)[own..], target, at + head.Length);
            }
            at = end;
        }
    }

    /// <summary>Copies what of some bytes, which begin at a place that may lie before or behind it, falls into the target.</summary>
    private static void CopyPart(ReadOnlySpan<byte> bytes, Span<byte> target, int at)
    {
        var skipped = Math.Max(0, -at);
        if (skipped >= bytes.Length || at >= target.Length) return;
        bytes = bytes[skipped..];
        target = target[Math.Max(0, at)..];
        bytes[..Math.Min(bytes.Length, target.Length)].CopyTo(target);
    }

    /// <summary>Tells the logs where the commit's batches are. Nobody sees them before the commit is complete.</summary>
    private void Place(Commit commit, JournalFile file)
    {
        commit.JournalFile = file.Number;
        var at = 0;
        var entries = commit.Entries;
        Span<int> starts = entries.Length <= 64 ? stackalloc int[entries.Length] : new int[entries.Length];
        for (var i = 0; i < entries.Length; i++)
        {
            ref readonly var entry = ref entries[i];
            at += EntryFormat.EntryHeaderSize;
            starts[i] = at;
            at += entry.PayloadLength;
            if (entry.Kind is not (EntryKind.Append or EntryKind.AppendReference)) continue;
            var isReference = entry.Kind == EntryKind.AppendReference;
            var (position, pieces) = CommitPlacement.Locate(_pieces, starts[isReference ? entry.ReferencedEntry : i], entry.Payload.Length);
            if (pieces is not null) position = file.AddScattered(pieces);
            entry.Log!.Place(file, file.Epoch, entry.Offset, entry.LastOffsetDelta, position, entry.Payload.Length, isReference, entry.MaxTimestamp);
        }
    }

    /// <summary>Completes the commits that ask for no more than to be written, and keeps the others.</summary>
    private void CompleteWritten()
    {
        var last = _round[^1].Sequence;
        foreach (var commit in _round)
        {
            if (commit.Mode == CommitMode.Fsync) _strong.Add(commit);
            else _store.ApplyCommitted(commit, _changed);
        }
        if (_strong.Count == 0) Volatile.Write(ref _completedSequence, last);
        lock (_queueLock)
        {
            foreach (var commit in _round)
            {
                if (commit.Mode == CommitMode.Fsync) continue;
                _store.ReturnSpace(commit);
                commit.Succeed();
            }
            _round.Clear();
        }
        Notify();
    }

    private void CompleteStrong()
    {
        foreach (var commit in _strong) _store.ApplyCommitted(commit, _changed);
        Volatile.Write(ref _completedSequence, _strong[^1].Sequence);
        lock (_queueLock)
        {
            foreach (var commit in _strong)
            {
                _store.ReturnSpace(commit);
                commit.Succeed();
            }
            _strong.Clear();
        }
        Notify();
    }

    private void Notify()
    {
        foreach (var log in _changed) log.NotifyListeners();
        _changed.Clear();
    }
}
