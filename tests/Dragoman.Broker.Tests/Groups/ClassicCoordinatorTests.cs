using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Classic;

namespace Dragoman.Broker.Tests.Groups;

/// <summary>Classic groups in a whole broker: timers, the journal, restarts and clients that go.</summary>
public sealed class ClassicCoordinatorTests
{
    private static readonly GroupName s_name = GroupName.InDefault("g");
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private static JoinRequest Joining(string id = "", string? instance = null, GroupName? group = null, bool awaitsId = false) => new()
    {
        Group = group ?? s_name,
        MemberId = id,
        InstanceId = instance,
        ClientId = "client",
        ClientHost = "/10.0.0.1",
        SessionTimeoutMs = 10_000,
        RebalanceTimeoutMs = 30_000,
        ProtocolType = "consumer",
        Protocols = [new("range", [1, 2, 3])],
        AwaitsMemberId = awaitsId,
        CanSkipAssignment = true,
    };

    private static SyncRequest Syncing(JoinAnswer joined, params (string Id, byte Share)[] shares) => new()
    {
        Group = s_name,
        Caller = new GroupCaller(joined.MemberId, null, joined.Generation),
        Shares = [.. shares.Select(s => KeyValuePair.Create(s.Id, new GroupShare([s.Share], null)))],
    };

    /// <summary>Moves the clock until something has happened.</summary>
    private static async Task<T> WhileTimePassesAsync<T>(TestBroker test, Task<T> happens, int stepMs = 100)
    {
        for (var i = 0; !happens.IsCompleted; i++)
        {
            Assert.True(i < 2_000, "nothing happens");
            test.Time.Advance(TimeSpan.FromMilliseconds(stepMs));
            await Task.WhenAny(happens, Task.Delay(5));
        }
        return await happens;
    }

    private static async Task<JoinAnswer> StableAsync(TestBroker test, string? instance = null)
    {
        var joined = await WhileTimePassesAsync(test, test.Broker.Groups.JoinAsync(Joining(instance: instance)).AsTask());
        Assert.Equal(GroupStatus.Ok, joined.Status);
        var synced = await test.Broker.Groups.SyncAsync(Syncing(joined, (joined.MemberId, 7)));
        Assert.Equal((GroupStatus.Ok, 7), (synced.Status, synced.Assignment.Single()));
        return joined;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_restart_members_go_on_in_their_generation(bool checkpoint)
    {
        await using var test = await TestBroker.StartAsync();
        var joined = await StableAsync(test, "i");
        if (checkpoint) await test.Broker.Store.CheckpointAsync();
        await test.RestartAsync();
        var caller = new GroupCaller(joined.MemberId, "i", joined.Generation);
        Assert.Equal(GroupStatus.Ok, test.Broker.Groups.Heartbeat(s_name, caller));
        Assert.Equal([7], (await test.Broker.Groups.SyncAsync(Syncing(joined))).Assignment);
        // A static member takes its place again, and that is journaled, too.
        var back = await test.Broker.Groups.JoinAsync(Joining(instance: "i"));
        Assert.Equal((joined.Generation, true), (back.Generation, back.SkipAssignment));
        await test.RestartAsync();
        Assert.Equal(GroupStatus.FencedInstance, test.Broker.Groups.Heartbeat(s_name, caller));
        Assert.Equal(GroupStatus.Ok, test.Broker.Groups.Heartbeat(s_name, caller with { MemberId = back.MemberId }));
    }

    [Fact]
    public async Task A_group_whose_members_have_gone_keeps_its_generation()
    {
        await using var test = await TestBroker.StartAsync();
        var joined = await StableAsync(test);
        Assert.Equal([GroupStatus.Ok], await test.Broker.Groups.LeaveAsync(s_name, [new(joined.MemberId, null)]));
        await test.RestartAsync();
        Assert.Equal(GroupStatus.UnknownMember, test.Broker.Groups.Heartbeat(s_name, new(joined.MemberId, null, joined.Generation)));
        var next = await WhileTimePassesAsync(test, test.Broker.Groups.JoinAsync(Joining()).AsTask());
        Assert.Equal(joined.Generation + 2, next.Generation);
    }

    [Fact]
    public async Task Time_alone_puts_out_who_shows_no_sign_of_life()
    {
        await using var test = await TestBroker.StartAsync();
        var joined = await StableAsync(test);
        var caller = new GroupCaller(joined.MemberId, null, joined.Generation);
        for (var i = 0; i < 5; i++)
        {
            test.Time.Advance(TimeSpan.FromSeconds(8));
            Assert.Equal(GroupStatus.Ok, test.Broker.Groups.Heartbeat(s_name, caller));
        }
        test.Time.Advance(TimeSpan.FromSeconds(11));
        var patience = DateTime.UtcNow + s_patience;
        // Asks in a way that is no sign of life.
        while (CheckTransactional(test, caller) != GroupStatus.UnknownMember)
        {
            Assert.True(DateTime.UtcNow < patience, "the member is still in");
            await Task.Delay(10);
        }
        Assert.Equal(GroupStatus.UnknownMember, test.Broker.Groups.Heartbeat(s_name, caller));
    }

    [Fact]
    public async Task A_group_can_be_deleted_as_soon_as_its_last_session_is_over()
    {
        await using var test = await TestBroker.StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await StableAsync(test, "i");
            test.Time.Advance(TimeSpan.FromMilliseconds(9_999));
            Assert.Equal(GroupStatus.NotEmpty, await test.Broker.Groups.DeleteAsync(s_name));
            test.Time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(GroupStatus.Ok, await test.Broker.Groups.DeleteAsync(s_name));
        }
    }

    private static GroupStatus CheckTransactional(TestBroker test, GroupCaller caller)
    {
        var transactional = test.Broker.Groups.Transactional;
        lock (transactional.ShardOf(s_name).Lock) return transactional.Check(s_name, caller);
    }

    [Fact]
    public async Task A_client_that_goes_while_it_waits_does_not_hold_up_the_others()
    {
        await using var test = await TestBroker.StartAsync();
        var joined = await StableAsync(test);
        using var gone = new CancellationTokenSource();
        var newcomer = test.Broker.Groups.JoinAsync(Joining(), gone.Token).AsTask();
        Assert.Equal(GroupStatus.RebalanceInProgress, test.Broker.Groups.Heartbeat(s_name, new(joined.MemberId, null, joined.Generation)));
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => newcomer);
        // Without waiting for anybody: the clock stands still.
        var again = await test.Broker.Groups.JoinAsync(Joining(joined.MemberId)).AsTask().WaitAsync(s_patience);
        Assert.Single(again.Members);
    }

    [Fact]
    public async Task Only_the_current_generation_commits_offsets_also_in_a_transaction_and_after_a_restart()
    {
        await using var test = await TestBroker.StartAsync();
        var joined = await StableAsync(test);
        var topic = await test.CreateTopicAsync("t");
        await test.RestartAsync();
        var caller = new GroupCaller(joined.MemberId, null, joined.Generation);
        Task<GroupStatus> Commit(GroupCaller who) => test.Broker.Groups.CommitOffsetsAsync(s_name, who, [new(new(topic.Id, 0), new(1, -1, ""))]).AsTask();
        Assert.Equal(GroupStatus.Ok, await Commit(caller));
        Assert.Equal(GroupStatus.IllegalGeneration, await Commit(caller with { Generation = 9 }));
        Assert.Equal(GroupStatus.UnknownMember, await Commit(GroupCaller.Outsider));
        var transactional = test.Broker.Groups.Transactional;
        lock (transactional.ShardOf(s_name).Lock)
        {
            Assert.Equal(GroupStatus.Ok, transactional.Check(s_name, caller));
            Assert.Equal(GroupStatus.IllegalGeneration, transactional.Check(s_name, caller with { Generation = 9 }));
            Assert.Equal(GroupStatus.UnknownMember, transactional.Check(s_name, caller with { MemberId = "x" }));
        }
    }

    [Fact]
    public async Task Names_and_sessions_that_are_not_allowed_are_refused()
    {
        await using var test = await TestBroker.StartAsync();
        Assert.Equal(GroupStatus.InvalidName, (await test.Broker.Groups.JoinAsync(Joining(group: GroupName.InDefault("")))).Status);
        Assert.Equal(GroupStatus.InvalidSessionTimeout, (await test.Broker.Groups.JoinAsync(Joining() with { SessionTimeoutMs = 5_999 })).Status);
        Assert.Equal(GroupStatus.InvalidSessionTimeout, (await test.Broker.Groups.JoinAsync(Joining() with { SessionTimeoutMs = 1_800_001 })).Status);
        Assert.Equal(GroupStatus.UnknownMember, (await test.Broker.Groups.SyncAsync(new SyncRequest { Group = s_name, Caller = new("m", null, 1) })).Status);
        Assert.Equal(GroupStatus.UnknownMember, test.Broker.Groups.Heartbeat(s_name, new("m", null, 1)));
        Assert.Equal([GroupStatus.UnknownMember], await test.Broker.Groups.LeaveAsync(s_name, [new("m", null)]));
    }
}
