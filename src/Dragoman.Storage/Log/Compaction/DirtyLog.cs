using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log.Compaction;

/// <summary>
/// How dirty a compacted log is: which of its chunks can be compacted, and from where to where its records never were.
/// It holds the chunks until it is disposed.
/// </summary>
internal sealed class DirtyLog : IDisposable
{
    private DirtyLog(PartitionLog log, LogCompaction settings)
    {
        Log = log;
        Settings = settings;
    }

    public PartitionLog Log { get; }

    public LogCompaction Settings { get; }

    /// <summary>The chunks that lie in segments, oldest first. Each is held.</summary>
    public List<Chunk> Stored { get; } = [];

    /// <summary>The first offset that counts.</summary>
    public long Start { get; private init; }

    /// <summary>From here on nothing was ever compacted.</summary>
    public long DirtyFrom { get; private init; }

    /// <summary>From here on nothing can be compacted yet.</summary>
    public long DirtyTo { get; private set; }

    /// <summary>Bytes before <see cref="DirtyFrom"/>.</summary>
    public long CleanBytes { get; private set; }

    /// <summary>Bytes between <see cref="DirtyFrom"/> and <see cref="DirtyTo"/>.</summary>
    public long DirtyBytes { get; private set; }

    /// <summary>Bytes in the journal.</summary>
    public long JournalBytes { get; private set; }

    /// <summary>About when the oldest of those was written, in milliseconds since 1970.</summary>
    public long JournalSince { get; private set; } = long.MaxValue;

    /// <summary>Bytes that one pass reads and writes.</summary>
    public long StoredBytes => CleanBytes + DirtyBytes;

    public double DirtyRatio => DirtyBytes == 0 ? 0 : (double)DirtyBytes / (CleanBytes + DirtyBytes);

    /// <summary>Whether it should be compacted now.</summary>
    public bool IsDue { get; private set; }

    /// <summary>Whether what it has in the journal should be moved out of it, so that it can be compacted.</summary>
    public bool WantsSeal { get; private set; }

    /// <summary>Looks at a log; null if it is not compacted, or can not be.</summary>
    /// <param name="log">The log.</param>
    /// <param name="now">The time, in milliseconds since 1970.</param>
    /// <param name="force">Whether it is due however little is dirty.</param>
    /// <param name="ignoreOpenTransactions">A planted mistake.</param>
    public static DirtyLog? Measure(PartitionLog log, long now, bool force, bool ignoreOpenTransactions)
    {
        if (log.Compaction is not { } settings || log.Kind != LogKind.Durable) return null;
        DirtyLog dirty;
        long stable;
        lock (log.Lock)
        {
            if (log.IsBeingDeleted || log.CompactionFailure is not null) return null;
            stable = ignoreOpenTransactions ? log.HighWatermark : log.LastStableOffset;
            dirty = new DirtyLog(log, settings) { Start = log.StartOffset, DirtyFrom = Math.Max(log.CleanUpTo, log.StartOffset) };
            foreach (var chunk in log.Chunks)
            {
                if (chunk is JournalChunk inJournal)
                {
                    dirty.JournalBytes += inJournal.DataBytes;
                    dirty.JournalSince = Math.Min(dirty.JournalSince, inJournal.BaseTimestamp);
                    continue;
                }
                Invariant.Check(chunk.TryAcquire(), "a file outlives the chunks that lie in it");
                dirty.Stored.Add(chunk);
            }
        }
        try
        {
            dirty.Bound(stable, now);
            dirty.Judge(now, force);
            return dirty;
        }
        catch
        {
            dirty.Dispose();
            throw;
        }
    }

    private void Bound(long stable, long now)
    {
        DirtyTo = DirtyFrom;
        if (Stored.Count == 0 || Stored[^1].EndOffset <= DirtyFrom) return;
        // The last batch stays as it is: behind nothing but a gap, no reader would get any further.
        var end = LastBatch(Stored[^1]);
        end = Math.Min(end, stable);
        if (Settings.MinLagMs > 0) end = Math.Min(end, FirstYoungerThan(now - Settings.MinLagMs));
        DirtyTo = Math.Max(end, DirtyFrom);
        foreach (var chunk in Stored)
        {
            var all = chunk.BytesFrom(Start);
            var fromDirty = chunk.BytesFrom(DirtyFrom);
            CleanBytes += all - fromDirty;
            DirtyBytes += fromDirty - chunk.BytesFrom(DirtyTo);
        }
        // Sizes are known to the grain of an index only.
        if (DirtyTo > DirtyFrom) DirtyBytes = Math.Max(DirtyBytes, 1);
        else DirtyBytes = 0;
    }

    private static long LastBatch(Chunk chunk)
    {
        var last = chunk.BaseOffset;
        chunk.Visit(chunk.EndOffset - 1, (baseOffset, _, _, _, _) =>
        {
            last = baseOffset;
            return true;
        });
        return last;
    }

    private long FirstYoungerThan(long time)
    {
        foreach (var chunk in Stored)
        {
            if (chunk.EndOffset <= DirtyFrom || chunk.MaxTimestamp <= time) continue;
            var found = -1L;
            chunk.Visit(DirtyFrom, (baseOffset, _, _, _, bytes) =>
            {
                RecordBatchHeader.TryRead(bytes, out var header);
                if (header.MaxTimestamp <= time) return true;
                found = baseOffset;
                return false;
            });
            if (found >= 0) return found;
        }
        return long.MaxValue;
    }

    private void Judge(long now, bool force)
    {
        if (DirtyBytes > 0)
            IsDue = force || DirtyRatio > Settings.MinDirtyRatio || (Settings.MaxLagMs < long.MaxValue && now - OldestDirty() > Settings.MaxLagMs);
        if (JournalBytes == 0) return;
        var age = now - JournalSince;
        var overdue = Settings.MaxLagMs < long.MaxValue && age > Settings.MaxLagMs;
        var ratio = (double)(DirtyBytes + JournalBytes) / (CleanBytes + DirtyBytes + JournalBytes);
        WantsSeal = force || overdue || ((age > Settings.SealAfterMs || JournalBytes >= Settings.SealAfterBytes) && ratio > Settings.MinDirtyRatio);
    }

    private long OldestDirty()
    {
        var oldest = long.MaxValue;
        foreach (var chunk in Stored)
        {
            if (chunk.EndOffset <= DirtyFrom) continue;
            chunk.Visit(DirtyFrom, (_, _, _, _, bytes) =>
            {
                RecordBatchHeader.TryRead(bytes, out var header);
                oldest = header.MaxTimestamp;
                return false;
            });
            break;
        }
        return oldest;
    }

    public void Dispose()
    {
        foreach (var chunk in Stored) chunk.Release();
        Stored.Clear();
    }
}
