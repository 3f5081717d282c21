using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Log;

/// <summary>
/// A log's batches in a journal file that is being written or not yet checkpointed, or in a block of memory. Its
/// index is in memory.
/// </summary>
/// <remarks>
/// Entries are added, and collected, under the log's lock. Other readers take the count and then the array as they
/// are: entries do not change once added.
/// </remarks>
internal sealed class JournalChunk : IndexedChunk
{
    private volatile JournalIndexEntry[] _entries = new JournalIndexEntry[1];
    private volatile int _count;

    public JournalChunk(BatchFile file, long baseOffset, long firstTimestamp)
    {
        File = file;
        BaseOffset = baseOffset;
        EndOffset = baseOffset;
        BaseTimestamp = firstTimestamp;
    }

    public override BatchFile File { get; }

    public override bool CollectsUnderLock => true;

    /// <summary>Whether a batch lies in several pieces, which only the index in memory can tell.</summary>
    public bool HasScattered { get; private set; }

    public override ReadOnlySpan<JournalIndexEntry> Entries
    {
        get
        {
            var count = _count;
            return _entries.AsSpan(0, count);
        }
    }

    public void Add(long baseOffset, long endOffset, int position, int size, bool isReference, long maxTimestamp)
    {
        Invariant.Check(baseOffset >= EndOffset, "batches join a chunk in offset order");
        var entries = _entries;
        if (_count == entries.Length)
        {
            Array.Resize(ref entries, entries.Length < 1024 ? entries.Length * 4 : entries.Length * 2);
            _entries = entries;
        }
        var timeDelta = maxTimestamp - BaseTimestamp;
        entries[_count] = new JournalIndexEntry(
            checked((int)(baseOffset - BaseOffset)),
            position,
            isReference ? -size : size,
            timeDelta is > int.MinValue and < int.MaxValue ? (int)timeDelta : int.MaxValue);
        HasScattered |= position < 0;
        EndOffset = endOffset;
        DataBytes += size;
        MaxTimestamp = Math.Max(MaxTimestamp, maxTimestamp);
        _count++;
    }
}
