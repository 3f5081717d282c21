namespace Dragoman.Simulation;

/// <summary>
/// Which path names which file: as the operating system shows it, as the medium has it, and, in order, the changes
/// between the two.
/// </summary>
internal sealed class SimNamespace
{
    private readonly SortedDictionary<string, SimInode> _durable = new(StringComparer.Ordinal);
    private readonly List<Change> _pending = [];

    private SortedDictionary<string, SimInode> _cached = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, SimInode> Files => _cached;

    /// <summary>Changes to directories that are not durable.</summary>
    public int PendingChanges => _pending.Count;

    public static string DirectoryOf(string path)
    {
        int slash = path.LastIndexOf('/');
        return slash <= 0 ? "/" : path[..slash];
    }

    public void Create(string path, SimInode inode) => Add(new Change(null, path, inode));

    public void Delete(string path) => Add(new Change(path, null, _cached[path]));

    public void Rename(string from, string to) => Add(new Change(from, to, _cached[from]));

    /// <summary>
    /// Makes the changes inside a directory durable. One that concerns a second directory waits for that; but never does
    /// a change become durable without those it builds on.
    /// </summary>
    public void Sync(string directory)
    {
        foreach (var change in _pending)
        {
            change.Unsynced.Remove(directory);
        }

        Settle(chain => chain.FindLastIndex(change => change.Unsynced.Count == 0) + 1);
    }

    /// <summary>Power is lost: of each chain of changes that build on each other, some first ones have reached the medium.</summary>
    public void LosePower(SimRandom random)
    {
        double survival = random.Pick([0, 0.5, 0.5, 1]);
        Settle(chain =>
        {
            int count = 0;
            while (count < chain.Count && random.Chance(survival))
            {
                count++;
            }

            return count;
        });
        _pending.Clear();
        _cached = new SortedDictionary<string, SimInode>(_durable, StringComparer.Ordinal);
    }

    private void Add(Change change)
    {
        change.ApplyTo(_cached);
        _pending.Add(change);
    }

    private void Settle(Func<List<Change>, int> countDurable)
    {
        var durable = new HashSet<Change>();
        foreach (var chain in Chains())
        {
            durable.UnionWith(chain.Take(countDurable(chain)));
        }

        foreach (var change in _pending.Where(durable.Contains))
        {
            change.ApplyTo(_durable);
        }

        _pending.RemoveAll(durable.Contains);
    }

    // Changes that share a path or a file build on each other.
    private List<List<Change>> Chains()
    {
        var chains = new List<List<Change>>();
        foreach (var change in _pending)
        {
            var joined = chains.Where(chain => chain.Exists(change.Touches)).ToList();
            if (joined.Count == 0)
            {
                chains.Add([change]);
                continue;
            }

            foreach (var other in joined.Skip(1))
            {
                joined[0].AddRange(other);
                chains.Remove(other);
            }

            joined[0].Sort((a, b) => _pending.IndexOf(a).CompareTo(_pending.IndexOf(b)));
            joined[0].Add(change);
        }

        return chains;
    }

    // A creation has no From, a deletion no To, a rename both.
    private sealed class Change(string? from, string? to, SimInode inode)
    {
        public HashSet<string> Unsynced { get; } =
            new(new[] { from, to }.OfType<string>().Select(DirectoryOf), StringComparer.Ordinal);

        public bool Touches(Change other) => ReferenceEquals(inode, other.File) || Names(other.Source) || Names(other.Target);

        private SimInode File => inode;

        private string? Source => from;

        private string? Target => to;

        public void ApplyTo(SortedDictionary<string, SimInode> names)
        {
            if (from is not null)
            {
                names.Remove(from);
            }

            if (to is not null)
            {
                names[to] = inode;
            }
        }

        private bool Names(string? path) => path is not null && (path == from || path == to);
    }
}
