namespace Dragoman.Amqp.Sessions;

/// <summary>
/// The deliveries of one channel that the client has not acknowledged, by their tags. Tags rise by one; the table is a
/// ring over those from the oldest open one on. Guarded by the channel's lock.
/// </summary>
internal sealed class UnackedTable
{
    private Entry[] _entries = new Entry[16];
    private ulong _first = 1;
    private ulong _next = 1;

    /// <summary>A delivery.</summary>
    /// <param name="Tag">Its tag.</param>
    /// <param name="Holder">Who holds the message; null if nobody does any more.</param>
    /// <param name="Offset">Its offset.</param>
    /// <param name="At">When it was delivered, by the clock's timestamps.</param>
    public readonly record struct Entry(ulong Tag, MessageHolder? Holder, long Offset, long At);

    /// <summary>How many deliveries are open.</summary>
    public int Count { get; private set; }

    /// <summary>Finds a delivery that its client has held for longer than it may.</summary>
    /// <param name="now">The time, by the clock's timestamps.</param>
    /// <param name="shortest">The shortest time that any of them may be held.</param>
    /// <param name="overdue">The delivery.</param>
    public bool TryGetOverdue(long now, long shortest, out Entry overdue)
    {
        for (var tag = _first; tag < _next; tag++)
        {
            ref var place = ref At(tag);
            if (place.Holder is null) continue;
            // Those that follow were delivered later.
            if (now - place.At <= shortest) break;
            if (now - place.At <= place.Holder.AcknowledgeWithin) continue;
            overdue = place;
            return true;
        }
        overdue = default;
        return false;
    }

    /// <summary>Numbers a delivery that is not to be acknowledged.</summary>
    public ulong Skip()
    {
        if (_first < _next) return Append(default);
        _first++;
        return _next++;
    }

    /// <summary>Numbers a delivery that is.</summary>
    public ulong Add(MessageHolder holder, long offset, long at)
    {
        Count++;
        return Append(new Entry(_next, holder, offset, at));
    }

    /// <summary>Puts a delivery back that was taken out.</summary>
    public void PutBack(in Entry entry)
    {
        if (entry.Tag < _first)
        {
            while (_next - entry.Tag > (ulong)_entries.Length) Grow();
            _first = entry.Tag;
        }
        At(entry.Tag) = entry;
        Count++;
    }

    /// <summary>Takes a delivery out.</summary>
    /// <returns>False if there is none of that tag.</returns>
    public bool TryTake(ulong tag, out Entry entry)
    {
        entry = default;
        if (tag < _first || tag >= _next) return false;
        ref var place = ref At(tag);
        if (place.Holder is null) return false;
        entry = place;
        place = default;
        Count--;
        SkipTaken();
        return true;
    }

    /// <summary>Takes out all deliveries up to and including one.</summary>
    /// <param name="tag">The last; 0 for all.</param>
    /// <param name="taken">Takes them, the oldest first.</param>
    /// <returns>False if that tag was never given out, or nothing up to it is open.</returns>
    public bool TryTakeUpTo(ulong tag, List<Entry> taken)
    {
        if (tag >= _next) return false;
        if (tag == 0) tag = _next - 1;
        var before = taken.Count;
        for (; _first <= tag && _first < _next; _first++)
        {
            ref var place = ref At(_first);
            if (place.Holder is null) continue;
            taken.Add(place);
            place = default;
        }
        Count -= taken.Count - before;
        SkipTaken();
        return taken.Count > before;
    }

    /// <summary>Takes out all deliveries of one holder, whose end it was.</summary>
    /// <returns>How many there were.</returns>
    public int Forget(MessageHolder holder)
    {
        var before = Count;
        for (var tag = _first; tag < _next; tag++)
        {
            ref var place = ref At(tag);
            if (place.Holder != holder) continue;
            place = default;
            Count--;
        }
        SkipTaken();
        return before - Count;
    }

    private ref Entry At(ulong tag) => ref _entries[tag & (ulong)(_entries.Length - 1)];

    private ulong Append(in Entry entry)
    {
        if ((int)(_next - _first) == _entries.Length) Grow();
        At(_next) = entry;
        return _next++;
    }

    private void SkipTaken()
    {
        while (_first < _next && At(_first).Holder is null) _first++;
    }

    private void Grow()
    {
        var larger = new Entry[_entries.Length * 2];
        for (var tag = _first; tag < _next; tag++) larger[tag & (ulong)(larger.Length - 1)] = At(tag);
        _entries = larger;
    }
}
