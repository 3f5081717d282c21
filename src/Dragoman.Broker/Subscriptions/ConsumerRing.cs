namespace Dragoman.Broker.Subscriptions;

/// <summary>The consumers that have credit, in the order of their turns; those of higher priority before all others.</summary>
internal sealed class ConsumerRing
{
    private readonly List<(int Priority, Consumer First)> _rings = [];

    public bool IsEmpty => _rings.Count == 0;

    /// <summary>Whose turn it is.</summary>
    public Consumer? Current => _rings.Count == 0 ? null : _rings[0].First;

    /// <summary>Adds a consumer, behind all others of its priority.</summary>
    public void Add(Consumer consumer)
    {
        if (consumer.IsInRing) return;
        consumer.IsInRing = true;
        var priority = consumer.Options.Priority;
        var index = 0;
        while (index < _rings.Count && _rings[index].Priority > priority) index++;
        if (index == _rings.Count || _rings[index].Priority != priority)
        {
            consumer.RingNext = consumer.RingPrevious = consumer;
            _rings.Insert(index, (priority, consumer));
            return;
        }
        var first = _rings[index].First;
        consumer.RingNext = first;
        consumer.RingPrevious = first.RingPrevious;
        first.RingPrevious!.RingNext = consumer;
        first.RingPrevious = consumer;
    }

    /// <summary>Takes a consumer out.</summary>
    public void Remove(Consumer consumer)
    {
        if (!consumer.IsInRing) return;
        consumer.IsInRing = false;
        var index = _rings.FindIndex(r => r.Priority == consumer.Options.Priority);
        if (consumer.RingNext == consumer)
        {
            _rings.RemoveAt(index);
        }
        else
        {
            consumer.RingPrevious!.RingNext = consumer.RingNext;
            consumer.RingNext!.RingPrevious = consumer.RingPrevious;
            if (_rings[index].First == consumer) _rings[index] = (consumer.Options.Priority, consumer.RingNext);
        }
        consumer.RingNext = consumer.RingPrevious = null;
    }

    /// <summary>Goes on to the next one after the current one has had its turn.</summary>
    public void Turn()
    {
        var (priority, first) = _rings[0];
        if (first.RingNext != first) _rings[0] = (priority, first.RingNext!);
    }
}
