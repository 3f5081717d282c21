using System.Globalization;
using Dragoman.Broker.Groups;

namespace Dragoman.Simulation.Groups;

/// <summary>A commit of one offset, which nobody else commits.</summary>
internal sealed record OffsetAttempt(string Group, int Partition, long Offset, long Sent)
{
    /// <summary>When it was acknowledged; <see cref="long.MaxValue"/> while it was not.</summary>
    public long Acknowledged { get; set; } = long.MaxValue;

    /// <summary>Whether the answer said that nothing was done.</summary>
    public bool IsRefused { get; set; }

    /// <summary>Copies of the request that may still take effect, whatever the answer to the first was.</summary>
    public int Copies { get; set; }

    /// <summary>Whether a copy took effect after the answer.</summary>
    public bool CameLate { get; set; }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"offset {Offset} of partition {Partition} of {Group}");
}

/// <summary>What is known of the groups from outside: which offsets were acknowledged, who reads what, and who must be fenced.</summary>
internal sealed class GroupModel(SimScheduler sim)
{
    private readonly List<OffsetAttempt> _attempts = [];
    private readonly Dictionary<(string Group, string Member), int> _epochs = [];
    private readonly Dictionary<string, int> _assigned = [];
    private readonly HashSet<(string Group, string Member)> _gone = [];
    private readonly List<SimMember> _members = [];
    private long _clock;

    public IReadOnlyList<SimMember> Members => _members;

    public void Add(SimMember member) => _members.Add(member);

    public void Remove(SimMember member) => _members.Remove(member);

    // ---- Offsets

    public OffsetAttempt Attempt(string group, int partition)
    {
        var attempt = new OffsetAttempt(group, partition, _attempts.Count, ++_clock);
        _attempts.Add(attempt);
        return attempt;
    }

    /// <summary>Takes in that a commit got its answer.</summary>
    public void Answered(OffsetAttempt attempt, GroupStatus status)
    {
        if (status == GroupStatus.Ok) attempt.Acknowledged = Math.Min(attempt.Acknowledged, ++_clock);
        else if (status != GroupStatus.StorageError) attempt.IsRefused = true;
    }

    public long Now() => ++_clock;

    /// <summary>Holds a committed offset against what was acknowledged before it was asked for.</summary>
    public void CheckOffset(string group, int partition, long? offset, long asked)
    {
        var acknowledged = _attempts.FindAll(a => a.Group == group && a.Partition == partition && a.Acknowledged < asked);
        if (offset is not { } found)
        {
            Check(acknowledged.Count == 0, $"{acknowledged.LastOrDefault()} was acknowledged, and no offset is there");
            return;
        }
        Check(found >= 0 && found < _attempts.Count, $"offset {found} of {group} was committed by somebody");
        var attempt = _attempts[(int)found];
        Check(attempt.Group == group && attempt.Partition == partition, $"{attempt} is found as offset of partition {partition} of {group}");
        Check(!attempt.IsRefused || attempt.Copies > 0 || attempt.CameLate || attempt.Acknowledged != long.MaxValue, $"{attempt} was refused, and is there");
        if (attempt.Acknowledged == long.MaxValue || attempt.Copies > 0 || attempt.CameLate) return;
        var newer = acknowledged.Find(a => a.Sent > attempt.Acknowledged);
        Check(newer is null, $"{newer} was acknowledged after {attempt}, and the older one is there");
    }

    // ---- Fencing

    /// <summary>Takes in that a share of a classic generation was told, which is on disk then. One that never was assigned may come again.</summary>
    public void SawGeneration(string group, int generation) => _assigned[group] = Math.Max(_assigned.GetValueOrDefault(group, -1), generation);

    /// <summary>Takes in that a member was told its epoch.</summary>
    public void SawEpoch(string group, string member, int epoch) => _epochs[(group, member)] = Math.Max(_epochs.GetValueOrDefault((group, member)), epoch);

    /// <summary>Takes in that the broker has said that a member has left.</summary>
    public void SawLeave(string group, string member) => _gone.Add((group, member));

    /// <summary>Whether a member's commit must be refused, whatever else happens.</summary>
    public bool IsFenced(string group, GroupCaller caller, bool isClassic)
    {
        if (_gone.Contains((group, caller.MemberId))) return true;
        return isClassic
            ? _assigned.GetValueOrDefault(group, -1) > caller.Generation
            : _epochs.GetValueOrDefault((group, caller.MemberId)) > caller.Generation;
    }

    // ---- Ownership

    /// <summary>Of the members that the group cannot have put out yet, no two read one partition.</summary>
    public void CheckOwners()
    {
        var owners = new Dictionary<(string, int), SimMember>();
        foreach (var member in _members)
        {
            if (member.Until < sim.Time.Elapsed) continue;
            foreach (var partition in member.Uses)
                Check(owners.TryAdd((member.Group, partition), member), $"partition {partition} of {member.Group} is read by {member} alone, not by {owners.GetValueOrDefault((member.Group, partition))} too");
        }
    }

    public static void Check(bool condition, string rule)
    {
        if (!condition) throw new SimulationFailedException($"Broken: {rule}.");
    }
}
