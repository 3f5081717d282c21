using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Topics;

namespace Dragoman.Simulation.Groups;

/// <summary>A member of a group whose members assign themselves: it gives up all it has before it joins again.</summary>
internal sealed class ClassicSimMember(SimScheduler sim, SimRandom random, GroupModel model, GroupNetwork network, Coverage coverage, string group, int number, int partitions)
    : SimMember(sim, random, model, network, coverage, group, number)
{
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(15);

    private string _id = "";
    private int _generation = -1;
    private bool _isIn;

    public override bool IsIn => _isIn;

    protected override bool IsClassic => true;

    protected override GroupCaller Caller => new(_id, null, _generation);

    public override async Task StepAsync(SimProcess process, Broker.Broker broker)
    {
        if (!_isIn) await JoinAsync(process, broker);
        else if (Random.OneIn(3)) await CommitAsync(process, broker);
        else await HeartbeatAsync(process, broker);
    }

    private async Task JoinAsync(SimProcess process, Broker.Broker broker)
    {
        Uses.Clear();
        var request = new JoinRequest
        {
            Group = Name,
            MemberId = _id,
            SessionTimeoutMs = SessionMs,
            RebalanceTimeoutMs = RebalanceMs,
            ProtocolType = "consumer",
            Protocols = [new GroupProtocol("range", [1])],
            Topics = [TopicName.InDefault(Topic)],
            AwaitsMemberId = true,
        };
        var joined = await Network.CallAsync(process, () => broker.Groups.JoinAsync(request), JoinPatience);
        Note($"join: {joined?.Status} {joined?.Generation}");
        if (joined is null) return;
        if (joined.Status == GroupStatus.MemberIdRequired) _id = joined.MemberId;
        else if (joined.Status == GroupStatus.UnknownMember) _id = "";
        if (joined.Status != GroupStatus.Ok) return;
        (_id, _generation) = (joined.MemberId, joined.Generation);
        await SyncAsync(process, broker, joined);
    }

    private async Task SyncAsync(SimProcess process, Broker.Broker broker, JoinAnswer joined)
    {
        var shares = joined.Leader != _id ? [] : joined.Members.Select((member, i) =>
        {
            var share = Enumerable.Range(0, partitions).Where(partition => partition % joined.Members.Count == i);
            return KeyValuePair.Create(member.MemberId, new GroupShare([.. share.Select(partition => (byte)partition)], null));
        }).ToList();
        var request = new SyncRequest { Group = Name, Caller = Caller, Shares = shares };
        var sent = Sim.Time.Elapsed;
        if (Network.Repeats()) Network.Repeat(process, async () => Coverage.Saw($"a late sync: {(await broker.Groups.SyncAsync(request)).Status}"));
        var synced = await Network.CallAsync(process, () => broker.Groups.SyncAsync(request), JoinPatience);
        Note($"sync: {synced?.Status}");
        if (synced is null) return;
        Hear(synced.Status, sent);
        if (synced.Status != GroupStatus.Ok) return;
        Model.SawGeneration(Group, _generation);
        _isIn = true;
        Coverage.Saw("a classic member was assigned");
        await TakeAsync(process, broker, [.. synced.Assignment.Select(partition => (int)partition)]);
    }

    private async Task HeartbeatAsync(SimProcess process, Broker.Broker broker)
    {
        var caller = Caller;
        var sent = Sim.Time.Elapsed;
        if (Network.Repeats())
        {
            Network.Repeat(process, () =>
            {
                broker.Groups.Heartbeat(Name, caller);
                return Task.CompletedTask;
            });
        }
        var answer = await Network.CallAsync(process, () => ValueTask.FromResult(broker.Groups.Heartbeat(Name, caller).ToString()), Patience);
        if (answer is not null) Hear(Enum.Parse<GroupStatus>(answer), sent);
    }

    private void Hear(GroupStatus status, TimeSpan sent)
    {
        switch (status)
        {
            case GroupStatus.Ok:
                // It is put out when its session is over, or when it does not join in time.
                Until = sent + TimeSpan.FromMilliseconds(Math.Min(SessionMs, RebalanceMs));
                return;
            case GroupStatus.RebalanceInProgress or GroupStatus.IllegalGeneration:
                break;
            case GroupStatus.UnknownMember:
                _id = "";
                break;
            default:
                GroupModel.Check(status is GroupStatus.Moved or GroupStatus.Full, $"{this} may try again after {status}");
                return;
        }
        Uses.Clear();
        _isIn = false;
    }

    public override async Task LeaveAsync(SimProcess process, Broker.Broker broker)
    {
        Uses.Clear();
        _isIn = false;
        if (_id.Length == 0) return;
        var id = _id;
        _id = "";
        var left = await Network.CallAsync(process, () => broker.Groups.LeaveAsync(Name, [new LeavingMember(id, null)]), Patience);
        if (left is [GroupStatus.Ok]) Model.SawLeave(Group, id);
        Coverage.Saw($"left: {(left is null ? "no answer" : left[0])}");
    }
}
