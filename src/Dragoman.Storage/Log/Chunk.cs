namespace Dragoman.Storage.Log;

/// <summary>
/// A run of a log's batches that lie in one place, in offset order: in a journal file, in a segment, or in memory.
/// A log is a list of chunks without overlap.
/// </summary>
internal abstract class Chunk
{
    /// <summary>Base offset of the first batch.</summary>
    public long BaseOffset { get; protected init; }

    /// <summary>The offset after the last batch.</summary>
    public long EndOffset { get; protected set; }

    /// <summary>Bytes of the batches.</summary>
    public long DataBytes { get; protected set; }

    /// <summary>The largest timestamp of a record, in milliseconds since 1970.</summary>
    public long MaxTimestamp { get; protected set; } = long.MinValue;

    /// <summary>Whether <see cref="Collect"/> only looks at memory that the log's lock guards.</summary>
    public virtual bool CollectsUnderLock => false;

    /// <summary>Keeps the bytes where they are until the matching release.</summary>
    public abstract bool TryAcquire();

    /// <summary>Ends one <see cref="TryAcquire"/>.</summary>
    public abstract void Release();

    /// <summary>Closes the file, when the store stops.</summary>
    public virtual void Close()
    {
    }

    /// <summary>
    /// Adds whole batches to a read: from the one that contains the offset (or the first after it) on, as long as they
    /// end at or before <paramref name="endOffset"/> and fit the budget; one too large for it only if the read is empty.
    /// </summary>
    /// <returns>False if batches were left for the want of budget, or because of <paramref name="endOffset"/>.</returns>
    public abstract bool Collect(long offset, long endOffset, int budget, LogRead read);

    /// <summary>Visits the batches from the one that contains an offset on, until the visitor has enough.</summary>
    public abstract void Visit(long fromOffset, BatchVisitor visitor);

    /// <summary>The base offset of a batch from which on to look for records at or after a time; approximate, never too late.</summary>
    public virtual long SeekTime(long timestamp) => BaseOffset;

    /// <summary>
    /// The base offset of a batch such that at least (and hardly more than) <paramref name="bytes"/> bytes lie from it to the end.
    /// </summary>
    public abstract long OffsetKeeping(long bytes);

    /// <summary>Bytes that lie at or after an offset, to the grain of the index.</summary>
    public abstract long BytesFrom(long offset);
}

/// <summary>Where a batch lies and the header that tells what it is.</summary>
/// <param name="baseOffset">Base offset in this log.</param>
/// <param name="source">Where the bytes are.</param>
/// <param name="position">The batch's first byte there.</param>
/// <param name="length">Bytes of the batch.</param>
/// <param name="header">The batch's first <see cref="Records.RecordBatchHeader.Size"/> bytes, valid during the call.</param>
/// <returns>Whether to go on.</returns>
internal delegate bool BatchVisitor(long baseOffset, IByteSource source, long position, int length, ReadOnlySpan<byte> header);
