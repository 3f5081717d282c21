using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Classic;

namespace Dragoman.Broker.Tests.Groups;

/// <summary>The state machine of classic groups, alone and on a clock of its own.</summary>
public sealed class ClassicGroupTests
{
    private static readonly GroupName s_name = GroupName.InDefault("g");
    private readonly GroupOptions _options = new() { InitialRebalanceDelay = TimeSpan.FromMilliseconds(250), MaxSize = 4 };
    private readonly GroupEffects _effects = new();
    private ClassicGroup _group;
    private long _now;
    private int _ids;

    public ClassicGroupTests() => _group = new ClassicGroup(s_name, _options);

    private Task<JoinAnswer> Join(
        string id = "", string? instance = null, string protocols = "range", string said = "", int session = 10_000, int rebalance = 60_000,
        bool awaitsId = false, bool canSkip = true, string type = "consumer")
    {
        var waiting = new TaskCompletionSource<JoinAnswer>();
        var request = new JoinRequest
        {
            Group = s_name,
            MemberId = id,
            InstanceId = instance,
            SessionTimeoutMs = session,
            RebalanceTimeoutMs = rebalance,
            ProtocolType = type,
            Protocols = [.. protocols.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(p => new GroupProtocol(p, System.Text.Encoding.UTF8.GetBytes(p + said)))],
            AwaitsMemberId = awaitsId,
            CanSkipAssignment = canSkip,
        };
        _group.Join(request, waiting, $"m{++_ids}", _now, _effects);
        After();
        return waiting.Task;
    }

    private Task<SyncAnswer> Sync(string id, int generation, params (string Id, byte Share)[] shares)
    {
        var waiting = new TaskCompletionSource<SyncAnswer>();
        _group.Sync(new SyncRequest { Group = s_name, Caller = new GroupCaller(id, null, generation), Shares = [.. shares.Select(s => KeyValuePair.Create(s.Id, new GroupShare([s.Share], null)))] }, waiting, _now, _effects);
        After();
        return waiting.Task;
    }

    private GroupStatus Heartbeat(string id, int generation, string? instance = null) => _group.Heartbeat(new GroupCaller(id, instance, generation), _now);

    private GroupStatus Leave(string id, string? instance = null)
    {
        var status = _group.Leave([new LeavingMember(id, instance)], _now, _effects)[0];
        After();
        return status;
    }

    private void Pass(long milliseconds)
    {
        var end = _now + milliseconds;
        while (_group.NextDeadline() is var next && next <= end)
        {
            _now = Math.Max(next, _now);
            _group.OnTime(_now, _effects);
            After();
        }
        _now = end;
    }

    private void After()
    {
        _group.CheckInvariants();
        _effects.Release();
    }

    private static T Now<T>(Task<T> answer)
    {
        Assert.True(answer.IsCompleted, "there is no answer yet");
        return answer.Result;
    }

    /// <summary>A stable group of dynamic members m1, m2, ... in which m1 leads.</summary>
    private int Stable(int members = 2, string protocols = "range")
    {
        for (var i = 0; i < members; i++) _ = Join(protocols: protocols);
        Pass(1000);
        Assert.Equal(ClassicState.CompletingRebalance, _group.State);
        var followers = Enumerable.Range(2, members - 1).Select(i => Sync($"m{i}", _group.Generation)).ToList();
        var leader = Sync("m1", _group.Generation, [.. Enumerable.Range(1, members).Select(i => ($"m{i}", (byte)i))]);
        Assert.Equal([1], Now(leader).Assignment);
        Assert.All(followers, f => Assert.Equal(GroupStatus.Ok, Now(f).Status));
        Assert.Equal(ClassicState.Stable, _group.State);
        return _group.Generation;
    }

    [Fact]
    public void Members_that_come_soon_after_each_other_are_in_one_generation_and_the_first_of_them_leads()
    {
        var first = Join();
        Pass(200);
        var second = Join();
        Pass(249);
        Assert.False(first.IsCompleted);
        var third = Join();
        Pass(251);
        Assert.False(first.IsCompleted, "the third prolonged the wait");
        Pass(250);
        Assert.Equal(("m1", "m1", 1, "range", 3), (Now(first).MemberId, Now(first).Leader, Now(first).Generation, Now(first).Protocol, Now(first).Members.Count));
        Assert.Equal(("m2", "m1", 1, 0), (Now(second).MemberId, Now(second).Leader, Now(second).Generation, Now(second).Members.Count));
        Assert.Equal("m3", Now(third).MemberId);
    }

    [Fact]
    public void The_wait_for_further_members_ends_with_the_rebalance_timeout()
    {
        var first = Join(rebalance: 600);
        for (var i = 0; i < 3; i++)
        {
            Pass(200);
            _ = Join(rebalance: 600);
        }
        Pass(100);
        Assert.Equal(GroupStatus.Ok, Now(first).Status);
    }

    [Fact]
    public void Without_a_delay_the_first_member_does_not_wait()
    {
        _group = new ClassicGroup(s_name, _options with { InitialRebalanceDelay = TimeSpan.Zero });
        Assert.Equal(1, Now(Join()).Generation);
    }

    [Fact]
    public void A_member_is_told_its_id_first_and_joins_with_it()
    {
        var told = Now(Join(awaitsId: true));
        Assert.Equal((GroupStatus.MemberIdRequired, "m1"), (told.Status, told.MemberId));
        Assert.Equal(ClassicState.Empty, _group.State);
        Assert.False(_group.IsIdle);
        var joined = Join("m1");
        Pass(250);
        Assert.Equal((GroupStatus.Ok, "m1"), (Now(joined).Status, Now(joined).MemberId));
    }

    [Fact]
    public void An_id_that_nobody_joins_with_is_forgotten_with_the_session()
    {
        _ = Join(awaitsId: true, session: 10_000);
        Pass(10_000);
        Assert.True(_group.IsIdle);
        Assert.Equal(GroupStatus.UnknownMember, Now(Join("m1")).Status);
    }

    [Fact]
    public void A_member_with_an_id_from_elsewhere_is_unknown()
    {
        Assert.Equal(GroupStatus.UnknownMember, Now(Join("stranger")).Status);
        _ids = 0;
        var generation = Stable();
        Assert.Equal(GroupStatus.UnknownMember, Now(Join("stranger")).Status);
        Assert.Equal(GroupStatus.UnknownMember, Heartbeat("stranger", generation));
        Assert.Equal(GroupStatus.UnknownMember, Now(Sync("stranger", generation)).Status);
        Assert.Equal(GroupStatus.UnknownMember, Leave("stranger"));
    }

    [Fact]
    public void A_newcomer_makes_the_others_join_again_and_all_are_in_the_next_generation()
    {
        var generation = Stable();
        var newcomer = Join();
        Assert.Equal(GroupStatus.RebalanceInProgress, Heartbeat("m1", generation));
        Assert.Equal(GroupStatus.RebalanceInProgress, Now(Sync("m1", generation)).Status);
        var first = Join("m1");
        Assert.False(first.IsCompleted);
        var second = Join("m2");
        Assert.All([first, second, newcomer], a => Assert.Equal((generation + 1, "m1"), (Now(a).Generation, Now(a).Leader)));
        Assert.Equal(GroupStatus.IllegalGeneration, Heartbeat("m2", generation));
        Assert.Equal(GroupStatus.Ok, Heartbeat("m2", generation + 1));
        Assert.Equal(GroupStatus.IllegalGeneration, Now(Sync("m2", generation)).Status);
    }

    [Fact]
    public void Whoever_does_not_join_again_in_time_is_out_and_another_leads()
    {
        Stable();
        var newcomer = Join();
        _ = Join("m2");
        for (var i = 0; i < 60; i++)
        {
            Pass(999);
            Assert.False(newcomer.IsCompleted);
            Heartbeat("m1", 1);
        }
        Pass(60);
        Assert.Equal("m2", Now(newcomer).Leader);
        Assert.Null(_group.Find("m1"));
        Assert.Equal(GroupStatus.UnknownMember, Heartbeat("m1", 1));
    }

    [Fact]
    public void Whoever_shows_no_sign_of_life_is_out_and_the_others_join_again()
    {
        var generation = Stable();
        Pass(9_000);
        Assert.Equal(GroupStatus.Ok, Heartbeat("m1", generation));
        Pass(1_000);
        Assert.Null(_group.Find("m2"));
        Assert.Equal(GroupStatus.RebalanceInProgress, Heartbeat("m1", generation));
        Assert.Equal(generation + 1, Now(Join("m1")).Generation);
    }

    [Fact]
    public void A_commit_is_a_sign_of_life()
    {
        var generation = Stable(1);
        for (var i = 0; i < 5; i++)
        {
            Pass(9_000);
            Assert.Equal(GroupStatus.Ok, _group.CheckCommit(new GroupCaller("m1", null, generation), transactional: false, _now));
        }
        Assert.NotNull(_group.Find("m1"));
    }

    [Fact]
    public void A_new_member_that_waits_is_given_up_after_five_minutes()
    {
        Stable(1);
        var generation = _group.Generation;
        var newcomer = Join(rebalance: 1_000_000);
        for (var i = 0; i < 60; i++)
        {
            Assert.False(newcomer.IsCompleted);
            Heartbeat("m1", generation);
            Pass(5_000);
        }
        Assert.Equal(GroupStatus.UnknownMember, Now(newcomer).Status);
    }

    [Fact]
    public void Whoever_leaves_is_out_at_once_and_the_last_one_leaves_the_group_empty()
    {
        var generation = Stable();
        Assert.Equal(GroupStatus.Ok, Leave("m2"));
        Assert.Equal(GroupStatus.RebalanceInProgress, Heartbeat("m1", generation));
        _effects.Changed = false;
        Assert.Equal(GroupStatus.Ok, Leave("m1"));
        Assert.Equal((ClassicState.Empty, generation + 1, true), (_group.State, _group.Generation, _effects.Changed));
        Assert.True(_group.IsIdle);
        Assert.Empty(_group.ToRecord(0).Members);
    }

    [Fact]
    public void The_leader_may_join_again_to_assign_anew_and_a_follower_with_nothing_new_changes_nothing()
    {
        var generation = Stable();
        Assert.Equal(generation, Now(Join("m2")).Generation);
        Assert.Equal(ClassicState.Stable, _group.State);
        var leader = Join("m1");
        Assert.Equal(ClassicState.PreparingRebalance, _group.State);
        var follower = Join("m2");
        Assert.Equal(2, Now(leader).Members.Count);
        // Nobody has heard of this generation for sure: saying the same again gets the same answer.
        Assert.Equal(generation + 1, Now(Join("m2")).Generation);
        Assert.Equal(2, Now(Join("m1")).Members.Count);
        Assert.Equal(ClassicState.CompletingRebalance, _group.State);
        Assert.Equal(generation + 1, Now(follower).Generation);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_member_that_says_something_new_makes_all_join_again(bool whileAssigning)
    {
        Stable();
        if (whileAssigning)
        {
            _ = Join("m1");
            _ = Join("m2");
            Assert.Equal(ClassicState.CompletingRebalance, _group.State);
        }
        var waits = whileAssigning ? Sync("m1", _group.Generation - 5) : null;
        if (waits is not null) Assert.Equal(GroupStatus.IllegalGeneration, Now(waits).Status);
        var changed = Join("m2", said: "more topics");
        Assert.Equal(ClassicState.PreparingRebalance, _group.State);
        var leader = Join("m1");
        Assert.Equal("rangemore topics", System.Text.Encoding.UTF8.GetString(Now(leader).Members.Single(m => m.MemberId == "m2").Metadata));
        Assert.Equal(GroupStatus.Ok, Now(changed).Status);
    }

    [Fact]
    public void Those_who_wait_for_their_shares_hear_that_a_rebalance_began()
    {
        Stable();
        _ = Join("m1");
        _ = Join("m2");
        var waits = Sync("m2", _group.Generation);
        Assert.False(waits.IsCompleted);
        _ = Join();
        Assert.Equal(GroupStatus.RebalanceInProgress, Now(waits).Status);
        // The leader's shares of the old generation are refused.
        Assert.Equal(GroupStatus.RebalanceInProgress, Now(Sync("m1", _group.Generation, ("m1", 1))).Status);
    }

    [Fact]
    public void Whoever_does_not_ask_for_its_share_in_time_is_out()
    {
        Stable(3);
        _ = Join("m1", rebalance: 5_000);
        _ = Join("m2", rebalance: 5_000);
        _ = Join("m3", rebalance: 5_000);
        _ = Sync("m1", _group.Generation);
        _ = Sync("m2", _group.Generation);
        for (var i = 0; i < 5; i++)
        {
            foreach (var id in new[] { "m1", "m2", "m3" }) Assert.Equal(GroupStatus.Ok, Heartbeat(id, _group.Generation));
            Pass(1_000);
        }
        Assert.Null(_group.Find("m3"));
        Assert.Equal(ClassicState.PreparingRebalance, _group.State);
    }

    [Fact]
    public void The_leader_is_not_awaited_for_ever_to_assign()
    {
        Stable();
        _ = Join("m1", rebalance: 5_000);
        _ = Join("m2", rebalance: 5_000);
        var waits = Sync("m2", _group.Generation);
        Pass(4_999);
        Heartbeat("m1", _group.Generation);
        Pass(1);
        Assert.Equal(GroupStatus.RebalanceInProgress, Now(waits).Status);
        Assert.Null(_group.Find("m1"));
        Assert.Equal("m2", Now(Join("m2")).Leader);
    }

    [Fact]
    public void The_way_of_assigning_is_one_that_all_know_and_most_like_best()
    {
        _ = Join(protocols: "only,sticky,range");
        _ = Join(protocols: "range,sticky");
        var third = Join(protocols: "range,sticky,other");
        Pass(1000);
        Assert.Equal("range", Now(third).Protocol);
        Assert.Equal(GroupStatus.InconsistentProtocol, Now(Join(protocols: "other")).Status);
        Assert.Equal(GroupStatus.InconsistentProtocol, Now(Join(type: "connect")).Status);
        Assert.Equal(GroupStatus.InconsistentProtocol, Now(Join(protocols: "")).Status);
        Assert.Equal(GroupStatus.InconsistentProtocol, Now(Join("m1", protocols: "only")).Status);
    }

    [Fact]
    public void A_group_has_no_more_members_than_allowed()
    {
        Stable(4);
        Assert.Equal(GroupStatus.GroupFull, Now(Join()).Status);
        Assert.Equal(GroupStatus.GroupFull, Now(Join(awaitsId: true)).Status);
        Assert.Equal(ClassicState.Stable, _group.State);
        Leave("m4");
        var fourth = Join();
        foreach (var id in new[] { "m1", "m2", "m3" }) _ = Join(id);
        Assert.Equal(GroupStatus.Ok, Now(fourth).Status);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public void A_static_member_that_comes_back_takes_its_place_without_a_rebalance(bool leads, bool canSkip)
    {
        var one = Join(instance: "one");
        var two = Join(instance: "two");
        Pass(500);
        var (leader, follower) = (Now(one).MemberId, Now(two).MemberId);
        _ = Sync(follower, 1);
        _ = Sync(leader, 1, (leader, 1), (follower, 2));
        _effects.Changed = false;

        var (instance, old) = leads ? ("one", leader) : ("two", follower);
        var back = Now(Join(instance: instance, canSkip: canSkip));
        Assert.Equal((GroupStatus.Ok, 1, ClassicState.Stable), (back.Status, back.Generation, _group.State));
        Assert.True(_effects.Changed);
        Assert.NotEqual(old, back.MemberId);
        Assert.Equal(leads && canSkip, back.SkipAssignment);
        Assert.Equal(leads && canSkip ? 2 : 0, back.Members.Count);
        // Who cannot skip the assignment must not take itself for the leader.
        if (leads) Assert.Equal(canSkip ? back.MemberId : old, back.Leader);
        Assert.Equal([(byte)(leads ? 1 : 2)], Now(Sync(back.MemberId, 1)).Assignment);
        Assert.Equal(GroupStatus.FencedInstance, Heartbeat(old, 1, instance));
        Assert.Equal(GroupStatus.UnknownMember, Heartbeat(old, 1));
        Assert.Equal(GroupStatus.FencedInstance, _group.CheckCommit(new GroupCaller(old, instance, 1), transactional: false, _now));
        Assert.Equal(GroupStatus.Ok, Heartbeat(back.MemberId, 1, instance));
    }

    [Fact]
    public void A_duplicate_of_a_static_member_that_waits_is_fenced()
    {
        var first = Join(instance: "one");
        var second = Join(instance: "one");
        Assert.Equal(GroupStatus.FencedInstance, Now(first).Status);
        Pass(250);
        Assert.Equal(GroupStatus.Ok, Now(second).Status);
        var waits = Sync(Now(second).MemberId, 7);
        Assert.Equal(GroupStatus.IllegalGeneration, Now(waits).Status);
    }

    [Fact]
    public void While_the_leader_assigns_a_returning_static_member_makes_all_join_again()
    {
        var one = Join(instance: "one");
        var two = Join(instance: "two");
        Pass(500);
        var waits = Sync(Now(two).MemberId, 1);
        _ = Join(instance: "two");
        Assert.Equal(GroupStatus.FencedInstance, Now(waits).Status);
        Assert.Equal(ClassicState.PreparingRebalance, _group.State);
        var leader = Join(Now(one).MemberId, "one");
        Assert.Equal(2, Now(leader).Generation);
    }

    [Fact]
    public void A_static_member_that_is_away_keeps_its_place_until_its_session_ends()
    {
        var one = Join(instance: "one", session: 30_000, rebalance: 5_000);
        var two = Join(instance: "two", session: 30_000, rebalance: 5_000);
        Pass(500);
        _ = Sync(Now(two).MemberId, 1);
        _ = Sync(Now(one).MemberId, 1, (Now(one).MemberId, 1), (Now(two).MemberId, 2));
        _ = Join(rebalance: 5_000);
        var again = Join(Now(one).MemberId, "one", rebalance: 5_000);
        Pass(5_000);
        Assert.Equal(3, Now(again).Members.Count);
        // Away, it does not ask for its share either.
        Pass(5_000);
        Assert.Null(_group.Find(Now(two).MemberId));
    }

    [Fact]
    public void A_static_member_is_removed_by_its_instance_id()
    {
        var one = Join(instance: "one");
        Pass(250);
        Assert.Equal(GroupStatus.UnknownMember, Leave("", "two"));
        Assert.Equal(GroupStatus.FencedInstance, Leave("somebody else", "one"));
        Assert.Equal(GroupStatus.Ok, Leave("", "one"));
        Assert.Equal(ClassicState.Empty, _group.State);
        Assert.Equal(GroupStatus.Ok, Now(one).Status);
    }

    [Fact]
    public void Only_members_of_the_generation_commit_and_nobody_while_the_shares_are_being_dealt()
    {
        GroupStatus Commit(string id, int generation, bool transactional = false) => _group.CheckCommit(new GroupCaller(id, null, generation), transactional, _now);
        var generation = Stable();
        Assert.Equal(GroupStatus.Ok, Commit("m1", generation));
        Assert.Equal(GroupStatus.IllegalGeneration, Commit("m1", generation - 1));
        Assert.Equal(GroupStatus.UnknownMember, Commit("", -1));
        Assert.Equal(GroupStatus.Ok, Commit("", -1, transactional: true));
        Assert.Equal(GroupStatus.IllegalGeneration, Commit("m1", generation + 1, transactional: true));
        Assert.Equal(GroupStatus.UnknownMember, Commit("m9", generation, transactional: true));
        _ = Join("m1");
        Assert.Equal(GroupStatus.Ok, Commit("m2", generation));
        _ = Join("m2");
        Assert.Equal(GroupStatus.RebalanceInProgress, Commit("m2", generation + 1));
        Assert.Equal(GroupStatus.Ok, Commit("m2", generation + 1, transactional: true));
    }

    [Fact]
    public void A_client_that_goes_before_it_knew_its_place_leaves_nobody_behind()
    {
        Stable(1);
        var waiting = new TaskCompletionSource<JoinAnswer>();
        _group.Join(new JoinRequest { Group = s_name, SessionTimeoutMs = 10_000, RebalanceTimeoutMs = 60_000, ProtocolType = "consumer", Protocols = [new("range", [])] }, waiting, "new", _now, _effects);
        Assert.Equal("new", _group.MemberWaitingWith(waiting));
        _group.Abandon("new", waiting, _now, _effects);
        After();
        Assert.Equal(1, _group.MemberCount);
        // A member that has been in a generation knows its id, and may come back.
        var known = new TaskCompletionSource<JoinAnswer>();
        _ = Join();
        _group.Join(new JoinRequest { Group = s_name, MemberId = "m1", SessionTimeoutMs = 10_000, RebalanceTimeoutMs = 60_000, ProtocolType = "consumer", Protocols = [new("range", [])] }, known, "", _now, _effects);
        _group.Abandon("m1", known, _now, _effects);
        Assert.NotNull(_group.Find("m1"));
    }

    [Fact]
    public void A_group_comes_back_as_it_was_journaled()
    {
        var one = Join(instance: "one", protocols: "a,b");
        _ = Join(protocols: "a");
        Pass(500);
        var id = Now(one).MemberId;
        _ = Sync("m2", 1);
        _ = Sync(id, 1, (id, 1), ("m2", 2));
        _group = ClassicGroup.From(s_name, _group.ToRecord(0), _options, _now);
        Assert.Equal((ClassicState.Stable, 1, "a", id), (_group.State, _group.Generation, _group.Protocol, _group.Leader));
        Pass(9_000);
        Assert.Equal(GroupStatus.Ok, Heartbeat(id, 1, "one"));
        Assert.Equal([2], Now(Sync("m2", 1)).Assignment);
        Pass(9_000);
        Assert.Equal(GroupStatus.Ok, Heartbeat(id, 1));
        Pass(9_000);
        Assert.Null(_group.Find("m2"));
    }
}
