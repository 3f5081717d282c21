using Dragoman.Broker;
using Dragoman.Broker.Groups;
using Dragoman.Broker.Topics;
using Dragoman.Storage;

namespace Dragoman.Simulation.Groups;

/// <summary>
/// One seeded story of two consumer groups, a classic one and one that the broker assigns, side by side: several lives of
/// a broker, in each of them members that join, read, commit, stall, leave and die, requests that are late, lost and come
/// twice, and a coordinator that moves in the middle of it. Lives end with a good stop, a kill or a power cut; members outlive
/// them. In the end all partitions have a member each, and the committed offsets are those that were acknowledged.
/// </summary>
internal sealed class GroupRun
{
    private const int Partitions = 5;
    private const int Lives = 3;
    private const int Steps = 30;

    private static readonly string[] s_groups = ["classic", "consumer"];

    private readonly SimScheduler _sim;
    private readonly SimDisk _disk;
    private readonly SimRandom _random;
    private readonly GroupDefects _defects;
    private readonly GroupModel _model;
    private readonly GroupNetwork _network;
    private int _members;

    public GroupRun(ulong seed, GroupDefects? defects = null)
    {
        _defects = defects ?? new GroupDefects();
        _sim = new SimScheduler(seed);
        _disk = new SimDisk(_sim, new SimDiskOptions { Capacity = 32 << 20 });
        _random = _sim.Random.Fork();
        _model = new GroupModel(_sim);
        _network = new GroupNetwork(_sim, _random.Fork(), Coverage);
        foreach (var group in s_groups)
            for (var n = _random.Between(1, 3); n > 0; n--) _model.Add(NewMember(group));
    }

    /// <summary>Which paths this run went through.</summary>
    public Coverage Coverage { get; } = new();

    private SimMember NewMember(string group) => group == s_groups[0]
        ? new ClassicSimMember(_sim, _random.Fork(), _model, _network, Coverage, group, ++_members, Partitions)
        : new ConsumerSimMember(_sim, _random.Fork(), _model, _network, Coverage, group, ++_members);

    public void Run()
    {
        try
        {
            for (var life = 0; life <= Lives; life++) RunLife(life);
        }
        catch (Exception fault) when (fault is not SimStepLimitException)
        {
            throw new SimulationFailedException($"{fault.Message} {fault.InnerException}\n{_sim.Describe("The last of it")}", fault);
        }
    }

    private void RunLife(int life)
    {
        var last = life == Lives;
        var process = _sim.StartProcess("broker");
        var crash = last || _random.OneIn(4) ? (CrashKind?)null : _random.OneIn(2) ? CrashKind.PowerLoss : CrashKind.ProcessKill;
        _sim.Note($"life {life} ends with {crash?.ToString() ?? "a good stop"}");
        if (crash is { } kind) _disk.CrashAt(_random.Between(20, 250), kind);
        var lived = _sim.RunUntilDoneOrDead(process.Run("life", () => LiveAsync(process, last, stops: crash is null)), process, 6_000_000);
        _disk.CrashAt(0, CrashKind.ProcessKill);
        if (!lived) Coverage.Saw("crashed in the midst of it");
        else if (crash is { } late) _disk.Crash(late);
    }

    private async Task LiveAsync(SimProcess process, bool last, bool stops)
    {
        _network.IsCalm = false;
        var broker = await Broker.Broker.StartAsync(
            new BrokerOptions { Store = Options(), Groups = new GroupOptions { ConsumerSessionTimeout = TimeSpan.FromMilliseconds(SimMember.SessionMs) } },
            _disk, _sim.Time, process, new Random(_random.Next(int.MaxValue)), new BrokerSeams { GroupDefects = _defects });
        var created = await broker.Topics.CreateAsync(TopicName.InDefault(SimMember.Topic), Partitions, TopicSettings.Default);
        GroupModel.Check(created.Status is TopicStatus.Ok or TopicStatus.AlreadyExists, $"the topic is there: {created.Message}");
        await VerifyOffsetsAsync(broker);

        var workers = new List<Task>();
        foreach (var member in _model.Members.ToArray()) workers.Add(process.Run($"{member}", () => WorkAsync(process, broker, member)));
        workers.Add(process.Run("comers", () => ComeAsync(process, broker, workers)));
        workers.Add(process.Run("mover", () => MoveAsync(broker)));
        for (var i = 0; i < workers.Count; i++) await workers[i];
        GroupModel.Check(!broker.Failed.IsCompleted, "the store has not failed");
        if (last) await SettleAsync(process, broker);
        await VerifyOffsetsAsync(broker);
        if (stops) await broker.DisposeAsync();
    }

    private async Task WorkAsync(SimProcess process, Broker.Broker broker, SimMember member)
    {
        for (var i = 0; i < Steps && _model.Members.Contains(member); i++)
        {
            if (_random.OneIn(60))
            {
                // It dies, or stalls for so long that it is put out and does not notice.
                if (_random.OneIn(2)) await _sim.DelayAsync(TimeSpan.FromMilliseconds(_random.Next(2 * SimMember.SessionMs)));
                else
                {
                    _model.Remove(member);
                    Coverage.Saw("a member died");
                    return;
                }
            }
            if (_random.OneIn(50)) await member.LeaveAsync(process, broker);
            await member.StepAsync(process, broker);
            _model.CheckOwners();
            await _sim.DelayAsync(TimeSpan.FromMilliseconds(_random.Next(_random.OneIn(4) ? 2500 : 300)));
        }
    }

    private async Task ComeAsync(SimProcess process, Broker.Broker broker, List<Task> workers)
    {
        for (var n = _random.Next(4); n > 0; n--)
        {
            await _sim.DelayAsync(TimeSpan.FromMilliseconds(_random.Next(15_000)));
            var member = NewMember(_random.Pick(s_groups));
            _model.Add(member);
            workers.Add(process.Run($"{member}", () => WorkAsync(process, broker, member)));
        }
    }

    private async Task MoveAsync(Broker.Broker broker)
    {
        for (var n = _random.Next(4); n > 0; n--)
        {
            await _sim.DelayAsync(TimeSpan.FromMilliseconds(_random.Next(12_000)));
            await broker.MoveGroupsAsync();
            Coverage.Saw("moved the coordinator");
            if (_random.OneIn(2)) await broker.Store.CheckpointAsync();
        }
    }

    /// <summary>Lets everybody come together: nothing gets lost any more, for longer than any time-out.</summary>
    private async Task SettleAsync(SimProcess process, Broker.Broker broker)
    {
        _network.IsCalm = true;
        foreach (var group in s_groups)
            if (!_model.Members.Any(m => m.Group == group)) _model.Add(NewMember(group));
        var calm = _model.Members.Select(member => process.Run($"{member}", () => CalmAsync(process, broker, member))).ToList();
        foreach (var task in calm) await task;
        foreach (var group in s_groups)
        {
            var uses = _model.Members.Where(m => m.Group == group).SelectMany(m => m.Uses).Order().ToList();
            GroupModel.Check(uses.SequenceEqual(Enumerable.Range(0, Partitions)), $"every partition of {group} has one member in the end, not [{string.Join(' ', uses)}]");
        }
        foreach (var member in _model.Members) GroupModel.Check(member.IsIn, $"{member} is in");
    }

    private async Task CalmAsync(SimProcess process, Broker.Broker broker, SimMember member)
    {
        for (var end = _sim.Time.Elapsed + TimeSpan.FromSeconds(90); _sim.Time.Elapsed < end;)
        {
            await member.StepAsync(process, broker);
            _model.CheckOwners();
            await _sim.DelayAsync(TimeSpan.FromMilliseconds(500));
        }
    }

    /// <summary>What is committed is what was acknowledged, as somebody from outside sees it.</summary>
    private async Task VerifyOffsetsAsync(Broker.Broker broker)
    {
        var topic = broker.Topics.Find(TopicName.InDefault(SimMember.Topic))!.Id;
        foreach (var group in s_groups)
        {
            for (var partition = 0; partition < Partitions; partition++)
            {
                var asked = _model.Now();
                var answer = await broker.Groups.FetchOffsetsAsync(GroupName.InDefault(group), GroupCaller.Outsider, [new(topic, partition)], requireStable: true);
                GroupModel.Check(answer.Status == GroupStatus.Ok, $"anybody may ask for offsets: {answer.Status}");
                _model.CheckOffset(group, partition, answer.Offsets[0].Committed?.Offset, asked);
            }
        }
    }

    private static StoreOptions Options() => new()
    {
        Directory = "/data",
        JournalFileBytes = 64 << 10,
        MaxJournalFileBytes = 1 << 20,
        MaxRoundBytes = 16 << 10,
        TailBytes = 64 << 10,
        MaxPendingBytes = 512 << 10,
        ReserveBytes = 16 << 10,
        HeadroomBytes = 512 << 10,
        OwnSegmentBytes = 8 << 10,
        PromoteBytes = 16 << 10,
        MemoryBytes = 64 << 10,
        MemoryBlockBytes = 16 << 10,
        MaxOpenFiles = 8,
        IndexCacheBytes = 4096,
        MaintenanceInterval = TimeSpan.FromSeconds(5),
    };
}
