using System.Buffers;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// What has happened to messages since the last event. It becomes an event, in as few ranges as it takes, when the commit
/// before is done.
/// </summary>
internal sealed class PendingProgress
{
    private readonly List<OffsetRange>?[] _ranges = new List<OffsetRange>?[SubscriptionState.Reasons];
    private readonly long[] _messages = new long[SubscriptionState.Reasons];
    private ArrayBufferWriter<byte>? _steps;
    private int _rangeCount;

    /// <summary>Messages settled in it for a reason.</summary>
    public long MessagesFor(SettleReason reason) => _messages[(int)reason];

    public bool IsEmpty => _rangeCount == 0 && _steps is not { WrittenCount: > 0 };

    /// <summary>The most bytes that the event can take.</summary>
    public int MaxBytes => 64 + 20 * _rangeCount + (_steps?.WrittenCount ?? 0);

    /// <summary>Messages are settled.</summary>
    public void Settle(SettleReason reason, long start, long end)
    {
        var ranges = _ranges[(int)reason] ??= [];
        _messages[(int)reason] += end - start;
        if (ranges.Count > 0 && ranges[^1].End == start)
        {
            ranges[^1] = ranges[^1] with { End = end };
            return;
        }
        ranges.Add(new OffsetRange(start, end));
        _rangeCount++;
    }

    /// <summary>A message was delivered so often.</summary>
    public void Count(long offset, int count)
    {
        var writer = Begin(SubscriptionState.Step.Count);
        writer.Number(offset);
        writer.Number(count);
    }

    /// <summary>Messages are under a timed lease.</summary>
    public void Lease(long number, long deadline, IReadOnlyList<OffsetRange> ranges)
    {
        var writer = Begin(SubscriptionState.Step.Lease);
        writer.Number(number);
        writer.Number(deadline);
        writer.Ranges(ranges);
    }

    /// <summary>A message came back and waits.</summary>
    public void Delay(long due, long offset)
    {
        var writer = Begin(SubscriptionState.Step.Delay);
        writer.Number(due);
        writer.Ranges([OffsetRange.Of(offset)]);
    }

    /// <summary>A message that was leased, or waited, no longer is or does.</summary>
    public void Return(long offset)
    {
        var writer = Begin(SubscriptionState.Step.Return);
        writer.Ranges([OffsetRange.Of(offset)]);
    }

    /// <summary>The deduplication ids of messages before an offset are forgotten.</summary>
    public void ForgetIds(long end)
    {
        var writer = Begin(SubscriptionState.Step.ForgetIds);
        writer.Number(end);
    }

    private CompactWriter Begin(SubscriptionState.Step step)
    {
        var writer = new CompactWriter(_steps ??= new ArrayBufferWriter<byte>(64));
        writer.Byte((byte)step);
        return writer;
    }

    /// <summary>Writes the event, and starts anew.</summary>
    public void Take(long reached, IBufferWriter<byte> target)
    {
        var writer = new CompactWriter(target);
        writer.Byte(1);
        writer.Byte((byte)SubscriptionState.Kind.Progress);
        writer.Number(reached);
        if (_steps is not null)
        {
            target.Write(_steps.WrittenSpan);
            if (_steps.Capacity > 1 << 16) _steps = null;
            else _steps.ResetWrittenCount();
        }
        writer.Byte((byte)SubscriptionState.Step.End);
        var groups = 0;
        foreach (var ranges in _ranges)
            if (ranges is { Count: > 0 }) groups++;
        writer.Number(groups);
        for (var reason = 0; reason < _ranges.Length; reason++)
        {
            if (_ranges[reason] is not { Count: > 0 } ranges) continue;
            OffsetRanges.Normalize(ranges);
            writer.Byte((byte)reason);
            writer.Ranges(ranges);
            if (ranges.Capacity > 4096) _ranges[reason] = null;
            else ranges.Clear();
        }
        _rangeCount = 0;
        Array.Clear(_messages);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_ranges);
        Array.Clear(_messages);
        _steps = null;
        _rangeCount = 0;
    }
}

/// <summary>Helps with lists of ranges.</summary>
internal static class OffsetRanges
{
    /// <summary>Adds an offset: to the last range if it is next.</summary>
    public static void Add(List<OffsetRange> ranges, long offset)
    {
        if (ranges.Count > 0 && ranges[^1].End == offset) ranges[^1] = ranges[^1] with { End = offset + 1 };
        else ranges.Add(OffsetRange.Of(offset));
    }

    /// <summary>Puts ranges in order and joins those that touch.</summary>
    public static void Normalize(List<OffsetRange> ranges)
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
