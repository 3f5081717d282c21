using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log;

/// <summary>A record found by its time.</summary>
/// <param name="Offset">Its offset.</param>
/// <param name="Timestamp">Its timestamp, in milliseconds since 1970.</param>
public readonly record struct TimedOffset(long Offset, long Timestamp);

/// <summary>Finds records by time: batch headers first, and only in the one batch that counts, the records.</summary>
public static class TimeLookup
{
    /// <summary>The first record at or after a time that lies between the log's start and an end offset; null if there is none.</summary>
    /// <exception cref="IOException">The disk failed, or does not hold what it should.</exception>
    public static TimedOffset? FirstAtOrAfter(PartitionLog log, long timestamp, long endOffset) => Find(log, timestamp, endOffset);

    /// <summary>The first record that bears the largest timestamp; null in an empty log.</summary>
    /// <exception cref="IOException">The disk failed, or does not hold what it should.</exception>
    public static TimedOffset? Latest(PartitionLog log, long endOffset)
    {
        var largest = long.MinValue;
        ForEachBatch(log, endOffset, static _ => true, null, (in RecordBatchHeader header, long _, IByteSource _, long _, int _) =>
        {
            // Markers are no records, and compaction may have left nothing of a batch.
            if (!header.IsControl && header.RecordCount > 0) largest = Math.Max(largest, header.MaxTimestamp);
            return true;
        });
        return largest == long.MinValue ? null : Find(log, largest, endOffset);
    }

    private static TimedOffset? Find(PartitionLog log, long timestamp, long endOffset)
    {
        ArgumentNullException.ThrowIfNull(log);
        TimedOffset? found = null;
        var start = log.StartOffset;
        using var reader = new RecordBatchReader();
        ForEachBatch(log, endOffset, chunk => chunk.MaxTimestamp >= timestamp, timestamp, (in RecordBatchHeader header, long baseOffset, IByteSource source, long position, int length) =>
        {
            if (header.MaxTimestamp < timestamp || header.IsControl) return true;
            found = FindInBatch(reader, source, position, length, baseOffset, timestamp, start);
            return found is null;
        });
        return found;
    }

    private delegate bool HeaderVisitor(in RecordBatchHeader header, long baseOffset, IByteSource source, long position, int length);

    private static void ForEachBatch(PartitionLog log, long endOffset, Func<Chunk, bool> mayHold, long? seek, HeaderVisitor visit)
    {
        var start = log.StartOffset;
        var chunks = new List<Chunk>();
        log.AcquireChunks(start, chunks);
        try
        {
            foreach (var chunk in chunks)
            {
                if (!mayHold(chunk) || chunk.BaseOffset >= endOffset) continue;
                var from = seek is { } time ? Math.Max(start, chunk.SeekTime(time)) : start;
                var goOn = true;
                chunk.Visit(from, (baseOffset, source, position, length, bytes) =>
                {
                    RecordBatchHeader.TryRead(bytes, out var header);
                    if (baseOffset + header.LastOffsetDelta >= endOffset) return false;
                    if (baseOffset + header.LastOffsetDelta < start) return true;
                    return goOn = visit(header, baseOffset, source, position, length);
                });
                if (!goOn) return;
            }
        }
        finally
        {
            foreach (var chunk in chunks) chunk.Release();
        }
    }

    private static TimedOffset? FindInBatch(RecordBatchReader reader, IByteSource source, long position, int length, long baseOffset, long timestamp, long start)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            source.Read(position, buffer.AsSpan(0, length));
            RecordBatch.SetBaseOffset(buffer, baseOffset);
            var error = reader.Open(buffer.AsMemory(0, length));
            if (error != BatchError.None) throw new CorruptDataException($"The batch at offset {baseOffset} cannot be read: {error}.");
            var records = reader.Records;
            while (records.MoveNext())
                if (records.Current.Timestamp >= timestamp && records.Current.Offset >= start)
                    return new TimedOffset(records.Current.Offset, records.Current.Timestamp);
            return null;
        }
        finally
        {
            reader.Close();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
