using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Subscriptions;

/// <summary>
/// Messages by the time at which something happens to them. So many entries are kept in memory; when there are more, all of
/// them are sorted and become a run on disk (<see cref="DueRun"/>). What is on disk is made anew from the log after a
/// start. What has become void meanwhile is left in until its time comes.
/// </summary>
internal sealed class DueIndex(ScratchFiles? scratch = null)
{
    private readonly List<DueRun> _runs = [];
    private readonly List<DueRun> _over = [];
    private PriorityQueue<DueRange, (long Due, long Start)> _near = new();
    private int _generation;
    private bool _isSpilling;

    /// <summary>The first time at which something is due; <see cref="long.MaxValue"/> if nothing is.</summary>
    public long Next
    {
        get
        {
            var next = _near.TryPeek(out _, out var first) ? first.Due : long.MaxValue;
            foreach (var run in _runs) next = run.MustLoad ? long.MinValue : Math.Min(next, run.Head.Due);
            return next;
        }
    }

    public bool IsEmpty => _near.Count == 0 && _runs.Count == 0;

    /// <summary>Whether there is too much in memory, and nothing is done about it yet.</summary>
    public bool MustSpill => scratch is not null && !_isSpilling && _near.Count > scratch.EntriesInMemory;

    /// <summary>Adds messages that are due at one time.</summary>
    public void Add(long due, long start, long end, int lane = 0) => _near.Enqueue(new DueRange(start, end, (byte)lane), (due, start));

    /// <summary>Takes out the first messages that are due at a time; none if <see cref="Unloaded"/> has to be read first.</summary>
    public bool TryTake(long now, out long due, out DueRange range)
    {
        (due, range) = (0, default);
        DueRun? first = null;
        foreach (var run in _runs)
        {
            if (run.MustLoad) return false;
            if (first is null || run.Head.CompareTo(first.Head) < 0) first = run;
        }
        var isNear = _near.TryPeek(out var near, out var priority);
        if (first is not null && (!isNear || first.Head.CompareTo(new DueEntry(priority.Due, near)) < 0))
        {
            if (first.Head.Due > now) return false;
            (due, range) = (first.Head.Due, first.Head.Range);
            first.Take();
            if (first.Left == 0) End(first);
            return true;
        }
        if (!isNear || priority.Due > now) return false;
        (due, range) = (priority.Due, near);
        _near.Dequeue();
        return true;
    }

    /// <summary>A run that has to be read before anything can be taken.</summary>
    public DueRun? Unloaded
    {
        get
        {
            foreach (var run in _runs)
                if (run.MustLoad) return run;
            return null;
        }
    }

    /// <summary>Takes what is in memory, for a run; to be followed by <see cref="Spill"/> with the same.</summary>
    public (int Generation, PriorityQueue<DueRange, (long Due, long Start)> Entries) BeginSpill()
    {
        _isSpilling = true;
        var entries = _near;
        _near = new PriorityQueue<DueRange, (long Due, long Start)>();
        return (_generation, entries);
    }

    /// <summary>Sorts what <see cref="BeginSpill"/> took. Needs no lock.</summary>
    public static DueEntry[] Sort(PriorityQueue<DueRange, (long Due, long Start)> entries)
    {
        var sorted = new DueEntry[entries.Count];
        var index = 0;
        foreach (var (range, priority) in entries.UnorderedItems) sorted[index++] = new DueEntry(priority.Due, range);
        Array.Sort(sorted);
        return sorted;
    }

    /// <summary>Puts what was sorted back, still in memory; null if everything was forgotten meanwhile.</summary>
    public DueRun? Spill(int generation, DueEntry[] entries)
    {
        if (generation != _generation) return null;
        var run = new DueRun(entries);
        _runs.Add(run);
        return run;
    }

    /// <summary>A run is written, or could not be: then it stays in memory.</summary>
    /// <returns>Whether the file is needed.</returns>
    public bool EndSpill(DueRun? run, IStorageFile? file, string path)
    {
        _isSpilling = false;
        if (run is null || file is null || !_runs.Contains(run)) return false;
        run.UseFile(file, path);
        return true;
    }

    /// <summary>Runs of which nothing is needed any more, whose files may be deleted.</summary>
    public IReadOnlyList<DueRun> TakeOver()
    {
        if (_over.Count == 0) return [];
        DueRun[] over = [.. _over];
        _over.Clear();
        return over;
    }

    private void End(DueRun run)
    {
        _runs.Remove(run);
        _over.Add(run);
    }

    public void Clear()
    {
        _generation++;
        _near.Clear();
        _over.AddRange(_runs);
        _runs.Clear();
    }
}
