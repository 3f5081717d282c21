namespace Dragoman.Simulation;

/// <summary>Counts what runs went through: a simulation that never sees a path proves nothing about it.</summary>
internal sealed class Coverage
{
    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, int> Counts => _counts;

    public void Saw(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;

    public void Recovered(int kept, int of)
    {
        if (kept < of) Saw("recovery lost commits that were not acknowledged");
        if (kept > 0) Saw("recovery found commits");
    }

    public void Add(Coverage other)
    {
        foreach (var (what, count) in other._counts) _counts[what] = _counts.GetValueOrDefault(what) + count;
    }
}
