using System.Runtime.InteropServices;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Log;

/// <summary>
/// A journal file that one log owns nearly all of, kept as that log's segment as it stands: its bytes are written
/// once. The index lies in a file beside it and is read when needed.
/// </summary>
internal sealed class AdoptedChunk : IndexedChunk
{
    private readonly StoreFile _index;
    private readonly SparseIndexCache _cache;

    public AdoptedChunk(JournalFile file, StoreFile index, SparseIndexCache cache, AdoptedRegion region)
    {
        JournalFile = file;
        _index = index;
        _cache = cache;
        Region = region;
        BaseOffset = region.BaseOffset;
        EndOffset = region.EndOffset;
        DataBytes = region.DataBytes;
        MaxTimestamp = region.MaxTimestamp;
        BaseTimestamp = region.BaseTimestamp;
    }

    public JournalFile JournalFile { get; }

    public StoreFile IndexFile => _index;

    public AdoptedRegion Region { get; }

    public override BatchFile File => JournalFile;

    public override ReadOnlySpan<JournalIndexEntry> Entries =>
        MemoryMarshal.Cast<SparseIndexEntry, JournalIndexEntry>(_cache.Get(_index, 0, Region.Count).Entries.AsSpan());

    // Whoever holds the chunk reads the index before the batches.
    public override bool TryAcquire()
    {
        if (!_index.TryAcquire()) return false;
        if (base.TryAcquire()) return true;
        _index.Release();
        return false;
    }

    public override void Release()
    {
        base.Release();
        _index.Release();
    }

    public override void Close()
    {
        JournalFile.File.Close();
        _index.Close();
    }
}

/// <summary>What the manifest says of an adopted journal file.</summary>
/// <param name="LogId">Whose batches.</param>
/// <param name="BaseOffset">Base offset of the first.</param>
/// <param name="EndOffset">The offset after the last.</param>
/// <param name="DataBytes">Bytes of the batches.</param>
/// <param name="MaxTimestamp">Largest timestamp, in milliseconds since 1970.</param>
/// <param name="BaseTimestamp">What the times in the index count from.</param>
/// <param name="Count">Entries of the index.</param>
internal sealed record AdoptedRegion(
    long LogId, long BaseOffset, long EndOffset, long DataBytes, long MaxTimestamp, long BaseTimestamp, int Count);
