namespace Dragoman.Simulation.Storage;

/// <summary>Counts what runs went through: a simulation that never sees a path proves nothing about it.</summary>
internal sealed class StorageCoverage
{
    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, int> Counts => _counts;

    public void Saw(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;

    public void Recovered(int kept, int of)
    {
        if (kept < of) Saw("recovery lost commits that were not acknowledged");
        if (kept > 0) Saw("recovery found commits");
    }

    public void Add(StorageCoverage other)
    {
        foreach (var (what, count) in other._counts) _counts[what] = _counts.GetValueOrDefault(what) + count;
    }
}
