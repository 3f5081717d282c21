using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.State;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Groups;

/// <summary>Groups whose members assign themselves.</summary>
internal sealed partial class GroupShard
{
    /// <summary>Those that have members, or expect some. Of the others there is only the record.</summary>
    private readonly Dictionary<GroupName, ClassicGroup> _classic = [];

    /// <summary>Has somebody join. The answer may take as long as the slowest member is given.</summary>
    public async ValueTask<JoinAnswer> JoinAsync(JoinRequest request, CancellationToken cancellation)
    {
        var waiting = new TaskCompletionSource<JoinAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var newMemberId = "";
        lock (Log.Lock) newMemberId = NewMemberId(request);
        ClassicDecision? decision = null;
        await RunAsync(
            () =>
            {
                decision = null;
                if (_classic.TryGetValue(request.Group, out var group)) return group.JoinChangesRecord(request) ? ChangeBound(request.Group) + BoundOf(request) : -1;
                if (!_consumer.TryGetValue(request.Group, out var consumer)) return -1;
                decision = consumer.DecideJoin(request, newMemberId);
                return NeedsOf(request.Group, decision.Draft);
            },
            (commit, effects) => decision is null ? Join(request, newMemberId, waiting, commit, effects) : Join(request, decision, waiting, commit, effects),
            urgent: false, cancellation);
        if (waiting.Task.IsCompleted || !cancellation.CanBeCanceled) return await waiting.Task;
        try
        {
            return await waiting.Task.WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            await AbandonAsync(request.Group, waiting);
            throw;
        }
    }

    private bool Join(JoinRequest request, string newMemberId, TaskCompletionSource<JoinAnswer> waiting, Commit? commit, GroupEffects effects)
    {
        if (FindOrRevive(request) is not { } group)
        {
            effects.Answer(waiting, new JoinAnswer(GroupStatus.UnknownMember, request.MemberId));
            return true;
        }
        group.Join(request, waiting, newMemberId, NowMs, effects);
        Settle(group, commit, effects);
        return true;
    }

    private ClassicGroup? FindOrRevive(JoinRequest request)
    {
        if (_classic.TryGetValue(request.Group, out var group)) return group;
        // Whoever brings an id was a member of something that is no more.
        if (request.MemberId.Length > 0) return null;
        _state.Groups.TryGetValue(request.Group, out var record);
        group = record?.Classic is { } classic ? ClassicGroup.From(request.Group, classic, _options, NowMs) : new ClassicGroup(request.Group, _options, record?.Consumer?.Epoch ?? 0);
        _classic.Add(request.Group, group);
        return group;
    }

    private string NewMemberId(JoinRequest request)
    {
        return $"{request.InstanceId ?? request.ClientId}-{NewId()}";
    }

    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes);
    }

    /// <summary>Nobody waits for a join any more: a client that has gone before it knew its place leaves none behind.</summary>
    private async ValueTask AbandonAsync(GroupName name, TaskCompletionSource<JoinAnswer> waiting)
    {
        await RunAsync(
            () => _classic.ContainsKey(name) ? ChangeBound(name) : -1,
            (commit, effects) =>
            {
                if (!_classic.TryGetValue(name, out var group) || group.MemberWaitingWith(waiting) is not { } memberId) return false;
                group.Abandon(memberId, waiting, NowMs, effects);
                Settle(group, commit, effects);
                return true;
            },
            urgent: true);
    }

    /// <summary>Has a member ask for its share.</summary>
    public async ValueTask<SyncAnswer> SyncAsync(SyncRequest request, CancellationToken cancellation)
    {
        var waiting = new TaskCompletionSource<SyncAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        // Those that change nothing take room for nothing, and so wait until what they have seen is on disk.
        await RunAsync(
            () => _classic.TryGetValue(request.Group, out var group) && group.SyncChangesRecord(request) ? ChangeBound(request.Group) + BoundOf(request) : 0,
            (commit, effects) =>
            {
                if (_classic.TryGetValue(request.Group, out var group))
                {
                    group.Sync(request, waiting, NowMs, effects);
                    Settle(group, commit, effects);
                }
                else if (_consumer.TryGetValue(request.Group, out var consumer))
                {
                    effects.Answer(waiting, consumer.Sync(request, NowMs));
                    Schedule(consumer);
                }
                else
                {
                    effects.Answer(waiting, SyncAnswer.Refused(GroupStatus.UnknownMember));
                }
                return true;
            },
            urgent: false, cancellation);
        return await waiting.Task.WaitAsync(cancellation);
    }

    /// <summary>Takes a member's sign of life.</summary>
    public GroupStatus Heartbeat(GroupName name, GroupCaller caller)
    {
        lock (Log.Lock)
        {
            if (_disposed) return GroupStatus.Moved;
            if (_classic.TryGetValue(name, out var group)) return group.Heartbeat(caller, NowMs);
            if (!_consumer.TryGetValue(name, out var consumer)) return GroupStatus.UnknownMember;
            var status = consumer.Heartbeat(caller, NowMs);
            Schedule(consumer);
            return status;
        }
    }

    /// <summary>Has members leave; null if there is no such group.</summary>
    public ValueTask<IReadOnlyList<GroupStatus>> LeaveAsync(GroupName name, IReadOnlyList<LeavingMember> leaving, CancellationToken cancellation)
    {
        (GroupStatus[] Answers, ConsumerDraft? Draft)? decision = null;
        return RunAsync<IReadOnlyList<GroupStatus>>(
            () =>
            {
                decision = _consumer.TryGetValue(name, out var consumer) ? consumer.DecideLeave(leaving) : null;
                return decision is { } decided ? NeedsOf(name, decided.Draft) : _classic.ContainsKey(name) ? ChangeBound(name) : -1;
            },
            (commit, effects) =>
            {
                if (decision is { } decided)
                {
                    if (decided.Draft is not null) CarryOut(name, decided.Draft, commit, effects);
                    return decided.Answers;
                }
                if (!_classic.TryGetValue(name, out var group)) return [.. leaving.Select(_ => GroupStatus.UnknownMember)];
                var answers = group.Leave(leaving, NowMs, effects);
                Settle(group, commit, effects);
                return answers;
            },
            urgent: true, cancellation);
    }

    /// <summary>After each command on a group: journals it if it has to be, forgets it if it can be, and sees to its times.</summary>
    private void Settle(ClassicGroup group, Commit? commit, GroupEffects effects)
    {
        group.CheckInvariants();
        if (effects.Changed)
        {
            var record = group.ToRecord(WallClockMs);
            Emit(commit, evt => GroupEvents.ClassicChanged(evt, group.Name, record));
            effects.Changed = false;
        }
        if (group.IsIdle) _classic.Remove(group.Name);
        else Schedule(group);
    }

    /// <summary>The most bytes of the event that journals a group as it is; what a request adds comes on top.</summary>
    private int ChangeBound(GroupName name) =>
        GroupEvents.SizeOf(name) + (_classic.TryGetValue(name, out var group) ? group.ToRecord(0).SizeBound() : 0);

    private static int BoundOf(JoinRequest request)
    {
        var size = 512 + 3 * (request.ClientId.Length + request.ClientHost.Length + 2 * (request.InstanceId?.Length ?? 0));
        foreach (var protocol in request.Protocols) size += 8 + 3 * protocol.Name.Length + protocol.Metadata.Length;
        foreach (var topic in request.Topics ?? []) size += 12 + 3 * (topic.Namespace.Tenant.Length + topic.Namespace.Name.Length + topic.Name.Length);
        return size;
    }

    private static int BoundOf(SyncRequest request)
    {
        var size = 0;
        foreach (var (_, share) in request.Shares) size += share.Data.Length + 20 * (share.Partitions?.Count ?? 0);
        return size;
    }
}
