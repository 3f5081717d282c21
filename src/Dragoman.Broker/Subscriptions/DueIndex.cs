namespace Dragoman.Broker.Subscriptions;

/// <summary>Messages, all of one lane, to which something happens at one time.</summary>
internal readonly record struct DueRange(long Start, long End, byte Lane);

/// <summary>Messages by the time at which something happens to them. What has become void meanwhile is left in until its time comes.</summary>
internal sealed class DueIndex
{
    private readonly PriorityQueue<DueRange, (long Due, long Start)> _near = new();

    /// <summary>The first time at which something is due; <see cref="long.MaxValue"/> if nothing is.</summary>
    public long Next => _near.TryPeek(out _, out var first) ? first.Due : long.MaxValue;

    public bool IsEmpty => _near.Count == 0;

    /// <summary>Adds messages that are due at one time.</summary>
    public void Add(long due, long start, long end, int lane = 0) => _near.Enqueue(new DueRange(start, end, (byte)lane), (due, start));

    /// <summary>Takes out the first messages that are due at a time.</summary>
    public bool TryTake(long now, out long due, out DueRange range)
    {
        if (_near.TryPeek(out range, out var first) && first.Due <= now)
        {
            due = first.Due;
            _near.Dequeue();
            return true;
        }
        due = 0;
        return false;
    }

    /// <summary>All messages in it, in no order.</summary>
    public IEnumerable<(long Due, DueRange Range)> All()
    {
        foreach (var (range, priority) in _near.UnorderedItems) yield return (priority.Due, range);
    }

    public void Clear() => _near.Clear();
}
