using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.State;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Groups.Classic;

/// <summary>
/// A group whose members assign themselves (Kafka's classic protocol): they join a generation together, one of them
/// leads and hands out the shares. A state machine without time, threads or disk of its own: whoever calls it holds the
/// shard's lock, says what time it is in milliseconds of a monotonic clock, journals it where it says so, and gives
/// its answers.
/// </summary>
/// <remarks>
/// What is durable is a generation as its leader has assigned it, and that a group is empty. A generation that is not yet
/// assigned is lost in a crash; its members then hear that they are in none, and join again.
/// </remarks>
internal sealed class ClassicGroup(GroupName name, GroupOptions options, int generation = 0) : ILiveGroup
{
    /// <summary>What groups of Kafka's consumers are about.</summary>
    public const string ConsumerType = "consumer";

    private const long Never = long.MaxValue;

    private readonly OrderedDictionary<string, ClassicMember> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _instances = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _expected = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unsynced = new(StringComparer.Ordinal);
    private bool _isInitial;
    private bool _moreCame;
    private long _initialDelay;
    private long _initialRemaining;
    private long _joinDeadline = Never;
    private long _syncDeadline = Never;

    public GroupName Name { get; } = name;

    public ClassicState State { get; private set; }

    public int Generation { get; private set; } = generation;

    public string? ProtocolType { get; private set; }

    /// <summary>The way of assigning of this generation.</summary>
    public string? Protocol { get; private set; }

    /// <summary>The id of the member that assigns.</summary>
    public string? Leader { get; private set; }

    public IEnumerable<ClassicMember> Members => _members.Values;

    public int MemberCount => _members.Count;

    /// <summary>Whether there is nothing to remember beyond what is durable.</summary>
    public bool IsIdle => _members.Count == 0 && _expected.Count == 0 && State == ClassicState.Empty;

    /// <summary>For the shard: when it will look at the group next.</summary>
    public long ScheduledAt { get; set; } = Never;

    /// <summary>Takes a group up as it was journaled. Its members have a session's time to show that they live.</summary>
    public static ClassicGroup From(GroupName name, ClassicRecord record, GroupOptions options, long now)
    {
        var group = new ClassicGroup(name, options)
        {
            Generation = record.Generation,
            ProtocolType = record.ProtocolType,
            Protocol = record.Protocol,
            Leader = record.Leader,
            State = record.Members.Count == 0 ? ClassicState.Empty : ClassicState.Stable,
        };
        foreach (var saved in record.Members)
        {
            var member = new ClassicMember(saved.Id, saved.InstanceId, saved.ClientId, saved.ClientHost)
            {
                SessionTimeoutMs = saved.SessionTimeoutMs,
                RebalanceTimeoutMs = saved.RebalanceTimeoutMs,
                Protocols = saved.Protocols,
                Topics = saved.Topics,
                Share = saved.Share,
                ExpiresAt = now + saved.SessionTimeoutMs,
            };
            group._members.Add(member.Id, member);
            if (member.InstanceId is { } instance) group._instances.Add(instance, member.Id);
        }
        return group;
    }

    /// <summary>
    /// Takes over from the broker a group of which only members are left that follow this protocol. They are in a
    /// generation, and have to join the next one.
    /// </summary>
    public static ClassicGroup From(GroupName name, IEnumerable<ConsumerMember> members, int generation, GroupOptions options, long now, GroupEffects effects)
    {
        var group = new ClassicGroup(name, options) { Generation = generation, ProtocolType = ConsumerType, State = ClassicState.Stable };
        foreach (var saved in members)
        {
            var member = new ClassicMember(saved.Id, saved.InstanceId, saved.ClientId, saved.ClientHost)
            {
                SessionTimeoutMs = saved.Classic!.SessionTimeoutMs,
                RebalanceTimeoutMs = saved.RebalanceTimeoutMs,
                Protocols = saved.Classic.Protocols,
                Topics = saved.Topics,
                ExpiresAt = now + saved.Classic.SessionTimeoutMs,
            };
            group._members.Add(member.Id, member);
            if (member.InstanceId is { } instance) group._instances.Add(instance, member.Id);
            group.Leader ??= member.Id;
        }
        group.Protocol = group.ChooseProtocol();
        effects.Changed = true;
        group.PrepareRebalance(now, effects);
        return group;
    }

    /// <summary>Gives the group over to somebody else: whoever waits has to ask again.</summary>
    public void Dissolve(GroupEffects effects, GroupStatus status)
    {
        foreach (var member in Members)
        {
            if (member.Joining is { } joining) effects.Answer(joining, new JoinAnswer(status, member.Id));
            if (member.Syncing is { } syncing) effects.Answer(syncing, SyncAnswer.Refused(status));
        }
    }

    /// <summary>The durable part, as it is to be journaled now.</summary>
    public ClassicRecord ToRecord(long wallClockMs) => new()
    {
        ProtocolType = ProtocolType ?? "",
        Generation = Generation,
        Protocol = Protocol,
        Leader = Leader,
        SinceMs = wallClockMs,
        Members =
        [
            .. Members.Select(m => new ClassicMemberRecord
            {
                Id = m.Id,
                InstanceId = m.InstanceId,
                ClientId = m.ClientId,
                ClientHost = m.ClientHost,
                SessionTimeoutMs = m.SessionTimeoutMs,
                RebalanceTimeoutMs = m.RebalanceTimeoutMs,
                Protocols = m.Protocols,
                Topics = m.Topics,
                Share = m.Share,
            }),
        ],
    };

    public ClassicMember? Find(string memberId) => _members.GetValueOrDefault(memberId);

    /// <summary>Whether a member is awaited to join with the id that it was told.</summary>
    public bool Expects(string memberId) => _expected.ContainsKey(memberId);

    /// <summary>
    /// Whether a join would change what is durable at once: it takes a static member's place without disturbing the others.
    /// </summary>
    public bool JoinChangesRecord(JoinRequest request) =>
        State == ClassicState.Stable && request.MemberId.Length == 0 && request.InstanceId is { } instance && _instances.ContainsKey(instance);

    /// <summary>Whether a request for a share would change what is durable at once: it is the leader's.</summary>
    public bool SyncChangesRecord(SyncRequest request) =>
        State == ClassicState.CompletingRebalance && request.Caller.MemberId == Leader && request.Caller.Generation == Generation;

    // ---- Joining

    /// <summary>Has somebody join; the answer comes now, or when the generation is complete.</summary>
    /// <param name="request">Who, and as what.</param>
    /// <param name="waiting">Who waits for the answer.</param>
    /// <param name="newMemberId">The id to give to somebody who has none.</param>
    /// <param name="now">The time.</param>
    /// <param name="effects">What comes of it.</param>
    public void Join(JoinRequest request, TaskCompletionSource<JoinAnswer> waiting, string newMemberId, long now, GroupEffects effects)
    {
        if (!HasRoomFor(request.MemberId))
        {
            Remove(request.MemberId);
            effects.Answer(waiting, new JoinAnswer(GroupStatus.GroupFull, ""));
            CompleteJoinIfAllAreHere(now, effects);
            return;
        }
        if (!Suits(request))
        {
            effects.Answer(waiting, new JoinAnswer(GroupStatus.InconsistentProtocol, request.MemberId));
            return;
        }
        if (request.MemberId.Length > 0)
        {
            JoinAgain(request, waiting, now, effects);
        }
        else if (request.InstanceId is { } instance && _instances.TryGetValue(instance, out var oldId))
        {
            Replace(request, waiting, oldId, newMemberId, now, effects);
        }
        else if (request.InstanceId is null && request.AwaitsMemberId)
        {
            _expected.Add(newMemberId, now + request.SessionTimeoutMs);
            effects.Answer(waiting, new JoinAnswer(GroupStatus.MemberIdRequired, newMemberId));
        }
        else
        {
            Add(request, waiting, newMemberId, now, effects);
        }
    }

    private bool HasRoomFor(string memberId) => State switch
    {
        ClassicState.Empty => true,
        // While members join, those who have joined count: with a maximum that was lowered, the last ones stay out.
        ClassicState.PreparingRebalance => Find(memberId)?.Joining is not null || Members.Count(m => m.Joining is not null) < options.MaxSize,
        _ => _members.ContainsKey(memberId) || _members.Count < options.MaxSize,
    };

    /// <summary>Whether a member can be in one group with the others: it is about the same, and they have a way of assigning in common.</summary>
    private bool Suits(JoinRequest request)
    {
        if (request.ProtocolType.Length == 0 || request.Protocols.Count == 0) return false;
        if (_members.Count == 0) return true;
        return request.ProtocolType == ProtocolType && request.Protocols.Any(p => Members.All(m => m.Speaks(p.Name)));
    }

    private void JoinAgain(JoinRequest request, TaskCompletionSource<JoinAnswer> waiting, long now, GroupEffects effects)
    {
        if (_expected.ContainsKey(request.MemberId))
        {
            // An id is told to dynamic members only, so a static one that has it has it from elsewhere.
            if (request.InstanceId is null) Add(request, waiting, request.MemberId, now, effects);
            else effects.Answer(waiting, new JoinAnswer(GroupStatus.UnknownMember, request.MemberId));
            return;
        }
        var status = Validate(request.MemberId, request.InstanceId);
        if (status != GroupStatus.Ok)
        {
            effects.Answer(waiting, new JoinAnswer(status, request.MemberId));
            return;
        }
        var member = _members[request.MemberId];
        var isSame = member.Matches(request.Protocols);
        var joins = State switch
        {
            ClassicState.PreparingRebalance => true,
            // Saying the same again means that it has not heard the answer.
            ClassicState.CompletingRebalance => !isSame,
            // The leader joins again when what it assigns has changed, as when a topic has more partitions.
            _ => member.Id == Leader || !isSame,
        };
        if (!joins)
        {
            effects.Answer(waiting, Describe(member, withMembers: State == ClassicState.CompletingRebalance && member.Id == Leader));
            return;
        }
        Update(member, request, waiting, effects);
        Rebalance(now, effects);
    }

    private void Add(JoinRequest request, TaskCompletionSource<JoinAnswer> waiting, string memberId, long now, GroupEffects effects)
    {
        _expected.Remove(memberId);
        if (_members.Count == 0) ProtocolType = request.ProtocolType;
        var member = new ClassicMember(memberId, request.InstanceId, request.ClientId, request.ClientHost)
        {
            IsNew = true,
            ExpiresAt = now + (long)options.NewMemberJoinTimeout.TotalMilliseconds,
        };
        _members.Add(memberId, member);
        if (member.InstanceId is { } instance) _instances.Add(instance, memberId);
        Leader ??= memberId;
        if (State == ClassicState.PreparingRebalance && _isInitial) _moreCame = true;
        Update(member, request, waiting, effects);
        Rebalance(now, effects);
    }

    private static void Update(ClassicMember member, JoinRequest request, TaskCompletionSource<JoinAnswer> waiting, GroupEffects effects)
    {
        member.Protocols = request.Protocols;
        member.Topics = request.Topics;
        member.SessionTimeoutMs = request.SessionTimeoutMs;
        member.RebalanceTimeoutMs = request.RebalanceTimeoutMs;
        // A client that asks again has given up on its first request.
        if (member.Joining is { } earlier) effects.Answer(earlier, new JoinAnswer(GroupStatus.RebalanceInProgress, member.Id));
        member.Joining = waiting;
    }

    /// <summary>A static member comes back without its id: it takes its own place, and whoever had the id is out.</summary>
    private void Replace(JoinRequest request, TaskCompletionSource<JoinAnswer> waiting, string oldId, string newId, long now, GroupEffects effects)
    {
        var wasLeader = oldId == Leader;
        var old = _members[oldId];
        if (old.Joining is not null) effects.Answer(old.Joining, new JoinAnswer(GroupStatus.FencedInstance, oldId));
        if (old.Syncing is not null) effects.Answer(old.Syncing, SyncAnswer.Refused(GroupStatus.FencedInstance));
        var member = new ClassicMember(newId, old.InstanceId, request.ClientId, request.ClientHost)
        {
            Share = old.Share,
            ExpiresAt = now + request.SessionTimeoutMs,
        };
        _members.SetAt(_members.IndexOf(oldId), newId, member);
        _instances[member.InstanceId!] = newId;
        if (_unsynced.Remove(oldId)) _unsynced.Add(newId);
        if (wasLeader) Leader = newId;
        Update(member, request, waiting, effects);
        switch (State)
        {
            case ClassicState.Stable when ChooseProtocol() == Protocol && ReadTheSame(old, member):
                // Nothing changes for the others. Before KIP-814 a returning leader could not be told to leave the assignment
                // as it is, so it hears that somebody else leads.
                member.Joining = null;
                effects.Changed = true;
                effects.Answer(waiting, request.CanSkipAssignment
                    ? Describe(member, withMembers: wasLeader) with { SkipAssignment = wasLeader }
                    : Describe(member, withMembers: false) with { Leader = wasLeader ? oldId : Leader ?? "" });
                break;
            case ClassicState.PreparingRebalance:
                CompleteJoinIfAllAreHere(now, effects);
                break;
            default:
                // The leader may be assigning to the old id at this moment.
                Rebalance(now, effects);
                break;
        }
    }

    /// <summary>
    /// Whether two members read the same topics. Kafka does not ask, so that a static member which comes back for another
    /// topic gets none of it before something else makes the others join.
    /// </summary>
    private static bool ReadTheSame(ClassicMember old, ClassicMember now) =>
        old.Topics is null || now.Topics is null || old.Topics.ToHashSet().SetEquals(now.Topics);

    private JoinAnswer Describe(ClassicMember member, bool withMembers) => new(GroupStatus.Ok, member.Id)
    {
        Generation = Generation,
        ProtocolType = ProtocolType,
        Protocol = Protocol,
        Leader = Leader ?? "",
        Members = withMembers ? [.. Members.Select(m => new JoinedMember(m.Id, m.InstanceId, m.MetadataFor(Protocol)))] : [],
    };

    // ---- From one generation to the next

    private long RebalanceTimeout => _members.Count == 0 ? 0 : Members.Max(m => (long)m.RebalanceTimeoutMs);

    private bool AllAreHere => _expected.Count == 0 && Members.All(m => m.Joining is not null);

    private void Rebalance(long now, GroupEffects effects)
    {
        if (State == ClassicState.PreparingRebalance) CompleteJoinIfAllAreHere(now, effects);
        else PrepareRebalance(now, effects);
    }

    private void PrepareRebalance(long now, GroupEffects effects)
    {
        foreach (var member in Members)
        {
            if (State == ClassicState.CompletingRebalance) member.Share = GroupShare.None;
            if (member.Syncing is null) continue;
            effects.Answer(member.Syncing, SyncAnswer.Refused(GroupStatus.RebalanceInProgress));
            member.Syncing = null;
            member.ExpiresAt = now + member.SessionTimeoutMs;
        }
        _unsynced.Clear();
        _syncDeadline = Never;
        _isInitial = State == ClassicState.Empty;
        State = ClassicState.PreparingRebalance;
        _initialDelay = (long)options.InitialRebalanceDelay.TotalMilliseconds;
        if (_isInitial && _initialDelay > 0)
        {
            // Where one member begins, others often follow: one generation for all of them instead of one for each.
            _moreCame = false;
            _initialRemaining = Math.Max(RebalanceTimeout - _initialDelay, 0);
            _joinDeadline = now + _initialDelay;
            return;
        }
        _isInitial = false;
        if (AllAreHere) CompleteJoin(now, effects);
        else _joinDeadline = now + RebalanceTimeout;
    }

    private void CompleteJoinIfAllAreHere(long now, GroupEffects effects)
    {
        if (State == ClassicState.PreparingRebalance && !_isInitial && AllAreHere) CompleteJoin(now, effects);
    }

    private void OnJoinDeadline(long now, GroupEffects effects)
    {
        if (_isInitial && _moreCame && _initialRemaining > 0)
        {
            _moreCame = false;
            var delay = Math.Min((long)options.InitialRebalanceDelay.TotalMilliseconds, _initialRemaining);
            _initialRemaining = Math.Max(_initialRemaining - _initialDelay, 0);
            _initialDelay = delay;
            _joinDeadline = now + delay;
            return;
        }
        CompleteJoin(now, effects);
    }

    private void CompleteJoin(long now, GroupEffects effects)
    {
        _joinDeadline = Never;
        // Dynamic members that have not come are out; static ones keep their place for as long as their session lasts.
        foreach (var absent in Members.Where(m => m.Joining is null && m.InstanceId is null).ToList()) Remove(absent.Id);
        if (_members.Count > 0 && !ElectLeader())
        {
            // Only static members are left, and none of them is here: wait for them, or for their sessions to end.
            _isInitial = false;
            _joinDeadline = now + RebalanceTimeout;
            return;
        }
        _isInitial = false;
        Generation++;
        if (_members.Count == 0)
        {
            Protocol = null;
            Leader = null;
            State = ClassicState.Empty;
            effects.Changed = true;
            return;
        }
        Protocol = ChooseProtocol();
        State = ClassicState.CompletingRebalance;
        foreach (var member in Members)
        {
            if (member.Joining is { } waiting) effects.Answer(waiting, Describe(member, withMembers: member.Id == Leader));
            member.Joining = null;
            member.IsNew = false;
            member.Share = GroupShare.None;
            member.ExpiresAt = now + member.SessionTimeoutMs;
            _unsynced.Add(member.Id);
        }
        _syncDeadline = now + RebalanceTimeout;
    }

    private bool ElectLeader()
    {
        if (Leader is not null && _members[Leader].Joining is not null) return true;
        var next = Members.FirstOrDefault(m => m.Joining is not null);
        if (next is null) return false;
        Leader = next.Id;
        return true;
    }

    /// <summary>Each member votes for the way of assigning that it likes best among those that all know.</summary>
    private string ChooseProtocol()
    {
        var votes = new OrderedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var member in Members)
        {
            var vote = member.Protocols.First(p => Members.All(m => m.Speaks(p.Name))).Name;
            votes[vote] = votes.GetValueOrDefault(vote) + 1;
        }
        return votes.MaxBy(v => v.Value).Key;
    }

    // ---- Assigning

    /// <summary>Has a member ask for its share; the answer comes now, or when the leader has assigned.</summary>
    public void Sync(SyncRequest request, TaskCompletionSource<SyncAnswer> waiting, long now, GroupEffects effects)
    {
        var status = CheckSync(request);
        if (status != GroupStatus.Ok)
        {
            effects.Answer(waiting, SyncAnswer.Refused(status));
            return;
        }
        var member = _members[request.Caller.MemberId];
        _unsynced.Remove(member.Id);
        if (_unsynced.Count == 0) _syncDeadline = Never;
        member.ExpiresAt = now + member.SessionTimeoutMs;
        if (State == ClassicState.Stable)
        {
            effects.Answer(waiting, ShareOf(member));
            return;
        }
        if (member.Syncing is { } earlier) effects.Answer(earlier, SyncAnswer.Refused(GroupStatus.RebalanceInProgress));
        member.Syncing = waiting;
        if (member.Id != Leader) return;
        foreach (var each in Members) each.Share = GroupShare.None;
        foreach (var (id, share) in request.Shares)
            if (_members.TryGetValue(id, out var assigned)) assigned.Share = share;
        State = ClassicState.Stable;
        effects.Changed = true;
        foreach (var each in Members)
        {
            if (each.Syncing is null) continue;
            effects.Answer(each.Syncing, ShareOf(each));
            each.Syncing = null;
            each.ExpiresAt = now + each.SessionTimeoutMs;
        }
    }

    private GroupStatus CheckSync(SyncRequest request)
    {
        var status = Validate(request.Caller.MemberId, request.Caller.InstanceId);
        if (status != GroupStatus.Ok) return status;
        if (request.Caller.Generation != Generation) return GroupStatus.IllegalGeneration;
        if ((request.ProtocolType is not null && request.ProtocolType != ProtocolType) || (request.Protocol is not null && Protocol is not null && request.Protocol != Protocol))
            return GroupStatus.InconsistentProtocol;
        return State == ClassicState.PreparingRebalance ? GroupStatus.RebalanceInProgress : GroupStatus.Ok;
    }

    private SyncAnswer ShareOf(ClassicMember member) => new(GroupStatus.Ok, member.Share.Data) { ProtocolType = ProtocolType, Protocol = Protocol };

    // ---- Living and leaving

    /// <summary>Takes a member's sign of life.</summary>
    public GroupStatus Heartbeat(GroupCaller caller, long now)
    {
        var status = Validate(caller.MemberId, caller.InstanceId);
        if (status != GroupStatus.Ok) return status;
        if (caller.Generation != Generation) return GroupStatus.IllegalGeneration;
        Touch(_members[caller.MemberId], now);
        return State == ClassicState.PreparingRebalance ? GroupStatus.RebalanceInProgress : GroupStatus.Ok;
    }

    private static void Touch(ClassicMember member, long now) => member.ExpiresAt = now + member.SessionTimeoutMs;

    /// <summary>Has members leave; the answers are in the order of the members.</summary>
    public GroupStatus[] Leave(IReadOnlyList<LeavingMember> leaving, long now, GroupEffects effects)
    {
        var answers = new GroupStatus[leaving.Count];
        var any = false;
        for (var i = 0; i < answers.Length; i++)
        {
            var id = leaving[i].MemberId;
            if (id.Length == 0) id = leaving[i].InstanceId is { } instance ? _instances.GetValueOrDefault(instance, "") : "";
            answers[i] = _expected.ContainsKey(id) ? GroupStatus.Ok : Validate(id, leaving[i].InstanceId);
            if (answers[i] != GroupStatus.Ok) continue;
            Drop(id, effects);
            any = true;
        }
        if (any) AfterLoss(now, effects);
        return answers;
    }

    /// <summary>Gives up on a join that nobody waits for any more, if the member is new and so cannot know its place.</summary>
    public void Abandon(string memberId, TaskCompletionSource<JoinAnswer> waiting, long now, GroupEffects effects)
    {
        if (Find(memberId) is not { IsNew: true } member || member.Joining != waiting) return;
        Remove(memberId);
        AfterLoss(now, effects);
    }

    /// <summary>The member whose join waits, as long as it does.</summary>
    public string? MemberWaitingWith(TaskCompletionSource<JoinAnswer> waiting) => Members.FirstOrDefault(m => m.Joining == waiting)?.Id;

    private void Drop(string memberId, GroupEffects effects)
    {
        var member = Find(memberId);
        // Whoever still waits joins again, as a new member, if it lives.
        if (member?.Joining is { } joining) effects.Answer(joining, new JoinAnswer(GroupStatus.UnknownMember, ""));
        if (member?.Syncing is { } syncing) effects.Answer(syncing, SyncAnswer.Refused(GroupStatus.UnknownMember));
        Remove(memberId);
    }

    private void Remove(string memberId)
    {
        _expected.Remove(memberId);
        _unsynced.Remove(memberId);
        if (!_members.Remove(memberId, out var member)) return;
        if (member.InstanceId is { } instance) _instances.Remove(instance);
        if (memberId == Leader) Leader = _members.Count > 0 ? _members.GetAt(0).Key : null;
    }

    private void AfterLoss(long now, GroupEffects effects)
    {
        switch (State)
        {
            case ClassicState.Stable or ClassicState.CompletingRebalance:
                PrepareRebalance(now, effects);
                break;
            case ClassicState.PreparingRebalance when _members.Count == 0 && _expected.Count == 0:
                // Nobody is left to wait for, not even at first.
                CompleteJoin(now, effects);
                break;
            default:
                CompleteJoinIfAllAreHere(now, effects);
                break;
        }
    }

    // ---- Time

    /// <summary>When <see cref="OnTime"/> is to be called next.</summary>
    public long NextDeadline()
    {
        var next = Math.Min(_joinDeadline, _syncDeadline);
        foreach (var deadline in _expected.Values) next = Math.Min(next, deadline);
        foreach (var member in Members) next = Math.Min(next, member.EffectiveExpiry);
        return next;
    }

    /// <summary>Does what the time has come for.</summary>
    public void OnTime(long now, GroupEffects effects)
    {
        var late = _expected.Where(e => e.Value <= now).Select(e => e.Key).ToList();
        late.AddRange(Members.Where(m => m.EffectiveExpiry <= now).Select(m => m.Id));
        foreach (var id in late) Drop(id, effects);
        if (late.Count > 0) AfterLoss(now, effects);
        if (_joinDeadline <= now) OnJoinDeadline(now, effects);
        if (_syncDeadline > now) return;
        // Those who have not asked for their shares in all this time are not there.
        foreach (var id in _unsynced.ToList()) Drop(id, effects);
        PrepareRebalance(now, effects);
    }

    // ---- Who may do what

    private GroupStatus Validate(string memberId, string? instanceId)
    {
        if (instanceId is not null)
        {
            if (!_instances.TryGetValue(instanceId, out var current)) return GroupStatus.UnknownMember;
            if (current != memberId) return GroupStatus.FencedInstance;
        }
        return _members.ContainsKey(memberId) ? GroupStatus.Ok : GroupStatus.UnknownMember;
    }

    /// <summary>Whether somebody may commit offsets now. A commit is a sign of life, too.</summary>
    public GroupStatus CheckCommit(GroupCaller caller, bool transactional, long now)
    {
        var isMember = caller.Generation >= 0 || caller.MemberId.Length > 0 || caller.InstanceId is not null;
        if (caller.Generation < 0 && _members.Count == 0) return GroupStatus.Ok;
        if (!isMember) return transactional ? GroupStatus.Ok : GroupStatus.UnknownMember;
        var status = Validate(caller.MemberId, caller.InstanceId);
        if (status != GroupStatus.Ok) return status;
        if (caller.Generation != Generation) return GroupStatus.IllegalGeneration;
        if (transactional) return GroupStatus.Ok;
        // It knows the generation and not yet its share: what it commits may be another's now.
        if (State == ClassicState.CompletingRebalance) return GroupStatus.RebalanceInProgress;
        Touch(_members[caller.MemberId], now);
        return GroupStatus.Ok;
    }

    /// <summary>Whether a member reads a topic; what cannot be known of consumers is taken to be so.</summary>
    public bool IsSubscribedTo(TopicName topic)
    {
        if (ProtocolType != ConsumerType) return false;
        foreach (var member in Members)
            if (member.Topics is null || member.Topics.Contains(topic)) return true;
        return false;
    }

    internal void CheckInvariants()
    {
        Invariant.Check(State == ClassicState.PreparingRebalance || State == ClassicState.Empty == (_members.Count == 0), "a group is empty if it has no members");
        Invariant.Check(_instances.Count == Members.Count(m => m.InstanceId is not null), "a static member has one place");
        Invariant.Check(Members.All(m => m.Joining is null || State == ClassicState.PreparingRebalance), "members wait to join only while the group waits for members");
        Invariant.Check(Members.All(m => m.Syncing is null || State == ClassicState.CompletingRebalance), "members wait for shares only while the group waits for its leader");
        Invariant.Check(Leader is null ? _members.Count == 0 : _members.ContainsKey(Leader), "the leader is a member");
        Invariant.Check(State is not (ClassicState.CompletingRebalance or ClassicState.Stable) || (Protocol is not null && Members.All(m => m.Speaks(Protocol))), "all members know the way of assigning");
    }
}
