using System.Runtime.InteropServices;

namespace Dragoman.Storage.Log;

/// <summary>One entry of a sparse index: a batch, and the largest timestamp of all batches of the region up to it, itself included.</summary>
/// <param name="OffsetDelta">Base offset less the region's.</param>
/// <param name="Position">Position of the batch less the region's.</param>
/// <param name="MaxTimestamp">In milliseconds since 1970.</param>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal readonly record struct SparseIndexEntry(int OffsetDelta, int Position, long MaxTimestamp);

/// <summary>Finds the neighbourhood of an offset, a position or a time in a region of a segment.</summary>
internal sealed class SparseIndex(SparseIndexEntry[] entries)
{
    /// <summary>Bytes of batches between two entries, at least.</summary>
    public const int Interval = 4096;

    public SparseIndexEntry[] Entries { get; } = entries;

    public long Bytes => Entries.Length * 16L;

    /// <summary>The last entry at or before an offset, or the first.</summary>
    public SparseIndexEntry AtOffset(long offsetDelta) => Last(e => e.OffsetDelta <= offsetDelta);

    /// <summary>The last entry at or before a position, or the first.</summary>
    public SparseIndexEntry AtPosition(long position) => Last(e => e.Position <= position);

    /// <summary>An entry before which no batch reaches a time.</summary>
    public SparseIndexEntry BeforeTime(long timestamp) => Last(e => e.MaxTimestamp < timestamp);

    private SparseIndexEntry Last(Func<SparseIndexEntry, bool> isBefore)
    {
        if (Entries.Length == 0) return default;
        int low = 0, high = Entries.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            if (isBefore(Entries[middle])) low = middle;
            else high = middle - 1;
        }
        return Entries[low];
    }
}

/// <summary>Keeps the sparse indexes last used, up to a number of bytes.</summary>
internal sealed class SparseIndexCache(long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(long File, long Position), LinkedListNode<Cached>> _byPlace = [];
    private readonly LinkedList<Cached> _recent = new();
    private long _bytes;

    private sealed record Cached((long File, long Position) Place, SparseIndex Index);

    public SparseIndex Get(Platform.StoreFile file, long position, int count)
    {
        var place = (file.Number, position);
        lock (_lock)
        {
            if (_byPlace.TryGetValue(place, out var known))
            {
                _recent.Remove(known);
                _recent.AddFirst(known);
                return known.Value.Index;
            }
        }
        var entries = new SparseIndexEntry[count];
        file.Read(position, MemoryMarshal.AsBytes(entries.AsSpan()));
        var index = new SparseIndex(entries);
        lock (_lock)
        {
            if (_byPlace.ContainsKey(place)) return index;
            _byPlace.Add(place, _recent.AddFirst(new Cached(place, index)));
            _bytes += index.Bytes;
            while (_bytes > maxBytes && _recent.Count > 1)
            {
                var oldest = _recent.Last!.Value;
                _recent.RemoveLast();
                _byPlace.Remove(oldest.Place);
                _bytes -= oldest.Index.Bytes;
            }
        }
        return index;
    }
}
