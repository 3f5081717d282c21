using Dragoman.TestKit;

namespace Dragoman.Faults.WordCount;

/// <summary>A worker for each of some ids. Whoever cannot go on has a successor at once.</summary>
internal sealed class WorkerPool : IAsyncDisposable
{
    private readonly string _broker;
    private readonly Worker[] _workers;
    private readonly List<Worker> _gone = [];

    public WorkerPool(string broker, int count)
    {
        _broker = broker;
        _workers = [.. Enumerable.Range(0, count).Select(Start)];
    }

    /// <summary>Transactions that are known to be committed, over all that ever worked.</summary>
    public long Committed => All.Sum(w => w.Committed);

    /// <summary>Transactions that may be open.</summary>
    public long Open => _workers.Sum(w => w.Begun - w.Committed);

    /// <summary>Those who ended because they could not go on.</summary>
    public int Successions { get; private set; }

    private IEnumerable<Worker> All => _workers.Concat(_gone);

    public Worker this[int index] => _workers[index];

    public int Count => _workers.Length;

    /// <summary>Gives whoever has ended a successor; fails if one ended for a reason that must not be.</summary>
    public async Task TendAsync()
    {
        for (var i = 0; i < _workers.Length; i++)
        {
            if (!_workers[i].HasExited) continue;
            if (await _workers[i].WaitAsync()) Successions++;
            else throw new InvalidOperationException($"{_workers[i].Id} ended although nobody told it to.");
            Replace(i);
        }
    }

    /// <summary>Ends a worker as a crash would, and starts its successor.</summary>
    public async Task KillAsync(int index)
    {
        await _workers[index].KillAsync();
        Replace(index);
    }

    /// <summary>
    /// Makes a worker a zombie: it stops in the middle of a transaction, its successor takes over and commits, and then it
    /// goes on as if nothing had been. It must not get far.
    /// </summary>
    public async Task FenceAsync(int index)
    {
        var zombie = _workers[index];
        if (!await zombie.HoldAsync()) return;
        Replace(index);
        await Eventually.TrueAsync(
            async () =>
            {
                await TendAsync();
                return _workers[index].Committed > 0;
            }, $"the successor of {zombie.Id} commits", TimeSpan.FromMinutes(2));
        await zombie.GoOnAsync();
        if (!await zombie.WaitAsync()) throw new InvalidOperationException($"{zombie.Id} was not fenced.");
    }

    /// <summary>Has all end in good order.</summary>
    public async Task EndAsync()
    {
        foreach (var worker in _workers) worker.EndSoon();
        foreach (var worker in _workers) await worker.WaitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in All.ToList()) await worker.DisposeAsync();
    }

    private void Replace(int index)
    {
        _gone.Add(_workers[index]);
        _workers[index] = Start(index);
    }

    // Both kinds of members: those whose successors have their shares at once, and those whose shares others get meanwhile.
    private Worker Start(int index) => Worker.Start(_broker, $"worker-{index}", isStatic: index % 2 == 0);
}
