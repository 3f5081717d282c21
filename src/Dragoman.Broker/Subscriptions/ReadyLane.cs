using Dragoman.Storage.Log;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// The messages of one priority that can be delivered, in the order of their offsets: those that nobody has had yet as
/// ranges, and those that came back, became due or were unblocked one by one.
/// </summary>
internal sealed class ReadyLane(PartitionLog log, int priority)
{
    private const int RangesAtOnce = 512;

    private readonly OffsetBitmap _single = new();
    private readonly List<Range> _ranges = [];

    /// <summary>What comes behind the ranges, where there are too many: where messages of several priorities alternate.</summary>
    private readonly OffsetBitmap _behind = new();
    private readonly OffsetBitmap _plainBehind = new();
    private int _head;

    /// <summary>Messages without a gap.</summary>
    /// <param name="Start">The first.</param>
    /// <param name="End">The one after the last.</param>
    /// <param name="IsPlain">Whether none of them has a lifetime of its own.</param>
    private readonly record struct Range(long Start, long End, bool IsPlain);

    /// <summary>Which lane it is: the higher, the more urgent.</summary>
    public int Priority { get; } = priority;

    /// <summary>Reads the ranges.</summary>
    public LogCursor Cursor { get; } = new(log);

    /// <summary>The head whose lifetime was looked at last, and when it ends.</summary>
    public (long Offset, long ExpiresAt) Checked { get; set; } = (-1, 0);

    /// <summary>Adds messages behind all that are there.</summary>
    public void AddRange(long start, long end, bool isPlain)
    {
        if (_behind.Count == 0 && _head < _ranges.Count && _ranges[^1] is var last && last.End == start && last.IsPlain == isPlain)
        {
            _ranges[^1] = last with { End = end };
            return;
        }
        if (_behind.Count == 0 && _ranges.Count - _head < RangesAtOnce)
        {
            _ranges.Add(new Range(start, end, isPlain));
            return;
        }
        _behind.Add(start, end);
        if (isPlain) _plainBehind.Add(start, end);
    }

    /// <summary>Makes ranges of what comes behind them, when they are used up.</summary>
    private bool Refill()
    {
        while (_behind.Count > 0 && _ranges.Count < RangesAtOnce)
        {
            var start = _behind.First;
            var isPlain = _plainBehind.Contains(start);
            var end = Math.Min(_behind.NextOutside(start), isPlain ? _plainBehind.NextOutside(start) : _plainBehind.NextInside(start));
            _ranges.Add(new Range(start, end, isPlain));
            _behind.Remove(start, end);
            if (isPlain) _plainBehind.Remove(start, end);
        }
        return _ranges.Count > 0;
    }

    /// <summary>Adds a message in its place.</summary>
    public void AddSingle(long offset) => _single.Add(offset);

    /// <summary>Finds the first message that is not gone.</summary>
    /// <param name="gone">The messages that are.</param>
    /// <param name="offset">The first one.</param>
    /// <param name="isSingle">Whether it is one that was added by itself.</param>
    /// <param name="isPlain">Whether it is known to have no lifetime of its own.</param>
    public bool TryPeek(OffsetSet gone, out long offset, out bool isSingle, out bool isPlain)
    {
        var first = long.MaxValue;
        isPlain = false;
        while (_head < _ranges.Count || Refill())
        {
            var range = _ranges[_head];
            first = gone.NextOutside(range.Start);
            if (first < range.End)
            {
                if (first > range.Start) _ranges[_head] = range with { Start = first };
                isPlain = range.IsPlain;
                break;
            }
            first = long.MaxValue;
            RemoveRange();
        }
        for (offset = _single.First; offset != long.MaxValue && gone.Contains(offset); offset = _single.First) _single.Remove(offset);
        isSingle = offset < first;
        if (isSingle) isPlain = false;
        else offset = first;
        return offset != long.MaxValue;
    }

    /// <summary>Takes out the message that <see cref="TryPeek"/> found.</summary>
    public void Take(bool isSingle)
    {
        if (isSingle)
        {
            _single.Remove(_single.First);
            return;
        }
        var range = _ranges[_head];
        if (range.Start + 1 < range.End) _ranges[_head] = range with { Start = range.Start + 1 };
        else RemoveRange();
    }

    /// <summary>Takes out a message that came back, wherever it stands.</summary>
    public void RemoveSingle(long offset) => _single.Remove(offset);

    /// <summary>Takes out as many messages without a gap as there are, at most so many, if the first is in a range; returns the offset after them.</summary>
    public long TakeRun(OffsetSet gone, long offset, long count)
    {
        var range = _ranges[_head];
        var end = Math.Min(Math.Min(range.End, gone.NextInside(offset)), offset + count);
        if (_single.Count > 0) end = Math.Min(end, Math.Max(_single.First, offset + 1));
        if (end < range.End) _ranges[_head] = range with { Start = end };
        else RemoveRange();
        return end;
    }

    /// <summary>How many messages there are before an offset that are not gone.</summary>
    public long Count(OffsetSet gone, long end)
    {
        var count = 0L;
        for (var i = _head; i < _ranges.Count; i++)
        {
            var stop = Math.Min(_ranges[i].End, end);
            if (stop > _ranges[i].Start) count += stop - _ranges[i].Start - gone.CountWithin(_ranges[i].Start, stop);
        }
        return count + _single.CountBefore(end, gone) + _behind.CountBefore(end, gone);
    }

    private void RemoveRange()
    {
        _head++;
        if (_head == _ranges.Count)
        {
            _ranges.Clear();
            _head = 0;
        }
        else if (_head > 256 && _head * 2 > _ranges.Count)
        {
            _ranges.RemoveRange(0, _head);
            _head = 0;
        }
    }

    public void Clear()
    {
        _single.Clear();
        _behind.Clear();
        _plainBehind.Clear();
        _ranges.Clear();
        _head = 0;
        Checked = (-1, 0);
    }
}
