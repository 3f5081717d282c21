using Dragoman.Broker.Configs;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.State;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Groups;

/// <summary>Groups whose assignments are the broker's.</summary>
internal sealed partial class GroupShard
{
    /// <summary>Those that have members. Of the others there is only the record.</summary>
    private readonly Dictionary<GroupName, ConsumerGroup> _consumer = [];

    /// <summary>Takes what a member tells, and tells it what it shall have.</summary>
    public ValueTask<ConsumerAnswer> HeartbeatAsync(ConsumerHeartbeat request, CancellationToken cancellation)
    {
        string newMemberId;
        lock (Log.Lock) newMemberId = NewId().ToString();
        ConsumerDecision decision = null!;
        ConsumerChange? takeover = null;
        return RunAsync(
            () =>
            {
                decision = Decide(request, newMemberId, out takeover);
                return NeedsOf(request.Group, decision.Draft, takeover);
            },
            (commit, effects) =>
            {
                if (decision.Draft is { } draft) CarryOut(request.Group, draft, commit, effects, takeover, decision.Member);
                return decision.Answer;
            },
            urgent: request.Epoch < 0, cancellation);
    }

    /// <summary>What comes of a heartbeat; nothing is changed yet.</summary>
    /// <param name="request">The heartbeat.</param>
    /// <param name="newMemberId">The id of a member that has none.</param>
    /// <param name="takeover">What makes the group one that the broker assigns, if it is not; the decision is about what then is.</param>
    private ConsumerDecision Decide(ConsumerHeartbeat request, string newMemberId, out ConsumerChange? takeover)
    {
        takeover = null;
        if (_consumer.TryGetValue(request.Group, out var live)) return live.Decide(request, newMemberId);
        _state.Groups.TryGetValue(request.Group, out var record);
        if (record?.Consumer is { } empty) return NewConsumerGroup(request.Group, empty).Decide(request, newMemberId);
        if (request.Epoch != ConsumerHeartbeat.JoinEpoch) return Refuse($"Group {request.Group.Name} not found.");
        var state = new ConsumerState();
        if (_classic.TryGetValue(request.Group, out var classic) && classic.MemberCount > 0)
        {
            if (classic.ProtocolType != ClassicGroup.ConsumerType) return Refuse($"Group {request.Group.Name} is not a consumer group.");
            if (classic.MemberCount >= _options.ConsumerMaxSize) return Refuse($"Group {request.Group.Name} has too many members to become a consumer group.");
            takeover = ConsumerGroup.FromClassic(classic, WallClockMs);
            if (takeover is null) return Refuse($"What members of group {request.Group.Name} read is not known, so it cannot become a consumer group.");
        }
        else if (record?.Classic is { } was)
        {
            takeover = new ConsumerChange { Epoch = was.Generation, TargetEpoch = was.Generation, Assignor = "", AtMs = WallClockMs, Topics = null, Removed = [], Put = [], Targets = [] };
        }
        if (takeover is not null) state.Apply(takeover);
        return NewConsumerGroup(request.Group, state).Decide(request, newMemberId);

        ConsumerDecision Refuse(string why) => new(new ConsumerAnswer(GroupStatus.NotFound, request.MemberId, request.Epoch) { Message = why }, null, null);
    }

    private bool Join(JoinRequest request, ClassicDecision decision, TaskCompletionSource<JoinAnswer> waiting, Commit? commit, GroupEffects effects)
    {
        if (decision.Draft is { } draft)
        {
            CarryOut(request.Group, draft, commit, effects, null, decision.Member);
            _consumer[request.Group].OnJoined(decision.Member!, NowMs);
            Schedule(_consumer[request.Group]);
        }
        else if (decision.Answer.Status == GroupStatus.MemberIdRequired)
        {
            _consumer[request.Group].Expect(decision.Answer.MemberId, NowMs + request.SessionTimeoutMs, NowMs);
        }
        effects.Answer(waiting, decision.Answer);
        return true;
    }

    /// <summary>Journals what was decided, and sees to the times that follow from it.</summary>
    private void CarryOut(GroupName name, ConsumerDraft draft, Commit? commit, GroupEffects effects, ConsumerChange? takeover = null, ConsumerMember? touched = null)
    {
        if (takeover is not null) Emit(commit, evt => GroupEvents.ConsumerChanged(evt, name, takeover));
        _consumer.TryGetValue(name, out var group);
        if (group is not null && group.BecomesClassic(draft))
        {
            _consumer.Remove(name);
            var classic = ClassicGroup.From(name, draft.Members, group.State.Epoch, _options, NowMs, effects);
            _classic.Add(name, classic);
            Settle(classic, commit, effects);
            return;
        }
        var before = touched is null ? null : group?.State.Find(touched.Id);
        if (draft.IsChanged)
        {
            var change = draft.ToChange(WallClockMs);
            Emit(commit, evt => GroupEvents.ConsumerChanged(evt, name, change));
        }
        if (_classic.Remove(name, out var dissolved)) dissolved.Dissolve(effects, GroupStatus.RebalanceInProgress);
        if (group is null)
        {
            if (!_state.Groups.TryGetValue(name, out var record) || record.Consumer is not { Members.Count: > 0 } state) return;
            group = NewConsumerGroup(name, state);
            _consumer.Add(name, group);
            group.TakeUp(NowMs);
        }
        group.OnCarriedOut(draft);
        if (touched is not null) group.Touch(before, touched, NowMs);
        if (group.State.Members.Count == 0) _consumer.Remove(name);
        else if (draft.IsChanged) Schedule(group);
    }

    /// <summary>The bytes of the events of a decision; negative if there are none.</summary>
    private int NeedsOf(GroupName name, ConsumerDraft? draft, ConsumerChange? takeover = null)
    {
        if (draft is null || (!draft.IsChanged && takeover is null)) return -1;
        var size = GroupEvents.SizeOf(name) + draft.ToChange(0).SizeBound();
        if (takeover is not null) size += GroupEvents.SizeOf(name) + takeover.SizeBound();
        // Members that go back to assigning themselves are journaled in another form.
        return _consumer.TryGetValue(name, out var group) && group.BecomesClassic(draft) ? 2 * (size + group.State.ToChange().SizeBound()) : size;
    }

    private int NeedsOfOverdue(ConsumerGroup group)
    {
        var overdue = group.Overdue(NowMs);
        if (overdue.Count == 0) return -1;
        var draft = new ConsumerDraft(group.State);
        group.RemoveAll(draft, overdue);
        return NeedsOf(group.Name, draft);
    }

    /// <summary>Puts members out whose time is over.</summary>
    private void OnTime(ConsumerGroup group, Commit? commit, GroupEffects effects)
    {
        var overdue = group.Overdue(NowMs);
        if (overdue.Count == 0)
        {
            Schedule(group);
            return;
        }
        var draft = new ConsumerDraft(group.State);
        group.RemoveAll(draft, overdue);
        CarryOut(group.Name, draft, commit, effects);
    }

    private ConsumerGroup NewConsumerGroup(GroupName name, ConsumerState state) => new(name, state, _options, SettingsOf(name), _topicView) { ForgetsOwners = _defects.ForgetOwners };

    private ConsumerSettings SettingsOf(GroupName name) => ConsumerSettings.From(_configs.Get(ConsumerSettings.TargetOf(name)), _options);

    /// <summary>Takes in what is configured of groups now. Members hear of it with their next heartbeats.</summary>
    public void OnConfigured(ConfigTarget target)
    {
        lock (Log.Lock)
        {
            foreach (var group in _consumer.Values)
                if (ConsumerSettings.TargetOf(group.Name) == target) group.Settings = SettingsOf(group.Name);
        }
    }
}
