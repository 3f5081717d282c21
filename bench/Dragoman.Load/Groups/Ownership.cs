using System.Diagnostics;

namespace Dragoman.Load.Groups;

/// <summary>Which member has which partition, as the members are told; knows when all partitions are shared out.</summary>
internal sealed class Ownership(int partitions)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, HashSet<int>> _byMember = [];
    private int _wantedMembers;
    private TaskCompletionSource<long>? _balanced;

    /// <summary>A task that gives the time at which so many members share all partitions evenly, each with at most one more than another.</summary>
    public Task<long> WhenBalancedAsync(int members)
    {
        lock (_lock)
        {
            _wantedMembers = members;
            _balanced = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            Check();
            return _balanced.Task;
        }
    }

    /// <summary>A member was given partitions.</summary>
    public void Give(int member, IEnumerable<int> given)
    {
        lock (_lock)
        {
            if (!_byMember.TryGetValue(member, out var owned)) _byMember[member] = owned = [];
            owned.UnionWith(given);
            Check();
        }
    }

    /// <summary>A member gave partitions up.</summary>
    public void Take(int member, IEnumerable<int> taken)
    {
        lock (_lock)
        {
            if (_byMember.TryGetValue(member, out var owned)) owned.ExceptWith(taken);
            Check();
        }
    }

    /// <summary>A member is gone.</summary>
    public void Remove(int member)
    {
        lock (_lock)
        {
            _byMember.Remove(member);
            Check();
        }
    }

    /// <summary>What each member has, for a message.</summary>
    public override string ToString()
    {
        lock (_lock) return $"{_byMember.Count} members with {string.Join(", ", _byMember.Values.Select(p => p.Count).Order())} partitions";
    }

    private void Check()
    {
        if (_balanced is null || _byMember.Count != _wantedMembers) return;
        var total = 0;
        foreach (var owned in _byMember.Values)
        {
            if (owned.Count < partitions / _wantedMembers || owned.Count > (partitions + _wantedMembers - 1) / _wantedMembers) return;
            total += owned.Count;
        }
        // Together as many as there are, and none with two members.
        if (total != partitions || _byMember.Values.SelectMany(static p => p).Distinct().Count() != partitions) return;
        _balanced.TrySetResult(Stopwatch.GetTimestamp());
    }
}
