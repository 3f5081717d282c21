using System.Runtime.InteropServices;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log;

/// <summary>Where one batch lies in a journal file.</summary>
/// <param name="OffsetDelta">Base offset less the chunk's.</param>
/// <param name="Position">Where the batch is in the file; see <see cref="BatchFile.Address"/>.</param>
/// <param name="SizeAndKind">Bytes of the batch; negated where the stored bytes are another log's batch.</param>
/// <param name="TimeDelta">Largest timestamp less the chunk's first, or <see cref="int.MaxValue"/> where that does not fit.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct JournalIndexEntry(int OffsetDelta, int Position, int SizeAndKind, int TimeDelta)
{
    public int Size => Math.Abs(SizeAndKind);

    public bool IsReference => SizeAndKind < 0;
}

/// <summary>
/// The batches of a log that lie scattered between those of other logs, with an index entry for each. The index is
/// small because the file is.
/// </summary>
internal abstract class IndexedChunk : Chunk
{
    /// <summary>Where the batches are.</summary>
    public abstract BatchFile File { get; }

    /// <summary>What the entries' times count from.</summary>
    public long BaseTimestamp { get; protected init; }

    /// <summary>The index as it is now. Entries do not change once they are there.</summary>
    public abstract ReadOnlySpan<JournalIndexEntry> Entries { get; }

    public override bool TryAcquire() => File.TryAcquire();

    public override void Release() => File.Release();

    public override bool Collect(long offset, long endOffset, int budget, LogRead read)
    {
        var entries = Entries;
        for (var i = IndexOf(entries, offset); i < entries.Length; i++)
        {
            ref readonly var entry = ref entries[i];
            var baseOffset = BaseOffset + entry.OffsetDelta;
            var end = i + 1 < entries.Length ? BaseOffset + entries[i + 1].OffsetDelta : EndOffset;
            if (end > endOffset) return false;
            if (entry.Size > budget - read.TotalBytes && read.TotalBytes > 0) return false;
            Invariant.Check(File.TryAcquire(), "a file outlives the chunks that lie in it");
            if (read.FirstOffset < 0) read.FirstOffset = baseOffset;
            read.Add(File, BatchFile.Address(entry.Position), entry.Size, entry.IsReference ? baseOffset : -1);
            read.NextOffset = end;
        }
        return true;
    }

    public override void Visit(long fromOffset, BatchVisitor visitor)
    {
        var entries = Entries;
        Span<byte> header = stackalloc byte[RecordBatchHeader.Size];
        for (var i = IndexOf(entries, fromOffset); i < entries.Length; i++)
        {
            var entry = entries[i];
            var address = BatchFile.Address(entry.Position);
            File.Read(address, header);
            if (!visitor(BaseOffset + entry.OffsetDelta, File, address, entry.Size, header)) return;
        }
    }

    public override long SeekTime(long timestamp)
    {
        var entries = Entries;
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].TimeDelta == int.MaxValue || BaseTimestamp + entries[i].TimeDelta >= timestamp)
                return BaseOffset + entries[i].OffsetDelta;
        }
        return EndOffset;
    }

    public override long OffsetKeeping(long bytes)
    {
        var entries = Entries;
        for (var i = entries.Length - 1; i >= 0; i--)
        {
            bytes -= entries[i].Size;
            if (bytes <= 0) return BaseOffset + entries[i].OffsetDelta;
        }
        return BaseOffset;
    }

    public override long BytesFrom(long offset)
    {
        if (offset <= BaseOffset) return DataBytes;
        if (offset >= EndOffset) return 0;
        var entries = Entries;
        var bytes = 0L;
        for (var i = IndexOf(entries, offset); i < entries.Length; i++) bytes += entries[i].Size;
        return bytes;
    }

    /// <summary>The last entry that begins at or before the offset, or the first.</summary>
    private int IndexOf(ReadOnlySpan<JournalIndexEntry> entries, long offset)
    {
        var delta = offset - BaseOffset;
        int low = 0, high = entries.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            if (entries[middle].OffsetDelta <= delta) low = middle;
            else high = middle - 1;
        }
        return low;
    }
}
