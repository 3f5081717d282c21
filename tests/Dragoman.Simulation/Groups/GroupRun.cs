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
internal sealed class GroupRun : BrokerStory
{
    private const int Partitions = 5;
    private const int Steps = 30;

    private static readonly string[] s_groups = ["classic", "consumer"];

    private readonly GroupDefects _defects;
    private readonly GroupModel _model;
    private readonly GroupNetwork _network;
    private int _members;

    public GroupRun(ulong seed, GroupDefects? defects = null)
        : base(seed, new SimDiskOptions { Capacity = 32 << 20 })
    {
        _defects = defects ?? new GroupDefects();
        _model = new GroupModel(Sim);
        _network = new GroupNetwork(Sim, Random.Fork(), Coverage);
        foreach (var group in s_groups)
            for (var n = Random.Between(1, 3); n > 0; n--) _model.Add(NewMember(group));
    }

    protected override (int Least, int Most) CrashAfter => (20, 250);

    private SimMember NewMember(string group) => group == s_groups[0]
        ? new ClassicSimMember(Sim, Random.Fork(), _model, _network, Coverage, group, ++_members, Partitions)
        : new ConsumerSimMember(Sim, Random.Fork(), _model, _network, Coverage, group, ++_members);

    protected override async Task LiveAsync(SimProcess process, bool last, bool stops)
    {
        _network.IsCalm = false;
        var broker = await Broker.Broker.StartAsync(
            new BrokerOptions { Store = SmallStore() with { MaintenanceInterval = TimeSpan.FromSeconds(5) }, Groups = new GroupOptions { ConsumerSessionTimeout = TimeSpan.FromMilliseconds(SimMember.SessionMs) } },
            Disk, Sim.Time, process, new Random(Random.Next(int.MaxValue)), new BrokerSeams { GroupDefects = _defects });
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
            if (Random.OneIn(60))
            {
                // It dies, or stalls for so long that it is put out and does not notice.
                if (Random.OneIn(2)) await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(2 * SimMember.SessionMs)));
                else
                {
                    _model.Remove(member);
                    Coverage.Saw("a member died");
                    return;
                }
            }
            if (Random.OneIn(50)) await member.LeaveAsync(process, broker);
            await member.StepAsync(process, broker);
            _model.CheckOwners();
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(Random.OneIn(4) ? 2500 : 300)));
        }
    }

    private async Task ComeAsync(SimProcess process, Broker.Broker broker, List<Task> workers)
    {
        for (var n = Random.Next(4); n > 0; n--)
        {
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(15_000)));
            var member = NewMember(Random.Pick(s_groups));
            _model.Add(member);
            workers.Add(process.Run($"{member}", () => WorkAsync(process, broker, member)));
        }
    }

    private async Task MoveAsync(Broker.Broker broker)
    {
        for (var n = Random.Next(4); n > 0; n--)
        {
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(12_000)));
            await broker.MoveGroupsAsync();
            Coverage.Saw("moved the coordinator");
            if (Random.OneIn(2)) await broker.Store.CheckpointAsync();
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
        for (var end = Sim.Time.Elapsed + TimeSpan.FromSeconds(90); Sim.Time.Elapsed < end;)
        {
            await member.StepAsync(process, broker);
            _model.CheckOwners();
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(500));
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
}
