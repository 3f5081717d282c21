using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer.Assignors;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>
/// A group whose assignments are the broker's (KIP-848). Whenever the members or what they read change, the group's epoch
/// rises and new targets are made; each member goes there by itself: it first gives up what it shall not have, then is in
/// the new epoch, and gets what is free, and the rest when others have given it up. Nobody waits for everybody.
/// </summary>
/// <remarks>
/// A state machine without time, threads or disk of its own. What it decides are drafts over <see cref="ConsumerState"/>:
/// nothing changes before the caller, who holds the shard's lock, has journaled a draft. Members that follow the classic
/// protocol may be among the others (KIP-848, "Upgrade"); each is told to join again when there is something to give up
/// or to get.
/// </remarks>
internal sealed class ConsumerGroup(GroupName name, ConsumerState state, GroupOptions options, ConsumerSettings settings, TopicView topics) : ILiveGroup
{
    private const long Never = long.MaxValue;

    private static readonly IAssignor[] s_assignors = [new UniformAssignor(), new RangeAssignor()];

    private readonly Dictionary<string, MemberTimes> _times = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _expected = new(StringComparer.Ordinal);
    private long _topicsSeen = -1;

    public GroupName Name { get; } = name;

    public ConsumerState State { get; } = state;

    public ConsumerSettings Settings { get; set; } = settings;

    public long ScheduledAt { get; set; } = Never;

    /// <summary>The names of the assignors.</summary>
    public static IEnumerable<string> AssignorNames => s_assignors.Select(a => a.Name);

    /// <summary>When a member is out unless something happens.</summary>
    private sealed class MemberTimes
    {
        public long Session = Never;
        public long Revocation = Never;
        public long Join = Never;
        public long Sync = Never;

        public long Next => Math.Min(Math.Min(Session, Revocation), Math.Min(Join, Sync));
    }

    /// <summary>Gives all members a session's time to show that they live: the broker has just started, or taken the group over.</summary>
    public void TakeUp(long now)
    {
        foreach (var member in State.Members.Values)
        {
            var times = TimesOf(member.Id);
            times.Session = now + SessionOf(member);
            if (member.State == MemberState.Unrevoked && member.Classic is null) times.Revocation = now + member.RebalanceTimeoutMs;
        }
    }

    // ---- Heartbeats

    /// <summary>What comes of a heartbeat.</summary>
    /// <param name="request">The heartbeat.</param>
    /// <param name="newMemberId">The id of a member that has none.</param>
    public ConsumerDecision Decide(ConsumerHeartbeat request, string newMemberId)
    {
        var draft = new ConsumerDraft(State);
        if (request.Epoch is ConsumerHeartbeat.LeaveEpoch or ConsumerHeartbeat.AwayEpoch) return Leave(request, draft);
        var memberId = request.MemberId.Length > 0 ? request.MemberId : newMemberId;
        if (State.Members.Count >= options.ConsumerMaxSize && State.Find(memberId) is null)
            return Refuse(GroupStatus.GroupFull, request, $"The consumer group has reached its maximum capacity of {options.ConsumerMaxSize} members.");
        var status = Enter(request, memberId, draft, out var member, out var isNew);
        if (status != GroupStatus.Ok) return Refuse(status, request, Why(status, request));
        var before = State.Find(memberId);
        var updated = member with
        {
            InstanceId = request.InstanceId ?? member.InstanceId,
            Rack = request.Rack ?? member.Rack,
            ClientId = request.ClientId,
            ClientHost = request.ClientHost,
            RebalanceTimeoutMs = request.RebalanceTimeoutMs ?? member.RebalanceTimeoutMs,
            Topics = request.Topics is null ? member.Topics : Sorted(request.Topics, member.Topics),
            Pattern = request.TopicPattern is null ? member.Pattern : request.TopicPattern.Length == 0 ? null : request.TopicPattern,
            Assignor = request.Assignor ?? member.Assignor,
            Classic = null,
        };
        var owned = request.Owned is null ? null : PartitionSet.Of(request.Owned);
        updated = Advance(draft, updated, isNew || !updated.SubscribesAs(member), owned);
        var isFull = request.Epoch == ConsumerHeartbeat.JoinEpoch
            || (request.RebalanceTimeoutMs is not null && (request.Topics is not null || request.TopicPattern is not null) && request.Owned is not null);
        return new ConsumerDecision(new ConsumerAnswer(GroupStatus.Ok, updated.Id, updated.Epoch)
        {
            IntervalMs = IntervalFor(updated, draft.MemberCount),
            Assignment = isFull || before is null || !updated.Assigned.Equals(before.Assigned) ? updated.Assigned : null,
        }, draft, updated);
    }

    /// <summary>Finds the member that a heartbeat comes from, or makes it.</summary>
    private static GroupStatus Enter(ConsumerHeartbeat request, string memberId, ConsumerDraft draft, out ConsumerMember member, out bool isNew)
    {
        var joins = request.Epoch == ConsumerHeartbeat.JoinEpoch;
        var known = request.InstanceId is { } instance ? draft.FindInstance(instance) : draft.Find(memberId);
        member = known ?? new ConsumerMember { Id = memberId, InstanceId = request.InstanceId };
        isNew = known is null;
        if (known is null) return joins ? GroupStatus.Ok : GroupStatus.UnknownMember;
        if (!joins)
        {
            if (known.Id != memberId) return GroupStatus.FencedInstance;
            return IsCurrent(known, request) ? GroupStatus.Ok : GroupStatus.FencedMemberEpoch;
        }
        if (known.Id == memberId)
        {
            // Its client has begun anew, and says that it has nothing.
            member = known with { Epoch = 0, PreviousEpoch = 0, State = MemberState.Stable, Assigned = PartitionSet.Empty, Revoking = PartitionSet.Empty };
            draft.Put(member);
            return GroupStatus.Ok;
        }
        if (known.Classic is null && known.Epoch != ConsumerMember.AwayEpoch) return GroupStatus.UnreleasedInstance;
        member = TakePlace(draft, known, memberId);
        return GroupStatus.Ok;
    }

    /// <summary>Somebody takes the place of a static member, with all that it has.</summary>
    private static ConsumerMember TakePlace(ConsumerDraft draft, ConsumerMember old, string memberId)
    {
        var target = draft.TargetOf(old.Id);
        var member = old with { Id = memberId, Epoch = 0, PreviousEpoch = 0 };
        draft.Remove(old.Id);
        draft.Put(member);
        draft.SetTarget(memberId, target);
        return member;
    }

    /// <summary>
    /// Whether a member is in the epoch it says. It may be one behind, as the answer that told it of the new one may be
    /// lost; but then it must not have more than it shall have.
    /// </summary>
    private static bool IsCurrent(ConsumerMember member, ConsumerHeartbeat request) =>
        request.Epoch == member.Epoch
        || (request.Epoch < member.Epoch && request.Epoch == member.PreviousEpoch && request.Owned is not null && PartitionSet.Of(request.Owned).IsSubsetOf(member.Assigned));

    /// <summary>Names in order; the very list of before if it says the same, so that nothing seems to have changed.</summary>
    private static IReadOnlyList<TopicName> Sorted(IReadOnlyList<TopicName> names, IReadOnlyList<TopicName> before)
    {
        List<TopicName> sorted = [.. names.Distinct().OrderBy(n => n.Name, StringComparer.Ordinal)];
        return sorted.SequenceEqual(before) ? before : sorted;
    }

    private ConsumerDecision Leave(ConsumerHeartbeat request, ConsumerDraft draft)
    {
        var member = request.InstanceId is { } instance ? draft.FindInstance(instance) : draft.Find(request.MemberId);
        if (member is null) return Refuse(GroupStatus.UnknownMember, request, Why(GroupStatus.UnknownMember, request));
        if (member.Id != request.MemberId) return Refuse(GroupStatus.FencedInstance, request, Why(GroupStatus.FencedInstance, request));
        var answer = new ConsumerAnswer(GroupStatus.Ok, member.Id, request.Epoch);
        if (request.Epoch == ConsumerHeartbeat.AwayEpoch)
        {
            // It keeps its place, and what it has, for as long as its session lasts.
            var away = member with { Epoch = ConsumerMember.AwayEpoch, State = MemberState.Stable, Revoking = PartitionSet.Empty };
            draft.Put(away);
            return new ConsumerDecision(answer, draft, away);
        }
        RemoveAll(draft, [member.Id]);
        return new ConsumerDecision(answer, draft, null);
    }

    /// <summary>A draft in which members are gone; the others' targets are made when the next of them asks.</summary>
    public void RemoveAll(ConsumerDraft draft, IEnumerable<string> memberIds)
    {
        foreach (var id in memberIds) draft.Remove(id);
        Resolve(draft);
        draft.Bump(draft.Epoch + 1);
    }

    private static ConsumerDecision Refuse(GroupStatus status, ConsumerHeartbeat request, string why) =>
        new(new ConsumerAnswer(status, request.MemberId, request.Epoch) { Message = why }, null, null);

    private static string Why(GroupStatus status, ConsumerHeartbeat request) => status switch
    {
        GroupStatus.UnknownMember => $"Member {request.MemberId} is not a member of group {request.Group}.",
        GroupStatus.FencedInstance => $"Static member {request.MemberId} with instance id {request.InstanceId} was fenced by another member.",
        GroupStatus.UnreleasedInstance => $"Static member {request.MemberId} cannot join the group because the instance id {request.InstanceId} is owned by another member.",
        _ => $"The member epoch {request.Epoch} of member {request.MemberId} is not the one that the group knows. The member must abandon all its partitions and rejoin.",
    };

    /// <summary>A mistake that tests plant: partitions are given away before they are free.</summary>
    public bool ForgetsOwners { get; init; }

    // ---- From change to share

    /// <summary>Takes a member's change in, makes targets where they are due, and moves the member towards its own.</summary>
    private ConsumerMember Advance(ConsumerDraft draft, ConsumerMember updated, bool bump, PartitionSet? owned)
    {
        draft.Put(updated);
        if (bump || _topicsSeen != topics.Version) bump = Resolve(draft) || bump;
        if (bump) draft.Bump(draft.Epoch + 1);
        if (draft.Epoch > draft.TargetEpoch) MakeTargets(draft);
        updated = Reconcile(updated, draft.TargetEpoch, draft.TargetOf(updated.Id), owned, ForgetsOwners ? static _ => true : draft.IsFree);
        draft.Put(updated);
        return updated;
    }

    /// <summary>Looks which topics the members read now; true if that differs from what the group's epoch is for.</summary>
    private bool Resolve(ConsumerDraft draft)
    {
        draft.TopicsVersion = topics.Version;
        var resolved = new Dictionary<Guid, int>();
        foreach (var member in draft.Members)
            foreach (var topic in topics.TopicsOf(Name.Namespace, member)) resolved[topic.Id] = topic.Partitions.Count;
        if (resolved.Count == draft.Topics.Count && resolved.All(t => draft.Topics.GetValueOrDefault(t.Key) == t.Value)) return false;
        draft.Resolve(resolved);
        return true;
    }

    private void MakeTargets(ConsumerDraft draft)
    {
        var members = draft.Members.ToList();
        var assignor = PreferredAssignor(members);
        var shares = assignor.Assign(
            [.. members.Select(m => new AssignedMember(m.Id, m.InstanceId, topics.TopicsOf(Name.Namespace, m).Select(t => t.Id).ToHashSet(), draft.TargetOf(m.Id)))],
            draft.Topics);
        foreach (var member in members) draft.SetTarget(member.Id, shares.GetValueOrDefault(member.Id, PartitionSet.Empty));
        draft.SetAssigned(assignor.Name, draft.Epoch);
    }

    /// <summary>The one that most members ask for.</summary>
    private static IAssignor PreferredAssignor(List<ConsumerMember> members)
    {
        var wanted = members.Where(m => m.Assignor is not null).GroupBy(m => m.Assignor).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).FirstOrDefault()?.Key;
        return s_assignors.FirstOrDefault(a => a.Name == wanted) ?? s_assignors[0];
    }

    /// <summary>Moves a member one step towards its target.</summary>
    /// <param name="member">The member.</param>
    /// <param name="targetEpoch">The epoch of the target.</param>
    /// <param name="target">What it shall have.</param>
    /// <param name="owned">What it says that it has; null if it does not say.</param>
    /// <param name="isFree">Whether nobody has a partition.</param>
    public static ConsumerMember Reconcile(ConsumerMember member, int targetEpoch, PartitionSet target, PartitionSet? owned, Func<GroupPartition, bool> isFree)
    {
        if (member.IsReconciledTo(targetEpoch)) return member;
        var epoch = member.Epoch;
        if (member.State == MemberState.Unrevoked)
        {
            if (owned is null || owned.Overlaps(member.Revoking)) return member;
            // What it has given up for this epoch is given up; but the target may be of a later one by now.
            epoch++;
        }
        var keeps = member.Assigned.Intersect(target);
        var revokes = member.Assigned.Except(keeps);
        var wants = target.Except(keeps);
        // What it is only now giving up is not free yet for itself, either.
        var gets = wants.Where(p => isFree(p) || (member.State == MemberState.Unrevoked && member.Revoking.Contains(p)));
        if (!revokes.IsEmpty && (owned is null || owned.Overlaps(revokes)))
            return (epoch == member.Epoch ? member : member.InEpoch(epoch)) with { State = MemberState.Unrevoked, Assigned = keeps, Revoking = revokes };
        var state = gets.Count < wants.Count ? MemberState.Unreleased : MemberState.Stable;
        return (member.Epoch == targetEpoch ? member : member.InEpoch(targetEpoch)) with { State = state, Assigned = keeps.Union(gets), Revoking = PartitionSet.Empty };
    }

    // ---- Members that follow the classic protocol

    /// <summary>What comes of a classic member's join.</summary>
    public ClassicDecision DecideJoin(JoinRequest request, string newMemberId)
    {
        ClassicDecision Refuse(GroupStatus status) => new(new JoinAnswer(status, request.MemberId), null, null);
        var isUnknown = request.MemberId.Length == 0;
        var memberId = isUnknown ? newMemberId : request.MemberId;
        if (State.Members.Count >= options.ConsumerMaxSize && State.Find(memberId) is null) return Refuse(GroupStatus.GroupFull);
        if (!Suits(request, memberId)) return Refuse(GroupStatus.InconsistentProtocol);
        if (isUnknown && request.InstanceId is null && request.AwaitsMemberId) return new(new JoinAnswer(GroupStatus.MemberIdRequired, memberId), null, null);
        var draft = new ConsumerDraft(State);
        var known = request.InstanceId is { } instance ? draft.FindInstance(instance) : draft.Find(memberId);
        ConsumerMember member;
        if (known is null)
        {
            // Whoever was put out meanwhile has to hear so, as it may still use what others have by now.
            if (!isUnknown && !_expected.ContainsKey(memberId)) return Refuse(GroupStatus.UnknownMember);
            member = new ConsumerMember { Id = memberId, InstanceId = request.InstanceId };
        }
        else if (known.Id != memberId)
        {
            if (!isUnknown) return Refuse(GroupStatus.FencedInstance);
            member = TakePlace(draft, known, memberId);
        }
        else
        {
            member = known;
        }
        var updated = member with
        {
            Rack = request.Rack ?? member.Rack,
            ClientId = request.ClientId,
            ClientHost = request.ClientHost,
            RebalanceTimeoutMs = request.RebalanceTimeoutMs,
            Topics = Sorted(request.Topics!, member.Topics),
            Pattern = null,
            Assignor = null,
            Classic = new ClassicMembership(request.SessionTimeoutMs, request.Protocols),
        };
        updated = Advance(draft, updated, known is null || !updated.SubscribesAs(member), PartitionSet.Of(request.Owned));
        var answer = new JoinAnswer(GroupStatus.Ok, updated.Id) { Generation = updated.Epoch, ProtocolType = ClassicGroup.ConsumerType, Protocol = request.Protocols[0].Name };
        return new ClassicDecision(answer, draft, updated);
    }

    private bool Suits(JoinRequest request, string memberId)
    {
        if (request.ProtocolType != ClassicGroup.ConsumerType || request.Protocols.Count == 0 || request.Topics is null) return false;
        var others = State.Members.Values.Where(m => m.Classic is not null && m.Id != memberId).ToList();
        return request.Protocols.Any(p => others.All(m => m.Classic!.Protocols.Any(o => o.Name == p.Name)));
    }

    /// <summary>Somebody was told the id to join with.</summary>
    public void Expect(string memberId, long until, long now)
    {
        foreach (var late in _expected.Where(e => e.Value <= now).Select(e => e.Key).ToList()) _expected.Remove(late);
        _expected[memberId] = until;
    }

    /// <summary>A classic member has heard of its epoch, and is to ask for its share.</summary>
    public void OnJoined(ConsumerMember member, long now)
    {
        _expected.Remove(member.Id);
        var times = TimesOf(member.Id);
        times.Session = now + SessionOf(member);
        times.Revocation = Never;
        times.Join = Never;
        times.Sync = now + member.RebalanceTimeoutMs;
    }

    /// <summary>Gives a classic member its share.</summary>
    public SyncAnswer Sync(SyncRequest request, long now)
    {
        var status = CheckClassic(request.Caller, out var member);
        if (status != GroupStatus.Ok) return SyncAnswer.Refused(status);
        var protocol = member!.Classic!.Protocols[0];
        if ((request.ProtocolType is not null && request.ProtocolType != ClassicGroup.ConsumerType) || (request.Protocol is not null && request.Protocol != protocol.Name))
            return SyncAnswer.Refused(GroupStatus.InconsistentProtocol);
        var times = TimesOf(member.Id);
        if (State.Epoch > member.Epoch && member.State != MemberState.Unrevoked)
        {
            ExpectJoin(times, member, now);
            return SyncAnswer.Refused(GroupStatus.RebalanceInProgress);
        }
        times.Sync = Never;
        times.Session = now + SessionOf(member);
        return new SyncAnswer(GroupStatus.Ok, []) { ProtocolType = ClassicGroup.ConsumerType, Protocol = protocol.Name, Partitions = member.Assigned, Metadata = protocol.Metadata };
    }

    /// <summary>Takes a classic member's sign of life, and tells it to join again where it has to give up or to get something.</summary>
    public GroupStatus Heartbeat(GroupCaller caller, long now)
    {
        var status = CheckClassic(caller, out var member);
        if (status != GroupStatus.Ok) return status;
        var times = TimesOf(member!.Id);
        times.Session = now + SessionOf(member);
        var isDue = member.Epoch < State.Epoch || member.State == MemberState.Unrevoked || (member.State == MemberState.Unreleased && !WaitsForOthers(member)) || HaveTopicsChanged();
        if (!isDue) return GroupStatus.Ok;
        ExpectJoin(times, member, now);
        return GroupStatus.RebalanceInProgress;
    }

    /// <summary>Whether the members read other topics now than the group's epoch is for. Whoever joins next sees to it.</summary>
    private bool HaveTopicsChanged()
    {
        if (_topicsSeen == topics.Version) return false;
        var draft = new ConsumerDraft(State);
        if (Resolve(draft)) return true;
        _topicsSeen = draft.TopicsVersion;
        return false;
    }

    private static void ExpectJoin(MemberTimes times, ConsumerMember member, long now)
    {
        if (times.Join == Never) times.Join = now + member.RebalanceTimeoutMs;
    }

    private bool WaitsForOthers(ConsumerMember member)
    {
        foreach (var partition in State.TargetOf(member.Id))
            if (State.OwnerOf(partition) is { } owner && owner != member.Id) return true;
        return false;
    }

    private GroupStatus CheckClassic(GroupCaller caller, out ConsumerMember? member)
    {
        var status = Validate(caller.MemberId, caller.InstanceId, out member);
        if (status != GroupStatus.Ok) return status;
        if (member!.Classic is null) return GroupStatus.UnknownMember;
        return caller.Generation == member.Epoch ? GroupStatus.Ok : GroupStatus.IllegalGeneration;
    }

    private GroupStatus Validate(string memberId, string? instanceId, out ConsumerMember? member)
    {
        member = instanceId is null ? State.Find(memberId) : State.FindInstance(instanceId);
        if (member is null) return GroupStatus.UnknownMember;
        return member.Id == memberId ? GroupStatus.Ok : GroupStatus.FencedInstance;
    }

    /// <summary>What comes of classic members' leaving.</summary>
    public (GroupStatus[] Answers, ConsumerDraft? Draft) DecideLeave(IReadOnlyList<LeavingMember> leaving)
    {
        var answers = new GroupStatus[leaving.Count];
        var gone = new List<string>();
        for (var i = 0; i < answers.Length; i++)
        {
            // Whoever administers the group names static members by their instance alone.
            var id = leaving[i].MemberId.Length == 0 && leaving[i].InstanceId is { } instance ? State.FindInstance(instance)?.Id ?? "" : leaving[i].MemberId;
            answers[i] = Validate(id, leaving[i].InstanceId, out var member);
            if (answers[i] == GroupStatus.Ok && member!.Classic is null && leaving[i].InstanceId is null) answers[i] = GroupStatus.UnknownMember;
            if (answers[i] == GroupStatus.Ok && !gone.Contains(id)) gone.Add(id);
        }
        if (gone.Count == 0) return (answers, null);
        var draft = new ConsumerDraft(State);
        RemoveAll(draft, gone);
        return (answers, draft);
    }

    /// <summary>Whether only members that follow the classic protocol would be left: then they assign themselves again.</summary>
    public bool BecomesClassic(ConsumerDraft draft)
    {
        var any = false;
        foreach (var member in draft.Members)
        {
            if (member.Classic is null) return false;
            any = true;
        }
        return any && State.Members.Values.Any(m => m.Classic is null) && draft.MemberCount <= options.MaxSize;
    }

    // ---- Time

    /// <summary>After a draft was journaled: a member's times follow from where it now stands.</summary>
    /// <param name="before">The member before; null if it is new.</param>
    /// <param name="member">The member now.</param>
    /// <param name="now">The time.</param>
    public void Touch(ConsumerMember? before, ConsumerMember member, long now)
    {
        var times = TimesOf(member.Id);
        times.Session = now + SessionOf(member);
        times.Join = Never;
        times.Sync = Never;
        if (member.State != MemberState.Unrevoked) times.Revocation = Never;
        else if (times.Revocation == Never || before is null || !before.Revoking.Equals(member.Revoking)) times.Revocation = now + member.RebalanceTimeoutMs;
    }

    /// <summary>After a draft was carried out: notes what the subscriptions mean now, and forgets the times of those who have gone.</summary>
    public void OnCarriedOut(ConsumerDraft draft)
    {
        if (draft.TopicsVersion >= 0) _topicsSeen = draft.TopicsVersion;
        if (_times.Count == State.Members.Count) return;
        foreach (var id in _times.Keys.Where(id => State.Find(id) is null).ToList()) _times.Remove(id);
    }

    public long NextDeadline()
    {
        var next = Never;
        foreach (var times in _times.Values) next = Math.Min(next, times.Next);
        return next;
    }

    /// <summary>The members whose time is over.</summary>
    public List<string> Overdue(long now) => [.. _times.Where(t => t.Value.Next <= now).Select(t => t.Key)];

    private MemberTimes TimesOf(string memberId)
    {
        if (!_times.TryGetValue(memberId, out var times)) _times.Add(memberId, times = new MemberTimes());
        return times;
    }

    private long SessionOf(ConsumerMember member) => member.Classic?.SessionTimeoutMs ?? Settings.SessionTimeoutMs;

    /// <summary>
    /// When to hear of a member again. While it waits for others it asks often. Otherwise an interval bounds how soon it
    /// learns of a change: short in small groups, and in large ones such that heartbeats stay few.
    /// </summary>
    private int IntervalFor(ConsumerMember member, int members)
    {
        if (Settings.HeartbeatIntervalMs is { } set) return set;
        var longest = (int)options.ConsumerHeartbeatInterval.TotalMilliseconds;
        var regular = Math.Clamp(members * 10, Math.Min(500, longest), longest);
        return member.State == MemberState.Stable ? regular : Math.Min(regular, 100);
    }

    // ---- Offsets

    /// <summary>Whether somebody may commit offsets now.</summary>
    public GroupStatus CheckCommit(GroupCaller caller, bool transactional)
    {
        if (caller.Generation < 0 && State.Members.Count == 0) return GroupStatus.Ok;
        // Older versions of transactional commits name no member.
        if (transactional && caller.Generation < 0 && caller.MemberId.Length == 0) return GroupStatus.Ok;
        var status = CheckEpoch(caller);
        return transactional && status == GroupStatus.StaleMemberEpoch ? GroupStatus.IllegalGeneration : status;
    }

    /// <summary>Whether somebody may ask for offsets now.</summary>
    public GroupStatus CheckFetch(GroupCaller caller) => caller.Generation < 0 && caller.MemberId.Length == 0 ? GroupStatus.Ok : CheckEpoch(caller);

    private GroupStatus CheckEpoch(GroupCaller caller)
    {
        if (State.Find(caller.MemberId) is not { } member) return GroupStatus.UnknownMember;
        if (caller.Generation == member.Epoch) return GroupStatus.Ok;
        return member.Classic is null ? GroupStatus.StaleMemberEpoch : GroupStatus.IllegalGeneration;
    }

    /// <summary>Whether a member reads a topic.</summary>
    public bool IsSubscribedTo(ITopicHandle topic) => State.Members.Count > 0 && State.Topics.ContainsKey(topic.Id);

    // ---- Becoming one

    /// <summary>
    /// A classic group's members as those of a group whose assignments are the broker's: each has what it had, in the
    /// group's generation. Null if the broker does not know what they read.
    /// </summary>
    public static ConsumerChange? FromClassic(ClassicGroup classic, long wallClockMs)
    {
        if (classic.Members.Any(m => m.Topics is null || m.Share.Partitions is null)) return null;
        var members = new List<ConsumerMember>();
        var taken = new HashSet<GroupPartition>();
        foreach (var member in classic.Members)
        {
            // The members have dealt the shares themselves; nothing kept them from giving one partition to two.
            var share = PartitionSet.Of(member.Share.Partitions!.Where(taken.Add));
            members.Add(new ConsumerMember
            {
                Id = member.Id,
                InstanceId = member.InstanceId,
                ClientId = member.ClientId,
                ClientHost = member.ClientHost,
                RebalanceTimeoutMs = member.RebalanceTimeoutMs,
                Topics = Sorted(member.Topics!, []),
                Classic = new ClassicMembership(member.SessionTimeoutMs, member.Protocols),
                Epoch = classic.Generation,
                PreviousEpoch = classic.Generation,
                Assigned = share,
            });
        }
        return new ConsumerChange
        {
            Epoch = classic.Generation,
            TargetEpoch = classic.Generation,
            Assignor = "",
            AtMs = wallClockMs,
            Topics = new Dictionary<Guid, int>(),
            Removed = [],
            Put = members,
            Targets = [.. members.Select(m => KeyValuePair.Create(m.Id, m.Assigned))],
        };
    }
}
