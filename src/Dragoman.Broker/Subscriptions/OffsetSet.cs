using System.Numerics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// A set of offsets that fills up from below: everything before a prefix, and exceptions beyond it. Whole pages of it are
/// kept as runs, others as bitmaps; so it takes a bit for each offset between the first and the last gap at worst.
/// </summary>
internal sealed class OffsetSet
{
    private const int Shift = 12;
    private const int PageSize = 1 << Shift;
    private const int Words = PageSize / 64;

    // Sorted by page, without overlap. Those before _head are void.
    private readonly List<Entry> _entries = [];
    private int _head;

    /// <summary>A page as a bitmap, or a run of pages of which every offset is in the set.</summary>
    private struct Entry
    {
        public long Page;
        public long Pages;
        public ulong[]? Bits;
        public int Set;

        public readonly long EndPage => Page + Pages;
    }

    public OffsetSet(long prefix) => Prefix = prefix;

    /// <summary>All offsets before this one are in the set, and this one is not.</summary>
    public long Prefix { get; private set; }

    /// <summary>How many offsets beyond the prefix are in the set.</summary>
    public long Beyond { get; private set; }

    /// <summary>The offset after the last in the set.</summary>
    public long End
    {
        get
        {
            if (_head == _entries.Count) return Prefix;
            var last = _entries[^1];
            if (last.Bits is null) return last.EndPage << Shift;
            for (var i = Words - 1; ; i--)
                if (last.Bits[i] != 0) return (last.Page << Shift) + i * 64 + 64 - BitOperations.LeadingZeroCount(last.Bits[i]);
        }
    }

    /// <summary>A set of the same offsets.</summary>
    public OffsetSet Clone()
    {
        var clone = new OffsetSet(Prefix) { Beyond = Beyond };
        for (var i = _head; i < _entries.Count; i++)
        {
            var entry = _entries[i];
            entry.Bits = (ulong[]?)entry.Bits?.Clone();
            clone._entries.Add(entry);
        }
        return clone;
    }

    /// <summary>Adds offsets; returns how many of them were not in the set.</summary>
    public long Add(long start, long end)
    {
        if (start < Prefix) start = Prefix;
        if (start >= end) return 0;
        if (start == Prefix && _head == _entries.Count)
        {
            Prefix = end;
            return end - start;
        }
        var added = 0L;
        for (var at = start; at < end;)
        {
            var page = at >> Shift;
            var pageEnd = (page + 1) << Shift;
            if ((at & (PageSize - 1)) == 0 && end - at >= PageSize)
            {
                var endPage = end >> Shift;
                added += AddPages(page, endPage);
                at = endPage << Shift;
                continue;
            }
            var stop = Math.Min(pageEnd, end);
            added += AddBits(page, (int)(at & (PageSize - 1)), (int)(stop - at));
            at = stop;
        }
        Beyond += added;
        if (start == Prefix) AdvancePrefix();
        return added;
    }

    public bool Contains(long offset)
    {
        if (offset < Prefix) return true;
        var index = Find(offset >> Shift);
        if (index < 0) return false;
        var entry = _entries[index];
        return entry.Bits is null || (entry.Bits[(offset & (PageSize - 1)) >> 6] & (1UL << (int)(offset & 63))) != 0;
    }

    /// <summary>The first offset at or after one that is not in the set.</summary>
    public long NextOutside(long offset)
    {
        if (offset < Prefix) offset = Prefix;
        if (_head == _entries.Count) return offset;
        while (true)
        {
            var index = Find(offset >> Shift);
            if (index < 0) return offset;
            var entry = _entries[index];
            if (entry.Bits is null)
            {
                offset = entry.EndPage << Shift;
                continue;
            }
            var bit = FirstClear(entry.Bits, (int)(offset & (PageSize - 1)));
            offset = (entry.Page << Shift) + bit;
            if (bit < PageSize) return offset;
        }
    }

    /// <summary>The first offset at or after one that is in the set, beyond the prefix; <see cref="long.MaxValue"/> if there is none.</summary>
    public long NextInside(long offset)
    {
        if (offset < Prefix) return offset;
        var page = offset >> Shift;
        for (var i = LowerBound(page); i < _entries.Count; i++)
        {
            var entry = _entries[i];
            var from = Math.Max(offset, entry.Page << Shift);
            if (entry.Bits is null) return from;
            var bit = FirstSet(entry.Bits, (int)(from - (entry.Page << Shift)));
            if (bit < PageSize) return (entry.Page << Shift) + bit;
        }
        return long.MaxValue;
    }

    /// <summary>How many offsets of a range are in the set.</summary>
    public long CountWithin(long start, long end)
    {
        var count = 0L;
        if (start < Prefix)
        {
            var stop = Math.Min(Prefix, end);
            count += stop - start;
            start = stop;
        }
        while (start < end)
        {
            start = NextInside(start);
            if (start >= end) break;
            var stop = Math.Min(NextOutside(start), end);
            count += stop - start;
            start = stop;
        }
        return count;
    }

    /// <summary>Takes everything at or after an offset out of the set, as going back in a log does.</summary>
    public void CutAt(long offset)
    {
        if (offset <= Prefix)
        {
            Prefix = offset;
            Beyond = 0;
            _entries.Clear();
            _head = 0;
            return;
        }
        var kept = Ranges();
        kept.RemoveAll(r => r.Start >= offset);
        var prefix = Prefix;
        _entries.Clear();
        _head = 0;
        Beyond = 0;
        Prefix = prefix;
        foreach (var range in kept) Add(range.Start, Math.Min(range.End, offset));
    }

    /// <summary>The offsets beyond the prefix, as ranges in order.</summary>
    public List<OffsetRange> Ranges()
    {
        var ranges = new List<OffsetRange>();
        for (var at = NextInside(Prefix); at != long.MaxValue;)
        {
            var end = NextOutside(at);
            ranges.Add(new OffsetRange(at, end));
            at = NextInside(end);
        }
        return ranges;
    }

    private long AddPages(long page, long endPage)
    {
        var index = LowerBound(page);
        var added = (endPage - page) << Shift;
        var first = index;
        while (index < _entries.Count && _entries[index].Page < endPage)
        {
            var entry = _entries[index];
            if (entry.Bits is null)
            {
                var overlap = Math.Min(entry.EndPage, endPage) - Math.Max(entry.Page, page);
                added -= overlap << Shift;
                page = Math.Min(page, entry.Page);
                endPage = Math.Max(endPage, entry.EndPage);
            }
            else
            {
                added -= entry.Set;
            }
            index++;
        }
        _entries.RemoveRange(first, index - first);
        InsertRun(first, page, endPage);
        return added;
    }

    /// <summary>Inserts a run, joined with runs that touch it.</summary>
    private void InsertRun(int index, long page, long endPage)
    {
        if (index < _entries.Count && _entries[index] is { Bits: null } next && next.Page == endPage)
        {
            endPage = next.EndPage;
            _entries.RemoveAt(index);
        }
        if (index > _head && _entries[index - 1] is { Bits: null } before && before.EndPage == page)
        {
            page = before.Page;
            _entries.RemoveAt(--index);
        }
        _entries.Insert(index, new Entry { Page = page, Pages = endPage - page });
    }

    private long AddBits(long page, int from, int count)
    {
        var index = LowerBound(page);
        if (index == _entries.Count || _entries[index].Page > page)
            _entries.Insert(index, new Entry { Page = page, Pages = 1, Bits = new ulong[Words] });
        var entry = _entries[index];
        if (entry.Bits is null) return 0;
        var added = 0;
        for (var at = from; at < from + count;)
        {
            var bit = at & 63;
            var take = Math.Min(64 - bit, from + count - at);
            var mask = (take == 64 ? ulong.MaxValue : (1UL << take) - 1) << bit;
            ref var word = ref entry.Bits[at >> 6];
            added += BitOperations.PopCount(mask & ~word);
            word |= mask;
            at += take;
        }
        entry.Set += added;
        if (entry.Set == PageSize)
        {
            _entries.RemoveAt(index);
            InsertRun(index, page, page + 1);
        }
        else
        {
            _entries[index] = entry;
        }
        return added;
    }

    private void AdvancePrefix()
    {
        var before = Prefix;
        while (_head < _entries.Count)
        {
            var entry = _entries[_head];
            if (entry.Page > Prefix >> Shift) break;
            if (entry.Bits is null)
            {
                Prefix = entry.EndPage << Shift;
                _head++;
                continue;
            }
            var bit = FirstClear(entry.Bits, (int)(Prefix & (PageSize - 1)));
            Prefix = (entry.Page << Shift) + bit;
            if (bit == PageSize)
            {
                _head++;
                continue;
            }
            // Nothing of the page may be left.
            if (FirstSet(entry.Bits, bit) == PageSize) _head++;
            break;
        }
        Beyond -= Prefix - before;
        if (_head == _entries.Count)
        {
            _entries.Clear();
            _head = 0;
        }
        else if (_head > 64 && _head * 2 > _entries.Count)
        {
            _entries.RemoveRange(0, _head);
            _head = 0;
        }
        Invariant.Check(Beyond >= 0, "the set counts what is in it");
    }

    /// <summary>The entry that holds a page, or -1.</summary>
    private int Find(long page)
    {
        var index = LowerBound(page);
        return index < _entries.Count && _entries[index].Page <= page ? index : -1;
    }

    /// <summary>The first entry that ends after a page.</summary>
    private int LowerBound(long page)
    {
        int low = _head, high = _entries.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_entries[middle].EndPage <= page) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private static int FirstClear(ulong[] bits, int from) => First(bits, from, ulong.MaxValue);

    private static int FirstSet(ulong[] bits, int from) => First(bits, from, 0);

    private static int First(ulong[] bits, int from, ulong invert)
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
