using System.Numerics;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// A set of offsets that come and go anywhere, in order: a bit for each, in pages that are there as long as one of their
/// offsets is.
/// </summary>
internal sealed class OffsetBitmap
{
    private const int Shift = 12;
    private const int PageSize = 1 << Shift;
    private const int Words = PageSize / 64;

    // Sorted by number.
    private readonly List<Page> _pages = [];

    private sealed class Page(long number)
    {
        public readonly long Number = number;
        public readonly ulong[] Bits = new ulong[Words];
        public int Count;
    }

    /// <summary>How many offsets are in the set.</summary>
    public long Count { get; private set; }

    /// <summary>The first offset in the set; <see cref="long.MaxValue"/> if it is empty.</summary>
    public long First => NextInside(0);

    /// <summary>Adds an offset; whether it was not in the set.</summary>
    public bool Add(long offset)
    {
        var before = Count;
        Add(offset, offset + 1);
        return Count > before;
    }

    /// <summary>Adds offsets.</summary>
    public void Add(long start, long end)
    {
        while (start < end)
        {
            var number = start >> Shift;
            var stop = Math.Min((number + 1) << Shift, end);
            var index = Find(number);
            if (index == _pages.Count || _pages[index].Number != number) _pages.Insert(index, new Page(number));
            Change(_pages[index], (int)(start & (PageSize - 1)), (int)(stop - start), isSet: true);
            start = stop;
        }
    }

    /// <summary>Takes an offset out; whether it was in the set.</summary>
    public bool Remove(long offset)
    {
        var before = Count;
        Remove(offset, offset + 1);
        return Count < before;
    }

    /// <summary>Takes offsets out.</summary>
    public void Remove(long start, long end)
    {
        for (var index = Find(start >> Shift); index < _pages.Count && _pages[index].Number << Shift < end;)
        {
            var page = _pages[index];
            var from = Math.Max(start, page.Number << Shift);
            var stop = Math.Min(end, (page.Number + 1) << Shift);
            Change(page, (int)(from & (PageSize - 1)), (int)(stop - from), isSet: false);
            if (page.Count == 0) _pages.RemoveAt(index);
            else index++;
        }
    }

    private void Change(Page page, int from, int count, bool isSet)
    {
        for (var at = from; at < from + count;)
        {
            var bit = at & 63;
            var take = Math.Min(64 - bit, from + count - at);
            var mask = (take == 64 ? ulong.MaxValue : (1UL << take) - 1) << bit;
            ref var word = ref page.Bits[at >> 6];
            var changed = BitOperations.PopCount(isSet ? mask & ~word : mask & word);
            if (isSet) word |= mask;
            else word &= ~mask;
            if (!isSet) changed = -changed;
            page.Count += changed;
            Count += changed;
            at += take;
        }
    }

    /// <summary>Whether an offset is in the set.</summary>
    public bool Contains(long offset)
    {
        var index = Find(offset >> Shift);
        return index < _pages.Count && _pages[index].Number == offset >> Shift && (_pages[index].Bits[(offset & (PageSize - 1)) >> 6] & (1UL << (int)(offset & 63))) != 0;
    }

    /// <summary>The first offset at or after one that is in the set; <see cref="long.MaxValue"/> if there is none.</summary>
    public long NextInside(long offset)
    {
        for (var index = Find(offset >> Shift); index < _pages.Count; index++)
        {
            var page = _pages[index];
            var bit = Next(page.Bits, (int)Math.Max(0, offset - (page.Number << Shift)), invert: 0);
            if (bit < PageSize) return (page.Number << Shift) + bit;
        }
        return long.MaxValue;
    }

    /// <summary>The first offset at or after one that is not in the set.</summary>
    public long NextOutside(long offset)
    {
        for (var index = Find(offset >> Shift); index < _pages.Count && _pages[index].Number == offset >> Shift; index++)
        {
            var page = _pages[index];
            var bit = Next(page.Bits, (int)(offset - (page.Number << Shift)), invert: ulong.MaxValue);
            offset = (page.Number << Shift) + bit;
            if (bit < PageSize) return offset;
        }
        return offset;
    }

    /// <summary>How many offsets before one are in the set, and not in another.</summary>
    public long CountBefore(long end, OffsetSet without)
    {
        var count = 0L;
        for (var at = First; at < end;)
        {
            var stop = Math.Min(NextOutside(at), end);
            count += stop - at - without.CountWithin(at, stop);
            at = NextInside(stop);
        }
        return count;
    }

    /// <summary>The offsets, as ranges in order.</summary>
    public IEnumerable<OffsetRange> Ranges()
    {
        for (var at = First; at != long.MaxValue;)
        {
            var end = NextOutside(at);
            yield return new OffsetRange(at, end);
            at = NextInside(end);
        }
    }

    public void Clear()
    {
        _pages.Clear();
        Count = 0;
    }

    /// <summary>The first page at or after a number.</summary>
    private int Find(long number)
    {
        int low = 0, high = _pages.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_pages[middle].Number < number) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private static int Next(ulong[] bits, int from, ulong invert)
    {
        if (from >= PageSize) return PageSize;
        var word = (bits[from >> 6] ^ invert) & (ulong.MaxValue << (from & 63));
        for (var i = from >> 6; ;)
        {
            if (word != 0) return i * 64 + BitOperations.TrailingZeroCount(word);
            if (++i == Words) return PageSize;
            word = bits[i] ^ invert;
        }
    }
}
