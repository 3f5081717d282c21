using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Topics;

namespace Dragoman.Simulation.Groups;

/// <summary>A member of a group that the broker assigns (KIP-848): it gives up what it is not assigned any more, says so, and takes what is new.</summary>
internal sealed class ConsumerSimMember(SimScheduler sim, SimRandom random, GroupModel model, GroupNetwork network, Coverage coverage, string group, int number)
    : SimMember(sim, random, model, network, coverage, group, number)
{
    private string _id = "";
    private int _epoch = ConsumerHeartbeat.JoinEpoch;
    private int _ids;
    private bool _saysAll = true;
    private IReadOnlyList<int>? _assigned;

    public override bool IsIn => _epoch > 0 && _assigned is not null && Uses.SetEquals(_assigned);

    protected override bool IsClassic => false;

    protected override GroupCaller Caller => new(_id, null, _epoch);

    public override async Task StepAsync(SimProcess process, Broker.Broker broker)
    {
        if (_epoch > 0 && Random.OneIn(3)) await CommitAsync(process, broker);
        else await HeartbeatAsync(process, broker);
    }

    private async Task HeartbeatAsync(SimProcess process, Broker.Broker broker)
    {
        if (_id.Length == 0) _id = $"{this}, life {++_ids}";
        var joins = _epoch == ConsumerHeartbeat.JoinEpoch;
        var heartbeat = new ConsumerHeartbeat
        {
            Group = Name,
            MemberId = _id,
            Epoch = _epoch,
            RebalanceTimeoutMs = _saysAll ? RebalanceMs : null,
            Topics = _saysAll ? [TopicName.InDefault(Topic)] : null,
            TopicPattern = _saysAll ? "" : null,
            Owned = _saysAll ? [.. Uses.Select(partition => PartitionOf(broker, partition))] : null,
        };
        var sent = Sim.Time.Elapsed;
        // No copy of it comes later: its answer, which nobody hears, would tell what the member is to do, and be told once.
        _saysAll = true;
        var answer = await Network.CallAsync(process, () => broker.Groups.HeartbeatAsync(heartbeat), Patience);
        Note($"heartbeat as {heartbeat.Epoch}: {answer?.Status} {answer?.Epoch} {(answer?.Assignment is { } told ? $"[{string.Join(' ', told.Select(p => p.Partition))}]" : "")}");
        if (answer is null) return;
        switch (answer.Status)
        {
            case GroupStatus.Ok:
                Until = sent + TimeSpan.FromMilliseconds(Math.Min(SessionMs, RebalanceMs));
                _saysAll = false;
                _epoch = answer.Epoch;
                if (joins) Coverage.Saw("a consumer member joined");
                Model.SawEpoch(Group, _id, answer.Epoch);
                if (answer.Assignment is not null) await ReconcileAsync(process, broker, [.. answer.Assignment.Select(p => p.Partition)]);
                break;
            case GroupStatus.UnknownMember or GroupStatus.FencedMemberEpoch:
                Uses.Clear();
                _assigned = null;
                _epoch = ConsumerHeartbeat.JoinEpoch;
                break;
            default:
                GroupModel.Check(answer.Status is GroupStatus.Moved or GroupStatus.Full, $"{this} may try again after {answer.Status}: {answer.Message}");
                break;
        }
    }

    private async Task ReconcileAsync(SimProcess process, Broker.Broker broker, List<int> assigned)
    {
        _assigned = assigned;
        // Whoever has given something up says so.
        _saysAll |= Uses.RemoveWhere(partition => !assigned.Contains(partition)) > 0;
        var taken = assigned.Except(Uses).ToList();
        if (taken.Count == 0) return;
        _saysAll = true;
        Coverage.Saw("a consumer member was assigned");
        await TakeAsync(process, broker, taken);
    }

    public override async Task LeaveAsync(SimProcess process, Broker.Broker broker)
    {
        Uses.Clear();
        var heartbeat = new ConsumerHeartbeat { Group = Name, MemberId = _id, Epoch = ConsumerHeartbeat.LeaveEpoch };
        var id = _id;
        (_id, _epoch, _assigned, _saysAll) = ("", ConsumerHeartbeat.JoinEpoch, null, true);
        if (id.Length == 0) return;
        var answer = await Network.CallAsync(process, () => broker.Groups.HeartbeatAsync(heartbeat), Patience);
        if (answer?.Status == GroupStatus.Ok) Model.SawLeave(Group, id);
        Coverage.Saw($"left: {answer?.Status.ToString() ?? "no answer"}");
    }
}
