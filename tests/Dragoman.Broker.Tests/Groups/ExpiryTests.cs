using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Tests.Groups;

public sealed class ExpiryTests
{
    private static readonly GroupName s_name = GroupName.InDefault("g");

    private static Task<TestBroker> StartAsync() => TestBroker.StartAsync(options => options with
    {
        Groups = options.Groups with { OffsetsRetention = TimeSpan.FromDays(7), InitialRebalanceDelay = TimeSpan.Zero },
    });

    private static async Task CommitAsync(TestBroker test, ITopicHandle topic, int partition, GroupCaller? caller = null, long retentionMs = -1) =>
        Assert.Equal(GroupStatus.Ok, await test.Broker.Groups.CommitOffsetsAsync(s_name, caller ?? GroupCaller.Outsider, [new(new(topic.Id, partition), new(1, -1, ""))], retentionMs));

    private static async Task<GroupCaller> JoinAsync(TestBroker test, params string[] topics)
    {
        var joined = await test.Broker.Groups.JoinAsync(new JoinRequest
        {
            Group = s_name,
            SessionTimeoutMs = 1_800_000,
            RebalanceTimeoutMs = 60_000,
            ProtocolType = "consumer",
            Protocols = [new("range", [])],
            Topics = [.. topics.Select(TopicName.InDefault)],
        });
        var caller = new GroupCaller(joined.MemberId, null, joined.Generation);
        Assert.Equal(GroupStatus.Ok, (await test.Broker.Groups.SyncAsync(new SyncRequest { Group = s_name, Caller = caller })).Status);
        return caller;
    }

    /// <summary>The partitions that are left after the time has passed and somebody has looked.</summary>
    private static async Task<List<int>> LeftAsync(TestBroker test)
    {
        await test.Broker.Groups.ExpireAsync();
        var left = await test.Broker.Groups.FetchOffsetsAsync(s_name, GroupCaller.Outsider, null, false);
        return [.. left.Offsets.Select(o => o.Partition.Partition).Order()];
    }

    private static async Task<bool> ExistsAsync(TestBroker test) => (await test.Broker.Groups.DescribeAsync(s_name)).Status == GroupStatus.Ok;

    [Fact]
    public async Task Offsets_of_a_group_without_members_expire_one_by_one_and_the_group_goes_with_the_last()
    {
        await using var test = await StartAsync();
        var topic = await test.CreateTopicAsync("t", 3);
        await CommitAsync(test, topic, 0);
        await CommitAsync(test, topic, 2, retentionMs: 1000);
        test.Time.Advance(TimeSpan.FromDays(6));
        await CommitAsync(test, topic, 1);
        Assert.Equal([0, 1], await LeftAsync(test));
        test.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal([1], await LeftAsync(test));
        test.Time.Advance(TimeSpan.FromDays(6) - TimeSpan.FromSeconds(1));
        Assert.Equal([1], await LeftAsync(test));
        test.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await LeftAsync(test));
        Assert.False(await ExistsAsync(test));
        await test.RestartAsync();
        Assert.False(await ExistsAsync(test));
    }

    [Fact]
    public async Task While_members_read_a_topic_its_offsets_stay_and_those_of_others_expire()
    {
        await using var test = await StartAsync();
        var read = await test.CreateTopicAsync("read", 1);
        var once = await test.CreateTopicAsync("once", 2);
        var member = await JoinAsync(test, "read");
        await CommitAsync(test, read, 0, member);
        await CommitAsync(test, once, 1, member);
        for (var i = 0; i < 7 * 24 * 60 / 28; i++)
        {
            Assert.Equal([0, 1], await LeftAsync(test));
            test.Time.Advance(TimeSpan.FromMinutes(27));
            Assert.Equal(GroupStatus.Ok, test.Broker.Groups.Heartbeat(s_name, member));
            test.Time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.Equal([0], await LeftAsync(test));
        // Retention begins anew when the last member has gone.
        await test.Broker.Groups.LeaveAsync(s_name, [new(member.MemberId, null)]);
        test.Time.Advance(TimeSpan.FromDays(6.9));
        Assert.Equal([0], await LeftAsync(test));
        test.Time.Advance(TimeSpan.FromDays(0.1));
        Assert.Empty(await LeftAsync(test));
        Assert.False(await ExistsAsync(test));
    }

    [Fact]
    public async Task Offsets_of_a_topic_that_is_gone_go_also_while_there_are_members()
    {
        await using var test = await StartAsync();
        var topic = await test.CreateTopicAsync("t", 1);
        var member = await JoinAsync(test, "t");
        await CommitAsync(test, topic, 0, member);
        await test.Broker.Topics.DeleteAsync(topic.Name);
        Assert.Empty(await LeftAsync(test));
        Assert.True(await ExistsAsync(test));
    }

    [Fact]
    public async Task An_open_transaction_keeps_the_group_and_the_offset_that_it_may_change()
    {
        await using var test = await StartAsync();
        var topic = await test.CreateTopicAsync("t", 1);
        await CommitAsync(test, topic, 0);
        var transactional = test.Broker.Groups.Transactional;
        var shard = transactional.ShardOf(s_name);
        await shard.ExecuteAsync(CommitMode.Fsync, commit =>
        {
            transactional.Stage(commit, s_name, 1, 0, [new(new(topic.Id, 0), new(5, -1, ""))]);
            return 0;
        });
        test.Time.Advance(TimeSpan.FromDays(8));
        Assert.Equal([0], await LeftAsync(test));
        await shard.ExecuteAsync(CommitMode.Fsync, commit =>
        {
            transactional.Complete(commit, shard, 1, committed: false);
            return 0;
        });
        Assert.Empty(await LeftAsync(test));
    }

    [Fact]
    public async Task The_broker_looks_by_itself_from_time_to_time()
    {
        await using var test = await StartAsync();
        var topic = await test.CreateTopicAsync("t", 1);
        await CommitAsync(test, topic, 0);
        test.Time.Advance(TimeSpan.FromDays(7));
        for (var i = 0; await ExistsAsync(test); i++)
        {
            Assert.True(i < 2000, "the group is still there");
            test.Time.Advance(TimeSpan.FromMinutes(10));
            await Task.Delay(10);
        }
    }

    [Fact]
    public async Task Only_groups_without_members_are_deleted_and_all_is_gone_with_them()
    {
        await using var test = await StartAsync();
        var topic = await test.CreateTopicAsync("t", 1);
        Assert.Equal(GroupStatus.NotFound, await test.Broker.Groups.DeleteAsync(s_name));
        var member = await JoinAsync(test, "t");
        await CommitAsync(test, topic, 0, member);
        Assert.Equal(GroupStatus.NotEmpty, await test.Broker.Groups.DeleteAsync(s_name));
        Assert.Equal([GroupStatus.SubscribedToTopic], (await test.Broker.Groups.DeleteOffsetsAsync(s_name, [new(topic.Id, 0)])).Partitions);
        await test.Broker.Groups.LeaveAsync(s_name, [new(member.MemberId, null)]);
        Assert.Equal(GroupStatus.Ok, await test.Broker.Groups.DeleteAsync(s_name));
        await test.RestartAsync();
        Assert.False(await ExistsAsync(test));
        Assert.Null(Assert.Single((await test.Broker.Groups.FetchOffsetsAsync(s_name, GroupCaller.Outsider, [new(topic.Id, 0)], false)).Offsets).Committed);
    }
}
