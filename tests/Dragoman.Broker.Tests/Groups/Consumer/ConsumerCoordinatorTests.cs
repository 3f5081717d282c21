using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Tests.Groups.Consumer;

/// <summary>Groups that the broker assigns, in a whole broker: timers, the journal, restarts, and groups of the other kind.</summary>
public sealed class ConsumerCoordinatorTests
{
    private static readonly GroupName s_name = GroupName.InDefault("g");

    private static Task<TestBroker> StartAsync() => TestBroker.StartAsync(options => options with { Groups = options.Groups with { InitialRebalanceDelay = TimeSpan.Zero } });

    private static ConsumerHeartbeat Joining(string id, string? instance = null, params string[] topics) => new()
    {
        Group = s_name,
        MemberId = id,
        Epoch = ConsumerHeartbeat.JoinEpoch,
        InstanceId = instance,
        ClientId = "client",
        ClientHost = "/10.0.0.1",
        RebalanceTimeoutMs = 30_000,
        Topics = [.. (topics.Length > 0 ? topics : ["t"]).Select(TopicName.InDefault)],
        Owned = [],
    };

    private static ConsumerHeartbeat Living(string id, int epoch, string? instance = null) => new() { Group = s_name, MemberId = id, Epoch = epoch, InstanceId = instance };

    private static async Task<ConsumerAnswer> OkAsync(TestBroker test, ConsumerHeartbeat heartbeat)
    {
        var answer = await test.Broker.Groups.HeartbeatAsync(heartbeat);
        Assert.True(answer.Status == GroupStatus.Ok, $"{answer.Status}: {answer.Message}");
        return answer;
    }

    private static async Task<GroupStatus> StatusAsync(TestBroker test, ConsumerHeartbeat heartbeat) => (await test.Broker.Groups.HeartbeatAsync(heartbeat)).Status;

    private static async Task<GroupDescription> DescribeAsync(TestBroker test) => (await test.Broker.Groups.DescribeAsync(s_name)).Group!;

    private static JoinRequest ClassicJoin(string id = "", string topic = "t") => new()
    {
        Group = s_name,
        MemberId = id,
        ClientId = "old",
        SessionTimeoutMs = 10_000,
        RebalanceTimeoutMs = 30_000,
        ProtocolType = "consumer",
        Protocols = [new("range", [0, 1])],
        Topics = [TopicName.InDefault(topic)],
    };

    private static async Task<JoinAnswer> ClassicStableAsync(TestBroker test, ITopicHandle topic)
    {
        var joined = await test.Broker.Groups.JoinAsync(ClassicJoin());
        Assert.Equal(GroupStatus.Ok, joined.Status);
        var share = new GroupShare([7], [.. topic.Partitions.Select(p => new Dragoman.Broker.Groups.Offsets.GroupPartition(topic.Id, p.Index))]);
        await test.Broker.Groups.SyncAsync(new SyncRequest { Group = s_name, Caller = new(joined.MemberId, null, joined.Generation), Shares = [KeyValuePair.Create(joined.MemberId, share)] });
        return joined;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Members_epochs_and_shares_survive_a_restart(bool checkpoint)
    {
        await using var test = await StartAsync();
        await test.CreateTopicAsync("t", 4);
        var first = await OkAsync(test, Joining("a"));
        Assert.Equal((1, 4), (first.Epoch, first.Assignment!.Count));
        var second = await OkAsync(test, Joining("b"));
        Assert.Equal((2, 0), (second.Epoch, second.Assignment!.Count));
        var revokes = await OkAsync(test, Living("a", 1));
        Assert.Equal((1, 2), (revokes.Epoch, revokes.Assignment!.Count));
        if (checkpoint) await test.Broker.Store.CheckpointAsync();
        await test.RestartAsync();
        var described = await DescribeAsync(test);
        Assert.Equal((GroupKind.Consumer, GroupState.Reconciling, 2, 2, "uniform"), (described.Kind, described.State, described.Epoch, described.AssignmentEpoch, described.Protocol));
        var advanced = await OkAsync(test, Living("a", 1) with { Owned = revokes.Assignment });
        Assert.Equal(2, advanced.Epoch);
        var got = await OkAsync(test, Living("b", 2));
        Assert.Equal(2, got.Assignment!.Count);
        Assert.Empty(got.Assignment.Intersect(revokes.Assignment!));
        Assert.Equal(GroupState.Stable, (await DescribeAsync(test)).State);
        Assert.Null((await OkAsync(test, Living("b", 2))).Assignment);
    }

    [Fact]
    public async Task Whoever_is_silent_too_long_is_out_and_its_partitions_are_dealt_anew()
    {
        await using var test = await StartAsync();
        await test.CreateTopicAsync("t", 2);
        await OkAsync(test, Joining("a"));
        await OkAsync(test, Joining("b"));
        // When the other one is put out is the broker's affair: a member goes on from what it was told last.
        var told = await OkAsync(test, Living("b", 2));
        var assigned = told.Assignment?.Count ?? 0;
        async Task BeatAsync()
        {
            told = await OkAsync(test, Living("b", told.Epoch));
            assigned = told.Assignment?.Count ?? assigned;
        }
        for (var i = 0; i < 4; i++)
        {
            test.Time.Advance(TimeSpan.FromSeconds(20));
            await BeatAsync();
        }
        await GoneAsync(test, "a");
        await BeatAsync();
        Assert.Equal((3, 2), (told.Epoch, assigned));
        Assert.Equal(GroupStatus.UnknownMember, await StatusAsync(test, Living("a", 1)));
        await test.RestartAsync();
        Assert.Equal("b", Assert.Single((await DescribeAsync(test)).Members).Id);
    }

    private static async Task GoneAsync(TestBroker test, string member)
    {
        var patience = DateTime.UtcNow.AddSeconds(20);
        while ((await DescribeAsync(test)).Members.Any(m => m.Id == member))
        {
            Assert.True(DateTime.UtcNow < patience, $"{member} is still there");
            await Task.Delay(10);
        }
    }

    [Fact]
    public async Task Whoever_does_not_give_up_in_time_is_out()
    {
        await using var test = await StartAsync();
        await test.CreateTopicAsync("t", 2);
        var first = await OkAsync(test, Joining("a"));
        await OkAsync(test, Joining("b"));
        await OkAsync(test, Living("a", 1));
        for (var i = 0; i < 29; i++)
        {
            test.Time.Advance(TimeSpan.FromSeconds(1));
            await OkAsync(test, Living("a", 1) with { Owned = first.Assignment });
            await OkAsync(test, Living("b", 2));
        }
        test.Time.Advance(TimeSpan.FromSeconds(1));
        await GoneAsync(test, "a");
        Assert.Equal(2, (await OkAsync(test, Living("b", 2))).Assignment!.Count);
    }

    [Fact]
    public async Task Epochs_fence_and_one_lost_answer_does_not()
    {
        await using var test = await StartAsync();
        await test.CreateTopicAsync("t", 2);
        Assert.Equal(GroupStatus.NotFound, await StatusAsync(test, Living("a", 3)));
        await OkAsync(test, Joining("a"));
        Assert.Equal(GroupStatus.FencedMemberEpoch, await StatusAsync(test, Living("a", 2)));
        Assert.Equal(GroupStatus.UnknownMember, await StatusAsync(test, Living("x", 1)));
        await test.CreateTopicAsync("u", 1);
        var more = await OkAsync(test, Living("a", 1) with { Topics = [TopicName.InDefault("t"), TopicName.InDefault("u")] });
        Assert.Equal((2, 3), (more.Epoch, more.Assignment!.Count));
        Assert.Equal(GroupStatus.FencedMemberEpoch, await StatusAsync(test, Living("a", 1)));
        Assert.Equal(2, (await OkAsync(test, Living("a", 1) with { Owned = [more.Assignment[0]] })).Epoch);
        // Its client begins anew: it has nothing, and gets all.
        Assert.Equal((2, 3), ((await OkAsync(test, Joining("a", null, "t", "u"))).Epoch, more.Assignment.Count));
        await OkAsync(test, Living("a", ConsumerHeartbeat.LeaveEpoch));
        Assert.Equal(GroupState.Empty, (await DescribeAsync(test)).State);
        Assert.Equal(GroupStatus.UnknownMember, await StatusAsync(test, Living("a", ConsumerHeartbeat.LeaveEpoch)));
    }

    [Fact]
    public async Task A_static_member_keeps_its_share_while_it_is_away_and_nobody_takes_its_place_while_it_is_here()
    {
        await using var test = await StartAsync();
        await test.CreateTopicAsync("t", 2);
        var one = await OkAsync(test, Joining("a", "one"));
        Assert.Equal(GroupStatus.UnreleasedInstance, await StatusAsync(test, Joining("c", "one")));
        Assert.Equal(GroupStatus.FencedInstance, await StatusAsync(test, Living("c", 1, "one")));
        await OkAsync(test, Living("a", ConsumerHeartbeat.AwayEpoch, "one"));
        await test.RestartAsync();
        var back = await OkAsync(test, Joining("c", "one"));
        Assert.Equal((one.Epoch, one.Assignment), (back.Epoch, back.Assignment));
        Assert.Equal(GroupStatus.FencedInstance, await StatusAsync(test, Living("a", 1, "one")));
        // Away too long is gone.
        await OkAsync(test, Living("c", ConsumerHeartbeat.AwayEpoch, "one"));
        test.Time.Advance(TimeSpan.FromSeconds(46));
        await GoneAsync(test, "c");
    }

    [Fact]
    public async Task Topics_that_come_grow_and_go_are_noticed_by_name_and_by_pattern()
    {
        await using var test = await StartAsync();
        await OkAsync(test, Joining("a", null, "later"));
        await OkAsync(test, Joining("p") with { Topics = null, TopicPattern = "x.*" });
        var later = await test.CreateTopicAsync("later", 1);
        Assert.Single((await OkAsync(test, Living("a", 1))).Assignment!);
        await test.CreateTopicAsync("x1", 1);
        await test.CreateTopicAsync("y", 1);
        await test.CreateTopicAsync("x2", 2);
        var epoch = (await DescribeAsync(test)).Members.Single(m => m.Id == "p").Epoch;
        var matched = await OkAsync(test, Living("p", epoch));
        Assert.Equal(3, matched.Assignment!.Count);
        await test.Broker.Topics.AddPartitionsAsync(later.Name, 3);
        epoch = (await DescribeAsync(test)).Members.Single(m => m.Id == "a").Epoch;
        Assert.Equal(3, (await OkAsync(test, Living("a", epoch))).Assignment!.Count);
        await test.Broker.Topics.DeleteAsync(TopicName.InDefault("x2"));
        var shrunk = await OkAsync(test, Living("p", matched.Epoch));
        Assert.Single(shrunk.Assignment!);
        Assert.Equal(GroupStatus.InvalidPattern, await StatusAsync(test, Living("p", matched.Epoch) with { TopicPattern = "(" }));
        Assert.Equal(GroupStatus.UnsupportedAssignor, await StatusAsync(test, Living("p", matched.Epoch) with { Assignor = "none" }));
    }

    [Fact]
    public async Task Offsets_are_committed_in_the_members_epoch_alone()
    {
        await using var test = await StartAsync();
        var topic = await test.CreateTopicAsync("t", 1);
        await OkAsync(test, Joining("a"));
        Task<GroupStatus> Commit(string id, int epoch) =>
            test.Broker.Groups.CommitOffsetsAsync(s_name, new GroupCaller(id, null, epoch), [new(new(topic.Id, 0), new(1, -1, ""))]).AsTask();
        async Task<GroupStatus> Fetch(string id, int epoch) => (await test.Broker.Groups.FetchOffsetsAsync(s_name, new GroupCaller(id, null, epoch), null, false)).Status;
        Assert.Equal(GroupStatus.Ok, await Commit("a", 1));
        Assert.Equal(GroupStatus.StaleMemberEpoch, await Commit("a", 2));
        Assert.Equal(GroupStatus.UnknownMember, await Commit("x", 1));
        Assert.Equal(GroupStatus.UnknownMember, await Commit("", -1));
        Assert.Equal(GroupStatus.Ok, await Fetch("a", 1));
        Assert.Equal(GroupStatus.Ok, await Fetch("", -1));
        Assert.Equal(GroupStatus.StaleMemberEpoch, await Fetch("a", 0));
        Assert.Equal(GroupStatus.UnknownMember, await Fetch("x", 1));
        Assert.Equal(GroupStatus.NotEmpty, await test.Broker.Groups.DeleteAsync(s_name));
        Assert.Equal([GroupStatus.SubscribedToTopic], (await test.Broker.Groups.DeleteOffsetsAsync(s_name, [new(topic.Id, 0)])).Partitions);
        await OkAsync(test, Living("a", ConsumerHeartbeat.LeaveEpoch));
        Assert.Equal(GroupStatus.Ok, await Commit("", -1));
        test.Time.Advance(TimeSpan.FromDays(7));
        await test.Broker.Groups.ExpireAsync();
        Assert.Equal(GroupStatus.NotFound, (await test.Broker.Groups.DescribeAsync(s_name)).Status);
    }

    [Fact]
    public async Task A_group_without_members_changes_its_kind_with_whoever_joins()
    {
        await using var test = await StartAsync();
        var topic = await test.CreateTopicAsync("t", 1);
        var classic = await ClassicStableAsync(test, topic);
        Assert.Equal(GroupStatus.Ok, await test.Broker.Groups.CommitOffsetsAsync(s_name, new(classic.MemberId, null, classic.Generation), [new(new(topic.Id, 0), new(5, -1, ""))]));
        await test.Broker.Groups.LeaveAsync(s_name, [new(classic.MemberId, null)]);
        var joined = await OkAsync(test, Joining("a"));
        Assert.True(joined.Epoch > classic.Generation);
        Assert.Equal(GroupKind.Consumer, (await DescribeAsync(test)).Kind);
        await test.RestartAsync();
        await OkAsync(test, Living("a", ConsumerHeartbeat.LeaveEpoch));
        var again = await test.Broker.Groups.JoinAsync(ClassicJoin());
        Assert.True(again.Generation > joined.Epoch);
        Assert.Equal(GroupKind.Classic, (await DescribeAsync(test)).Kind);
        var offsets = await test.Broker.Groups.FetchOffsetsAsync(s_name, GroupCaller.Outsider, null, false);
        Assert.Equal(5, Assert.Single(offsets.Offsets).Committed?.Offset);
    }

    [Fact]
    public async Task A_group_is_upgraded_and_downgraded_while_it_works()
    {
        await using var test = await StartAsync();
        var topic = await test.CreateTopicAsync("t", 4);
        var old = await ClassicStableAsync(test, topic);
        // The first member of the new protocol makes the group one that the broker assigns; the old member keeps what it has until it joins again.
        var joined = await OkAsync(test, Joining("new"));
        Assert.Empty(joined.Assignment!);
        var described = await DescribeAsync(test);
        Assert.Equal((GroupKind.Consumer, GroupState.Reconciling), (described.Kind, described.State));
        Assert.Equal(4, described.Members.Single(m => m.IsClassic).Partitions!.Count);
        await test.RestartAsync();
        var caller = new GroupCaller(old.MemberId, null, old.Generation);
        Assert.Equal(GroupStatus.RebalanceInProgress, test.Broker.Groups.Heartbeat(s_name, caller));
        // It has given all up before it joins, as members of its protocol do.
        var rejoined = await test.Broker.Groups.JoinAsync(ClassicJoin(old.MemberId));
        Assert.Equal((GroupStatus.Ok, joined.Epoch), (rejoined.Status, rejoined.Generation));
        caller = caller with { Generation = rejoined.Generation };
        var share = await test.Broker.Groups.SyncAsync(new SyncRequest { Group = s_name, Caller = caller });
        Assert.Equal((GroupStatus.Ok, 2), (share.Status, share.Partitions!.Count));
        Assert.Equal(GroupStatus.Ok, test.Broker.Groups.Heartbeat(s_name, caller));
        Assert.Equal(2, (await OkAsync(test, Living("new", joined.Epoch))).Assignment!.Count);
        Assert.Equal(GroupState.Stable, (await DescribeAsync(test)).State);
        // A stranger of the old protocol is told its id, and somebody with an id from elsewhere is refused.
        Assert.Equal(GroupStatus.MemberIdRequired, (await test.Broker.Groups.JoinAsync(ClassicJoin() with { AwaitsMemberId = true })).Status);
        Assert.Equal(GroupStatus.UnknownMember, (await test.Broker.Groups.JoinAsync(ClassicJoin("stranger"))).Status);
        Assert.Equal(GroupStatus.InconsistentProtocol, (await test.Broker.Groups.JoinAsync(ClassicJoin() with { ProtocolType = "connect" })).Status);

        // When the last member of the new protocol goes, the others assign themselves again.
        await OkAsync(test, Living("new", ConsumerHeartbeat.LeaveEpoch));
        Assert.Equal(GroupKind.Classic, (await DescribeAsync(test)).Kind);
        Assert.Equal(GroupStatus.RebalanceInProgress, test.Broker.Groups.Heartbeat(s_name, caller));
        var back = await test.Broker.Groups.JoinAsync(ClassicJoin(old.MemberId));
        Assert.Equal((GroupStatus.Ok, old.MemberId, 1), (back.Status, back.Leader, back.Members.Count));
        await test.RestartAsync();
        Assert.Equal(GroupKind.Classic, (await DescribeAsync(test)).Kind);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_set_for_a_group_holds_at_once_and_after_a_restart(bool checkpoint)
    {
        await using var test = await StartAsync();
        await test.CreateTopicAsync("t", 1);
        await OkAsync(test, Joining("a"));
        var target = ConsumerSettings.TargetOf(s_name);
        await test.Broker.Configs.ChangeAsync(target, set => set.SetItem(ConsumerSettings.SessionTimeout, "8000").SetItem(ConsumerSettings.HeartbeatInterval, "2000"));
        Assert.Equal(2_000, (await OkAsync(test, Living("a", 1))).IntervalMs);
        if (checkpoint) await test.Broker.Store.CheckpointAsync();
        await test.RestartAsync();
        Assert.Equal(2_000, (await OkAsync(test, Living("a", 1))).IntervalMs);
        test.Time.Advance(TimeSpan.FromSeconds(8));
        await GoneAsync(test, "a");
    }

    [Fact]
    public async Task Members_that_wait_in_a_classic_group_hear_of_the_upgrade()
    {
        await using var test = await StartAsync();
        var topic = await test.CreateTopicAsync("t", 2);
        await ClassicStableAsync(test, topic);
        var waiting = test.Broker.Groups.JoinAsync(ClassicJoin()).AsTask();
        await OkAsync(test, Joining("new"));
        Assert.Equal(GroupStatus.RebalanceInProgress, (await waiting.WaitAsync(TimeSpan.FromSeconds(20))).Status);
    }

    [Fact]
    public async Task A_classic_group_that_is_about_something_else_is_not_taken_over()
    {
        await using var test = await StartAsync();
        await test.Broker.Groups.JoinAsync(ClassicJoin() with { ProtocolType = "connect" });
        Assert.Equal(GroupStatus.NotFound, await StatusAsync(test, Joining("new")));
        Assert.Equal(GroupKind.Classic, (await DescribeAsync(test)).Kind);
    }

    [Theory]
    [InlineData("group")]
    [InlineData("instance")]
    [InlineData("rack")]
    [InlineData("epoch")]
    [InlineData("member")]
    [InlineData("away")]
    [InlineData("timeout")]
    [InlineData("owned")]
    [InlineData("topics")]
    public async Task What_makes_no_sense_is_refused(string what)
    {
        await using var test = await StartAsync();
        var heartbeat = Joining("a");
        heartbeat = what switch
        {
            "group" => heartbeat with { Group = GroupName.InDefault("") },
            "instance" => heartbeat with { InstanceId = "" },
            "rack" => heartbeat with { Rack = "" },
            "epoch" => heartbeat with { Epoch = -3 },
            "member" => heartbeat with { Epoch = 1, MemberId = "" },
            "away" => heartbeat with { Epoch = -2 },
            "timeout" => heartbeat with { RebalanceTimeoutMs = null },
            "owned" => heartbeat with { Owned = null },
            _ => heartbeat with { Topics = [] },
        };
        var answer = await test.Broker.Groups.HeartbeatAsync(heartbeat);
        Assert.Equal(GroupStatus.InvalidRequest, answer.Status);
        Assert.NotNull(answer.Message);
    }
}
