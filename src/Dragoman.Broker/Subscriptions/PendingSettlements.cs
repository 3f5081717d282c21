using System.Buffers;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// What has been settled, or delivered once more, since the last event. It becomes an event, in as few ranges as it
/// takes, when the commit before is done.
/// </summary>
internal sealed class PendingSettlements
{
    private readonly List<OffsetRange>[] _ranges = new List<OffsetRange>[SubscriptionState.Reasons];
    private readonly List<(long Offset, int Count)> _counts = [];
    private int _rangeCount;

    private readonly long[] _messages = new long[SubscriptionState.Reasons];

    /// <summary>Messages in it.</summary>
    public long Messages { get; private set; }

    /// <summary>Messages in it that were settled for a reason.</summary>
    public long MessagesFor(SettleReason reason) => _messages[(int)reason];

    public bool IsEmpty => _rangeCount == 0 && _counts.Count == 0;

    /// <summary>The most bytes that the event can take.</summary>
    public int MaxBytes => 64 + 20 * (_rangeCount + _counts.Count);

    public void Add(SettleReason reason, long start, long end)
    {
        var ranges = _ranges[(int)reason] ??= [];
        Messages += end - start;
        _messages[(int)reason] += end - start;
        if (ranges.Count > 0 && ranges[^1].End == start)
        {
            ranges[^1] = ranges[^1] with { End = end };
            return;
        }
        ranges.Add(new OffsetRange(start, end));
        _rangeCount++;
    }

    /// <summary>Adds the ranges of everything that is settled in it.</summary>
    public void CopyTo(List<OffsetRange> target)
    {
        foreach (var ranges in _ranges)
            if (ranges is not null) target.AddRange(ranges);
    }

    /// <summary>A message was delivered again.</summary>
    public void Count(long offset, int count) => _counts.Add((offset, count));

    /// <summary>Writes the event, and starts anew.</summary>
    public void Take(long reached, IBufferWriter<byte> target)
    {
        var writer = new CompactWriter(target);
        writer.Byte(1);
        writer.Byte((byte)SubscriptionState.Kind.Progress);
        writer.Number(reached);
        writer.Number(_counts.Count);
        foreach (var (offset, count) in _counts)
        {
            writer.Number(offset);
            writer.Number(count);
        }
        _counts.Clear();
        var groups = 0;
        foreach (var ranges in _ranges)
            if (ranges is { Count: > 0 }) groups++;
        writer.Number(groups);
        for (var reason = 0; reason < _ranges.Length; reason++)
        {
            if (_ranges[reason] is not { Count: > 0 } ranges) continue;
            Sort(ranges);
            writer.Byte((byte)reason);
            writer.Ranges(ranges);
            ranges.Clear();
            if (ranges.Capacity > 4096) ranges.TrimExcess();
        }
        _rangeCount = 0;
        Messages = 0;
        Array.Clear(_messages);
    }

    /// <summary>Puts ranges in order and joins those that touch.</summary>
    private static void Sort(List<OffsetRange> ranges)
    {
        if (ranges.Count < 2) return;
        ranges.Sort(static (a, b) => a.Start.CompareTo(b.Start));
        var last = 0;
        for (var i = 1; i < ranges.Count; i++)
        {
            if (ranges[i].Start == ranges[last].End) ranges[last] = ranges[last] with { End = ranges[i].End };
            else ranges[++last] = ranges[i];
        }
        ranges.RemoveRange(last + 1, ranges.Count - last - 1);
    }
}
