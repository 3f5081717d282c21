using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log.Compaction;
using Dragoman.Storage.Memory;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log;

/// <summary>
/// An append-only sequence of record batches. Offsets are given out under <see cref="Lock"/>, when a commit is
/// enqueued; batches can be read once that commit is complete.
/// </summary>
public sealed class PartitionLog
{
    private readonly List<Chunk> _chunks = [];
    private readonly LogListeners _listeners = new();
    private ProducerTable? _producers;
    private long _next;
    private long _highWatermark;
    private long _start;
    private long _pendingStart;
    private long _reservedOffsets;
    private bool _deleted;

    internal PartitionLog(long id, LogKind kind)
    {
        Id = id;
        Kind = kind;
    }

    /// <summary>The log's id: unique in the store and never used again.</summary>
    public long Id { get; }

    /// <summary>Whether the journal knows nothing of the log: it is gone with the process.</summary>
    public bool IsVolatile => Id < 0;

    /// <summary>Where its messages live.</summary>
    public LogKind Kind { get; }

    /// <summary>Guards the log. Taken in the order of ids where several are needed; never held across an await.</summary>
    public Lock Lock { get; } = new();

    /// <summary>What is kept, and for how long. Replaced as a whole.</summary>
    public LogRetention Retention { get; set; } = LogRetention.Unlimited;

    /// <summary>How the log is compacted; null where it is not. Replaced as a whole.</summary>
    public LogCompaction? Compaction { get; set; }

    /// <summary>
    /// Why the log cannot be compacted any more until the next start: what is stored of it cannot be read. Null while
    /// nothing is wrong.
    /// </summary>
    public string? CompactionFailure { get; internal set; }

    /// <summary>The first offset that may be read.</summary>
    public long StartOffset => Volatile.Read(ref _start);

    /// <summary>The offset after the last committed batch.</summary>
    public long HighWatermark => Volatile.Read(ref _highWatermark);

    /// <summary>The offset that the next batch gets; beyond <see cref="HighWatermark"/> while commits are under way.</summary>
    public long EndOffset => Volatile.Read(ref _next);

    /// <summary>Whether the log has been deleted. What is left of it cannot be read.</summary>
    public bool IsDeleted => Volatile.Read(ref _deleted);

    /// <summary>Sequence of the last commit here that must be synced; later commits are completed no earlier.</summary>
    internal long LastStrongSequence { get; set; }

    /// <summary>The journal file in which the log was deleted, or -1.</summary>
    internal long DeletedInFile { get; set; } = -1;

    /// <summary>Whether a deletion is enqueued, committed or not.</summary>
    public bool IsBeingDeleted { get; internal set; }

    /// <summary>The start with all that is enqueued, committed or not.</summary>
    internal long PendingStart => _pendingStart;

    /// <summary>The reservation of offsets with all that is enqueued, committed or not.</summary>
    internal long PendingReservation { get; set; }

    /// <summary>Below this offset every record but the newest of each key is gone: compaction has been there.</summary>
    internal long CleanUpTo { get; set; }

    /// <summary>Whether compaction is reading what lies in segments, so that checkpoints leave it where it is.</summary>
    internal bool IsBeingCompacted { get; set; }

    /// <summary>Offsets below this one may be given out by a memory log.</summary>
    internal long ReservedOffsets
    {
        get => Volatile.Read(ref _reservedOffsets);
        set => Volatile.Write(ref _reservedOffsets, value);
    }

    /// <summary>Which epoch wrote from which offset on. The caller holds <see cref="Lock"/>.</summary>
    public LeaderEpochs Epochs { get; } = new();

    internal List<Chunk> Chunks => _chunks;

    /// <summary>The offset after the last batch that is in a file, committed or not.</summary>
    internal long PlacedEnd { get; private set; }

    internal ProducerTable? ProducersOrNull => _producers;

    /// <summary>The offset after the last batch that the producer table includes; replay adds only what comes after.</summary>
    internal long ProducersIncludeUpTo { get; set; }

    /// <summary>What the log knows of its producers, uncommitted batches included. The caller holds <see cref="Lock"/>.</summary>
    public ProducerTable Producers => _producers ??= new ProducerTable();

    /// <summary>The offset before which no transaction is open: how far a read-committed consumer may read.</summary>
    public long LastStableOffset
    {
        get
        {
            // Records before the start are gone, open transaction or not.
            lock (Lock) return _producers is null ? _highWatermark : Math.Max(_start, _producers.LastStableOffset(_highWatermark));
        }
    }

    /// <summary>Bytes of the batches that can be read, to the grain of the index.</summary>
    public long SizeBytes
    {
        get
        {
            lock (Lock)
            {
                var bytes = 0L;
                for (var i = _chunks.Count - 1; i >= 0 && _chunks[i].EndOffset > _start; i--) bytes += _chunks[i].BytesFrom(_start);
                return bytes;
            }
        }
    }

    /// <summary>
    /// Gives a validated batch its offsets and adds it to a commit. The caller holds <see cref="Lock"/> and enqueues
    /// the commit before releasing it. The bytes stay untouched until the commit is complete.
    /// </summary>
    /// <returns>The base offset.</returns>
    public long Append(Commit commit, ReadOnlyMemory<byte> batch) => Append(commit, batch, -1);

    /// <summary>
    /// As <see cref="Append(Commit, ReadOnlyMemory{byte})"/>, for a body that goes to several logs in one commit and is
    /// stored once.
    /// </summary>
    /// <param name="commit">The commit.</param>
    /// <param name="batch">The batch: the same memory in each call.</param>
    /// <param name="body">-1 for the first log; it becomes what the calls for the others need.</param>
    /// <returns>The base offset.</returns>
    public long AppendShared(Commit commit, ReadOnlyMemory<byte> batch, ref int body)
    {
        ArgumentNullException.ThrowIfNull(commit);
        var baseOffset = Append(commit, batch, body);
        if (body < 0) body = commit.Count - 1;
        return baseOffset;
    }

    /// <summary>As <see cref="Append(Commit, ReadOnlyMemory{byte})"/>, for a body that an earlier entry of the commit holds already.</summary>
    /// <param name="commit">The commit.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="sameAs">Index of the entry in the commit whose bytes are the same, or -1.</param>
    internal long Append(Commit commit, ReadOnlyMemory<byte> batch, int sameAs)
    {
        Invariant.Check(Lock.IsHeldByCurrentThread, "a log changes under its lock");
        Invariant.Check(RecordBatchHeader.TryRead(batch.Span, out var header) && header.TotalSize == batch.Length, "only whole batches are appended");
        Invariant.Check(Kind == LogKind.Durable || _next + header.LastOffsetDelta < ReservedOffsets, "a memory log gives out reserved offsets only");
        var baseOffset = _next;
        _next += header.LastOffsetDelta + 1L;
        if (header.ProducerId >= 0)
        {
            Producers.Apply(header, baseOffset, ControlMarker.Read(header, batch.Span));
            ProducersIncludeUpTo = _next;
            commit.ChangesSnapshots = true;
        }
        commit.Add(new Commit.Entry
        {
            Kind = sameAs < 0 ? EntryKind.Append : EntryKind.AppendReference,
            Id = Id,
            Log = this,
            Offset = baseOffset,
            LastOffsetDelta = header.LastOffsetDelta,
            MaxTimestamp = header.MaxTimestamp,
            Payload = batch,
            PayloadLength = sameAs < 0 ? batch.Length : sizeof(int),
            ReferencedEntry = sameAs,
        });
        return baseOffset;
    }

    /// <summary>
    /// Gives up everything before an offset, as retention does and clients may ask for. The caller holds <see cref="Lock"/>.
    /// </summary>
    /// <returns>Whether there is anything to commit.</returns>
    public bool AdvanceStart(Commit commit, long offset)
    {
        ArgumentNullException.ThrowIfNull(commit);
        Invariant.Check(Lock.IsHeldByCurrentThread, "a log changes under its lock");
        Invariant.Check(offset <= HighWatermark, "nothing uncommitted is given up");
        if (offset <= _pendingStart) return false;
        _pendingStart = offset;
        commit.Add(new Commit.Entry { Kind = EntryKind.AdvanceStart, Id = Id, Log = this, Offset = offset });
        return true;
    }

    /// <summary>
    /// Finds whole batches from the one that contains an offset on. It returns at least one, however large, if there is one.
    /// </summary>
    /// <param name="offset">Between <see cref="StartOffset"/> and <paramref name="endOffset"/>.</param>
    /// <param name="endOffset">Batches that end after this offset are not found; at most <see cref="HighWatermark"/>.</param>
    /// <param name="maxBytes">How much to find at most, the first batch aside.</param>
    /// <param name="read">Takes what is found; its former content is let go.</param>
    /// <exception cref="IOException">The disk failed, or does not hold what it should.</exception>
    public void Read(long offset, long endOffset, int maxBytes, LogRead read)
    {
        ArgumentNullException.ThrowIfNull(read);
        read.Dispose();
        read.NextOffset = offset;
        endOffset = Math.Min(endOffset, HighWatermark);
        while (read.NextOffset < endOffset && read.TotalBytes < maxBytes | read.TotalBytes == 0)
        {
            Chunk chunk;
            bool more;
            lock (Lock)
            {
                if (_deleted || ChunkAt(read.NextOffset) is not { } found) return;
                chunk = found;
                if (chunk.CollectsUnderLock)
                {
                    var before = read.NextOffset;
                    more = chunk.Collect(read.NextOffset, endOffset, maxBytes, read);
                    if (!more || read.NextOffset == before) return;
                    continue;
                }
                Invariant.Check(chunk.TryAcquire(), "a file outlives the chunks that lie in it");
            }
            try
            {
                more = chunk.Collect(read.NextOffset, endOffset, maxBytes, read);
            }
            finally
            {
                chunk.Release();
            }
            if (!more) return;
            read.NextOffset = Math.Max(read.NextOffset, chunk.EndOffset);
        }
    }

    /// <summary>
    /// As <see cref="Read(long, long, int, LogRead)"/>, up to the last stable offset, and says which of the records that
    /// were found belong to aborted transactions. The two belong together: what is forgotten with records that
    /// retention or compaction has removed could otherwise be missed where the records were found just before.
    /// </summary>
    /// <param name="offset">Between <see cref="StartOffset"/> and <see cref="LastStableOffset"/>.</param>
    /// <param name="maxBytes">How much to find at most, the first batch aside.</param>
    /// <param name="read">Takes what is found; its former content is let go.</param>
    /// <param name="aborted">Takes the aborted transactions; its former content is removed.</param>
    /// <exception cref="IOException">The disk failed, or does not hold what it should.</exception>
    public void ReadStable(long offset, int maxBytes, LogRead read, List<AbortedTransaction> aborted)
    {
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(aborted);
        while (true)
        {
            aborted.Clear();
            long end, forgotten;
            lock (Lock)
            {
                end = LastStableOffset;
                forgotten = _producers?.Forgotten ?? 0;
            }
            Read(offset, end, maxBytes, read);
            lock (Lock)
            {
                if (_producers is null) return;
                if (_producers.Forgotten != forgotten) continue;
                _producers.CollectAborted(offset, read.NextOffset, aborted);
                return;
            }
        }
    }

    /// <summary>The first chunk that ends after an offset. The caller holds <see cref="Lock"/>.</summary>
    private Chunk? ChunkAt(long offset)
    {
        int low = 0, high = _chunks.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_chunks[middle].EndOffset <= offset) low = middle + 1;
            else high = middle;
        }
        return low < _chunks.Count ? _chunks[low] : null;
    }

    /// <summary>The chunks that end after an offset, each acquired: the caller releases them.</summary>
    internal void AcquireChunks(long fromOffset, List<Chunk> target)
    {
        lock (Lock)
        {
            foreach (var chunk in _chunks)
            {
                if (chunk.EndOffset <= fromOffset) continue;
                Invariant.Check(chunk.TryAcquire(), "a file outlives the chunks that lie in it");
                target.Add(chunk);
            }
        }
    }

    /// <summary>Calls a listener whenever the log has more to read, its start moves or it is deleted.</summary>
    public void AddListener(ILogListener listener) => _listeners.Add(listener);

    /// <summary>Ends <see cref="AddListener"/>. A call that is under way may still arrive.</summary>
    public void RemoveListener(ILogListener listener) => _listeners.Remove(listener);

    internal void NotifyListeners() => _listeners.Notify(Id);

    /// <summary>Whether somebody listens: lets the commit loop skip what nobody would hear.</summary>
    internal bool HasListeners => _listeners.Any;

    /// <summary>Indexes a batch that is in its file now, though nobody may see it yet. Called in offset order.</summary>
    /// <returns>Whether it is the log's first batch there.</returns>
    internal bool Place(BatchFile file, int epoch, long baseOffset, int lastOffsetDelta, int position, int size, bool isReference, long maxTimestamp)
    {
        lock (Lock)
        {
            if (_deleted) return false;
            Epochs.Assign(epoch, baseOffset);
            var chunk = _chunks.Count > 0 && _chunks[^1] is JournalChunk last && ReferenceEquals(last.File, file) ? last : null;
            var isFirst = chunk is null;
            if (chunk is null)
            {
                chunk = new JournalChunk(file, baseOffset, maxTimestamp);
                _chunks.Add(chunk);
            }
            PlacedEnd = baseOffset + lastOffsetDelta + 1;
            chunk.Add(baseOffset, PlacedEnd, position, size, isReference, maxTimestamp);
            return isFirst;
        }
    }

    /// <summary>Takes out the chunks that lie before the start, and returns the blocks of memory they were in.</summary>
    internal List<MemoryBlock> DropMemoryChunks()
    {
        var blocks = new List<MemoryBlock>();
        lock (Lock)
        {
            // The last chunk stays: it may still grow.
            while (_chunks.Count > 1 && _chunks[0].EndOffset <= _start)
            {
                blocks.Add((MemoryBlock)((JournalChunk)_chunks[0]).File);
                _chunks.RemoveAt(0);
            }
        }
        return blocks;
    }

    /// <summary>Lets readers see up to an offset.</summary>
    internal void Commit(long endOffset)
    {
        lock (Lock)
        {
            Invariant.Check(endOffset >= _highWatermark, "the high watermark only rises");
            Volatile.Write(ref _highWatermark, endOffset);
        }
    }

    /// <summary>Takes in that everything before an offset is gone.</summary>
    internal void CommitStart(long offset)
    {
        lock (Lock)
        {
            if (offset <= _start) return;
            Volatile.Write(ref _start, offset);
            _pendingStart = Math.Max(_pendingStart, offset);
            _producers?.ForgetBefore(offset);
            Epochs.ForgetBefore(offset);
        }
    }

    /// <summary>Takes in that the log is gone; returns the chunks it had.</summary>
    internal List<Chunk> CommitDelete(long inFile)
    {
        lock (Lock)
        {
            Volatile.Write(ref _deleted, true);
            DeletedInFile = inFile;
            var had = new List<Chunk>(_chunks);
            _chunks.Clear();
            _producers = null;
            return had;
        }
    }

    /// <summary>Puts back a log of which the manifest says that it is deleted, though the journal may still speak of it.</summary>
    internal void RestoreDeleted()
    {
        IsBeingDeleted = true;
        Volatile.Write(ref _deleted, true);
    }

    /// <summary>Puts back what the manifest says, before replay.</summary>
    internal void Restore(long start, long end, IEnumerable<Chunk> chunks)
    {
        _start = _pendingStart = start;
        _next = _highWatermark = PlacedEnd = end;
        _chunks.AddRange(chunks);
    }

    /// <summary>Takes in a batch that the journal holds, during recovery.</summary>
    [SuppressMessage("Design", "CA1062", Justification = "Internal.")]
    internal void Replay(JournalFile file, long baseOffset, int position, int size, bool isReference, ReadOnlySpan<byte> batch)
    {
        Invariant.Check(RecordBatchHeader.TryRead(batch, out var header), "only batches were appended");
        if (_deleted) return;
        if (baseOffset < _next)
            throw new CorruptStoreException($"The journal gives offset {baseOffset} of log {Id} a second time; the log already reaches {_next}.");
        var end = baseOffset + header.LastOffsetDelta + 1;
        if (header.ProducerId >= 0 && baseOffset >= ProducersIncludeUpTo)
        {
            Producers.Apply(header, baseOffset, ControlMarker.Read(header, batch));
            ProducersIncludeUpTo = end;
        }
        Place(file, file.Epoch, baseOffset, header.LastOffsetDelta, position, size, isReference, header.MaxTimestamp);
        _next = _highWatermark = end;
    }

    /// <summary>Puts chunks in the place of those that a checkpoint has dealt with: the oldest ones of the log.</summary>
    internal void Replace(List<Chunk> before, List<Chunk> after, Replacement? compacted)
    {
        lock (Lock)
        {
            if (_deleted) return;
            for (var i = 0; i < before.Count; i++)
                Invariant.Check(ReferenceEquals(_chunks[i], before[i]), "only checkpoints change the oldest chunks");
            _chunks.RemoveRange(0, before.Count);
            _chunks.InsertRange(0, after);
            if (compacted is null) return;
            CleanUpTo = compacted.CleanUpTo;
            _producers?.ForgetAborted(compacted.DroppedMarkers);
        }
    }

    /// <summary>Whether a segment lies wholly before the start.</summary>
    internal bool HasDeadSegment
    {
        get
        {
            lock (Lock) return _chunks.Count > 0 && _chunks[0] is not JournalChunk && _chunks[0].EndOffset <= _start;
        }
    }

    /// <summary>The first offset that retention keeps at a time, in milliseconds since 1970; null for retention by size alone.</summary>
    internal long RetainedFrom(long? now)
    {
        var retention = Retention;
        if ((retention.MaxBytes < 0 && (now is null || retention.MaxAgeMs < 0)) || StartOffset == HighWatermark) return 0;
        var chunks = new List<Chunk>();
        var start = StartOffset;
        var end = HighWatermark;
        AcquireChunks(start, chunks);
        try
        {
            var from = start;
            if (now is { } time && retention.MaxAgeMs >= 0) from = Math.Max(from, FirstNotBefore(chunks, time - retention.MaxAgeMs, end));
            if (retention.MaxBytes >= 0) from = Math.Max(from, FirstWithin(chunks, retention.MaxBytes, start));
            return Math.Min(from, end);
        }
        finally
        {
            foreach (var chunk in chunks) chunk.Release();
        }
    }

    /// <summary>
    /// The offset from which on there are no more than so many bytes of batches before another offset, to the grain of the
    /// index.
    /// </summary>
    public long OffsetBefore(long offset, long bytes)
    {
        var chunks = new List<Chunk>();
        var start = StartOffset;
        AcquireChunks(start, chunks);
        try
        {
            var total = bytes;
            foreach (var chunk in chunks) total += chunk.BytesFrom(offset);
            return Math.Min(offset, FirstWithin(chunks, total, start));
        }
        finally
        {
            foreach (var chunk in chunks) chunk.Release();
        }
    }

    private static long FirstNotBefore(List<Chunk> chunks, long time, long end)
    {
        foreach (var chunk in chunks)
            if (chunk.MaxTimestamp >= time) return chunk.SeekTime(time);
        return end;
    }

    private static long FirstWithin(List<Chunk> chunks, long bytes, long start)
    {
        for (var i = chunks.Count - 1; i >= 0; i--)
        {
            if (chunks[i].DataBytes > bytes) return chunks[i].OffsetKeeping(bytes);
            bytes -= chunks[i].DataBytes;
        }
        return start;
    }

    /// <summary>Goes on at an offset, leaving a gap: what a memory log does after a restart.</summary>
    internal void SkipTo(long offset)
    {
        _start = _pendingStart = _next = _highWatermark = Math.Max(_next, offset);
        ReservedOffsets = PendingReservation = _next;
    }
}
