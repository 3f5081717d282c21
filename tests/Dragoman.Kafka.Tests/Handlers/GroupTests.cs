using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Tests.Handlers;

public sealed class GroupTests
{
    private static JoinGroupRequest Joining(string memberId = "", string group = "g") => new()
    {
        GroupId = group,
        MemberId = memberId,
        SessionTimeoutMs = 30_000,
        RebalanceTimeoutMs = 60_000,
        ProtocolType = "consumer",
        // A subscription of version 0: to the topic t.
        Protocols = [new() { Name = "range", Metadata = [0, 0, 0, 0, 0, 1, 0, 1, (byte)'t', 255, 255, 255, 255] }],
    };

    private static async Task<JoinGroupResponse> JoinAsync(TestConnection client, JoinGroupRequest request, short version)
    {
        var response = await client.AskAsync<JoinGroupRequest, JoinGroupResponse>(request, version);
        if (response.ErrorCode != ErrorCode.MemberIdRequired) return response;
        Assert.NotEmpty(response.MemberId);
        request.MemberId = response.MemberId;
        return await client.AskAsync<JoinGroupRequest, JoinGroupResponse>(request, version);
    }

    public static TheoryData<short> JoinVersions => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

    [Theory]
    [MemberData(nameof(JoinVersions))]
    public async Task A_member_of_any_version_joins_gets_its_share_lives_and_leaves(short version)
    {
        await using var fixture = await BrokerFixture.StartAsync();
        await fixture.CreateTopicAsync("t");
        var client = fixture.Connect();
        var asked = await client.AskAsync<JoinGroupRequest, JoinGroupResponse>(Joining(), version);
        Assert.Equal(version >= 4 ? ErrorCode.MemberIdRequired : ErrorCode.None, asked.ErrorCode);
        var joined = version >= 4 ? await client.AskAsync<JoinGroupRequest, JoinGroupResponse>(Joining(asked.MemberId), version) : asked;
        Assert.Equal((ErrorCode.None, 1, "range", joined.MemberId), (joined.ErrorCode, joined.GenerationId, joined.ProtocolName, joined.Leader));
        Assert.StartsWith("tests-", joined.MemberId);
        Assert.Equal(Joining().Protocols[0].Metadata, Assert.Single(joined.Members).Metadata);

        var sync = Math.Min(version, (short)5);
        var synced = await client.AskAsync<SyncGroupRequest, SyncGroupResponse>(new()
        {
            GroupId = "g",
            GenerationId = 1,
            MemberId = joined.MemberId,
            ProtocolType = sync >= 5 ? "consumer" : null,
            ProtocolName = sync >= 5 ? "range" : null,
            Assignments = [new() { MemberId = joined.MemberId, Assignment = [1, 2] }],
        }, sync);
        Assert.Equal(ErrorCode.None, synced.ErrorCode);
        Assert.Equal([1, 2], synced.Assignment);

        var beat = await client.AskAsync<HeartbeatRequest, HeartbeatResponse>(new() { GroupId = "g", GenerationId = 1, MemberId = joined.MemberId }, Math.Min(version, (short)4));
        Assert.Equal(ErrorCode.None, beat.ErrorCode);
        var subscribed = await client.AskAsync<OffsetDeleteRequest, OffsetDeleteResponse>(
            new() { GroupId = "g", Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0 }] }] }, 0);
        Assert.Equal(ErrorCode.GroupSubscribedToTopic, subscribed.Topics[0].Partitions[0].ErrorCode);

        var leave = Math.Min(version, (short)5);
        var left = await client.AskAsync<LeaveGroupRequest, LeaveGroupResponse>(
            leave >= 3 ? new() { GroupId = "g", Members = [new() { MemberId = joined.MemberId }, new() { MemberId = "x" }] } : new() { GroupId = "g", MemberId = joined.MemberId }, leave);
        Assert.Equal(ErrorCode.None, left.ErrorCode);
        if (leave >= 3) Assert.Equal([ErrorCode.None, ErrorCode.UnknownMemberId], left.Members.Select(m => m.ErrorCode));
        beat = await client.AskAsync<HeartbeatRequest, HeartbeatResponse>(new() { GroupId = "g", GenerationId = 1, MemberId = joined.MemberId }, 0);
        Assert.Equal(ErrorCode.UnknownMemberId, beat.ErrorCode);
    }

    [Fact]
    public async Task A_member_must_say_what_it_takes_the_group_to_be()
    {
        await using var fixture = await BrokerFixture.StartAsync();
        var client = fixture.Connect();
        var joined = await JoinAsync(client, Joining(), 9);
        async Task<ErrorCode> Sync(string? type, string? name) => (await client.AskAsync<SyncGroupRequest, SyncGroupResponse>(
            new() { GroupId = "g", GenerationId = 1, MemberId = joined.MemberId, ProtocolType = type, ProtocolName = name }, 5)).ErrorCode;
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, await Sync(null, "range"));
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, await Sync("consumer", "sticky"));
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, await Sync("connect", "range"));
        Assert.Equal(ErrorCode.None, await Sync("consumer", "range"));
    }

    [Fact]
    public async Task A_client_that_disconnects_while_it_joins_does_not_hold_up_the_others_nor_its_connection()
    {
        await using var fixture = await BrokerFixture.StartAsync();
        var client = fixture.Connect();
        var joined = await JoinAsync(client, Joining(), 9);
        await client.AskAsync<SyncGroupRequest, SyncGroupResponse>(new() { GroupId = "g", GenerationId = 1, MemberId = joined.MemberId, ProtocolType = "consumer", ProtocolName = "range" }, 5);
        var other = fixture.Connect();
        var told = await other.AskAsync<JoinGroupRequest, JoinGroupResponse>(Joining(), 9);
        await other.SendAsync(Joining(told.MemberId), 9);
        // Its heartbeat tells that the other's join has arrived.
        while ((await client.AskAsync<HeartbeatRequest, HeartbeatResponse>(new() { GroupId = "g", GenerationId = 1, MemberId = joined.MemberId }, 4)).ErrorCode != ErrorCode.RebalanceInProgress)
            await Task.Delay(10);
        other.Disconnect();
        await other.Ended.WaitAsync(TimeSpan.FromSeconds(20));
        var again = await client.AskAsync<JoinGroupRequest, JoinGroupResponse>(Joining(joined.MemberId), 9);
        Assert.Equal([joined.MemberId], again.Members.Select(m => m.MemberId));
    }

    [Fact]
    public async Task What_is_refused_is_refused_in_Kafkas_terms()
    {
        await using var fixture = await BrokerFixture.StartAsync(options => options with { Groups = options.Groups with { MaxSize = 1 } });
        var client = fixture.Connect();
        Assert.Equal(ErrorCode.InvalidGroupId, (await JoinAsync(client, Joining(group: ""), 5)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownMemberId, (await JoinAsync(client, Joining("stranger"), 5)).ErrorCode);
        var hasty = Joining();
        hasty.SessionTimeoutMs = 10;
        Assert.Equal(ErrorCode.InvalidSessionTimeout, (await JoinAsync(client, hasty, 5)).ErrorCode);
        var mute = Joining();
        mute.Protocols.Clear();
        var refused = await JoinAsync(client, mute, 5);
        Assert.Equal((ErrorCode.InconsistentGroupProtocol, ""), (refused.ErrorCode, refused.ProtocolName));
        await JoinAsync(client, Joining(), 5);
        Assert.Equal(ErrorCode.GroupMaxSizeReached, (await JoinAsync(client, Joining(), 5)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidGroupId, (await client.AskAsync<LeaveGroupRequest, LeaveGroupResponse>(new() { Members = [] }, 4)).ErrorCode);
    }

    [Fact]
    public async Task Groups_are_listed_described_and_deleted()
    {
        await using var fixture = await BrokerFixture.StartAsync();
        await fixture.CreateTopicAsync("t");
        var client = fixture.Connect();
        var joined = await JoinAsync(client, Joining(), 9);
        await client.AskAsync<SyncGroupRequest, SyncGroupResponse>(new()
        {
            GroupId = "g",
            GenerationId = 1,
            MemberId = joined.MemberId,
            ProtocolType = "consumer",
            ProtocolName = "range",
            Assignments = [new() { MemberId = joined.MemberId, Assignment = [9] }],
        }, 5);
        await client.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new() { GroupId = "offsets only", Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0, CommittedOffset = 1 }] }] }, 9);

        async Task<IEnumerable<(string, string, string, string)>> ListAsync(short version, string[] states, string[] types) =>
            (await client.AskAsync<ListGroupsRequest, ListGroupsResponse>(new() { StatesFilter = [.. states], TypesFilter = [.. types] }, version))
                .Groups.Select(g => (g.GroupId, g.ProtocolType, g.GroupState, g.GroupType));
        var active = ("g", "consumer", "Stable", "classic");
        var simple = ("offsets only", "", "Empty", "classic");
        Assert.Equal([active, simple], await ListAsync(5, [], []));
        Assert.Equal([active], await ListAsync(5, ["stable"], ["Classic"]));
        Assert.Equal([simple], await ListAsync(5, ["Empty"], []));
        Assert.Empty(await ListAsync(5, [], ["consumer"]));
        Assert.Equal(["g", "offsets only"], (await ListAsync(0, [], [])).Select(g => g.Item1));

        for (short version = 0; version <= 6; version++)
        {
            var response = await client.AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new() { Groups = ["g", "none", "offsets only"], IncludeAuthorizedOperations = version >= 3 }, version);
            var group = response.Groups[0];
            Assert.Equal((ErrorCode.None, "g", "Stable", "consumer", "range"), (group.ErrorCode, group.GroupId, group.GroupState, group.ProtocolType, group.ProtocolData));
            if (version >= 3) Assert.NotEqual(int.MinValue, group.AuthorizedOperations);
            var member = Assert.Single(group.Members);
            Assert.Equal((joined.MemberId, "tests", "/10.9.8.7"), (member.MemberId, member.ClientId, member.ClientHost));
            Assert.Equal(Joining().Protocols[0].Metadata, member.MemberMetadata);
            Assert.Equal([9], member.MemberAssignment);
            Assert.Equal((version >= 6 ? ErrorCode.GroupIdNotFound : ErrorCode.None, "Dead"), (response.Groups[1].ErrorCode, response.Groups[1].GroupState));
            Assert.Equal((ErrorCode.None, "Empty"), (response.Groups[2].ErrorCode, response.Groups[2].GroupState));
        }

        for (short version = 0; version <= 2; version++)
        {
            var deleted = await client.AskAsync<DeleteGroupsRequest, DeleteGroupsResponse>(new() { GroupsNames = ["g", "offsets only"] }, version);
            Assert.Equal([ErrorCode.NonEmptyGroup, version == 0 ? ErrorCode.None : ErrorCode.GroupIdNotFound], deleted.Results.Select(r => r.ErrorCode));
        }
    }

    private static ConsumerGroupHeartbeatRequest Beating(string memberId, int epoch = 0) => new()
    {
        GroupId = "g",
        MemberId = memberId,
        MemberEpoch = epoch,
        RebalanceTimeoutMs = epoch == 0 ? 60_000 : -1,
        SubscribedTopicNames = epoch == 0 ? ["t"] : null,
        TopicPartitions = epoch == 0 ? [] : null,
    };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_member_of_a_consumer_group_joins_gets_its_share_commits_and_leaves(short version)
    {
        await using var fixture = await BrokerFixture.StartAsync();
        var topic = await fixture.CreateTopicAsync("t", 3);
        var client = fixture.Connect();
        async Task<ConsumerGroupHeartbeatResponse> Beat(ConsumerGroupHeartbeatRequest request) =>
            await client.AskAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(request, version);

        // In version 1 members choose their ids; before, the broker gives one.
        var nameless = await Beat(Beating(""));
        Assert.Equal(version >= 1 ? ErrorCode.InvalidRequest : ErrorCode.None, nameless.ErrorCode);
        var joined = version >= 1 ? await Beat(Beating("own id")) : nameless;
        Assert.Equal((ErrorCode.None, 1), (joined.ErrorCode, joined.MemberEpoch));
        if (version >= 1) Assert.Equal("own id", joined.MemberId);
        Assert.InRange(joined.HeartbeatIntervalMs, 1, 5000);
        var share = Assert.Single(joined.Assignment!.TopicPartitions);
        Assert.Equal(topic, share.TopicId);
        Assert.Equal([0, 1, 2], share.Partitions);
        var again = await Beat(Beating(joined.MemberId!, 1));
        Assert.Equal((ErrorCode.None, 1, null), (again.ErrorCode, again.MemberEpoch, again.Assignment));

        var commit = new OffsetCommitRequest
        {
            GroupId = "g",
            MemberId = joined.MemberId!,
            GenerationIdOrMemberEpoch = 1,
            Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 1, CommittedOffset = 5 }] }],
        };
        async Task<ErrorCode> Commit() => (await client.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(commit, 9)).Topics[0].Partitions[0].ErrorCode;
        Assert.Equal(ErrorCode.None, await Commit());
        commit.GenerationIdOrMemberEpoch = 2;
        Assert.Equal(ErrorCode.StaleMemberEpoch, await Commit());
        var fetch = new OffsetFetchRequest { Groups = [new() { GroupId = "g", MemberId = joined.MemberId, MemberEpoch = 1 }] };
        Assert.Equal(5, (await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(fetch, 9)).Groups[0].Topics[0].Partitions[0].CommittedOffset);
        fetch.Groups[0].MemberEpoch = 0;
        Assert.Equal(ErrorCode.StaleMemberEpoch, (await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(fetch, 9)).Groups[0].ErrorCode);

        var described = await client.AskAsync<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(new() { GroupIds = ["g", "none"], IncludeAuthorizedOperations = true }, version);
        var group = described.Groups[0];
        Assert.Equal((ErrorCode.None, "Stable", 1, 1, "uniform"), (group.ErrorCode, group.GroupState, group.GroupEpoch, group.AssignmentEpoch, group.AssignorName));
        Assert.NotEqual(int.MinValue, group.AuthorizedOperations);
        var member = Assert.Single(group.Members);
        Assert.Equal((joined.MemberId, 1, "tests", "/10.9.8.7"), (member.MemberId, member.MemberEpoch, member.ClientId, member.ClientHost));
        Assert.Equal(["t"], member.SubscribedTopicNames);
        Assert.Equal("t", Assert.Single(member.Assignment.TopicPartitions).TopicName);
        Assert.Equal([0, 1, 2], Assert.Single(member.TargetAssignment.TopicPartitions).Partitions);
        Assert.Equal(version >= 1 ? 1 : -1, member.MemberType);
        Assert.Equal(ErrorCode.GroupIdNotFound, described.Groups[1].ErrorCode);
        // To requests for the other kind, it is not there.
        Assert.Equal("Dead", (await client.AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new() { Groups = ["g"] }, 5)).Groups[0].GroupState);
        Assert.Equal("consumer", (await client.AskAsync<ListGroupsRequest, ListGroupsResponse>(new(), 5)).Groups[0].GroupType);

        Assert.Equal(ErrorCode.FencedMemberEpoch, (await Beat(Beating(joined.MemberId!, 7))).ErrorCode);
        var left = await Beat(Beating(joined.MemberId!, -1));
        Assert.Equal((ErrorCode.None, -1), (left.ErrorCode, left.MemberEpoch));
        Assert.Equal(ErrorCode.UnknownMemberId, (await Beat(Beating(joined.MemberId!, 1))).ErrorCode);
    }

    [Fact]
    public async Task A_classic_member_of_a_consumer_group_gets_its_share_in_its_own_spelling()
    {
        await using var fixture = await BrokerFixture.StartAsync();
        await fixture.CreateTopicAsync("t", 2);
        var client = fixture.Connect();
        await client.AskAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(Beating("new"), 1);
        var joined = await JoinAsync(client, Joining(), 9);
        Assert.Equal((ErrorCode.None, "consumer", "range", ""), (joined.ErrorCode, joined.ProtocolType, joined.ProtocolName, joined.Leader));
        async Task<SyncGroupResponse> Sync() => await client.AskAsync<SyncGroupRequest, SyncGroupResponse>(
            new() { GroupId = "g", GenerationId = joined.GenerationId, MemberId = joined.MemberId, ProtocolType = "consumer", ProtocolName = "range" }, 5);
        Assert.Equal([0, 0, 0, 0, 0, 0, 255, 255, 255, 255], (await Sync()).Assignment);
        // The other member gives one up, and has no more to give.
        var gives = await client.AskAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(Beating("new", 1), 1);
        var acknowledges = Beating("new", 1);
        acknowledges.TopicPartitions = [new() { TopicId = gives.Assignment!.TopicPartitions[0].TopicId, Partitions = gives.Assignment.TopicPartitions[0].Partitions }];
        Assert.Equal(2, (await client.AskAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(acknowledges, 1)).MemberEpoch);
        var beat = new HeartbeatRequest { GroupId = "g", GenerationId = joined.GenerationId, MemberId = joined.MemberId };
        Assert.Equal(ErrorCode.RebalanceInProgress, (await client.AskAsync<HeartbeatRequest, HeartbeatResponse>(beat, 4)).ErrorCode);
        joined = await client.AskAsync<JoinGroupRequest, JoinGroupResponse>(Joining(joined.MemberId), 9);
        var given = gives.Assignment.TopicPartitions[0].Partitions[0] == 0 ? (byte)1 : (byte)0;
        Assert.Equal([0, 0, 0, 0, 0, 1, 0, 1, (byte)'t', 0, 0, 0, 1, 0, 0, 0, given, 255, 255, 255, 255], (await Sync()).Assignment);
        Assert.Equal(ErrorCode.None, (await client.AskAsync<HeartbeatRequest, HeartbeatResponse>(beat, 4)).ErrorCode);
    }

    [Fact]
    public async Task Groups_are_configured_and_say_how()
    {
        await using var fixture = await BrokerFixture.StartAsync();
        await fixture.CreateTopicAsync("t");
        var client = fixture.Connect();
        async Task<Dictionary<string, (string?, ConfigSource)>> DescribeAsync() =>
            (await client.AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(new() { Resources = [new() { ResourceType = ConfigResourceType.Group, ResourceName = "g" }], IncludeSynonyms = true }, 4))
                .Results[0].Configs.ToDictionary(c => c.Name, c => (c.Value, c.ConfigSource));
        async Task<ErrorCode> AlterAsync(string name, string? value, ConfigOperation operation = ConfigOperation.Set) =>
            (await client.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
                new() { Resources = [new() { ResourceType = ConfigResourceType.Group, ResourceName = "g", Configs = [new() { Name = name, Value = value, ConfigOperation = operation }] }] }, 1)).Responses[0].ErrorCode;
        const string Session = "consumer.session.timeout.ms";
        const string Interval = "consumer.heartbeat.interval.ms";
        Assert.Equal(("45000", ConfigSource.Default), (await DescribeAsync())[Session]);
        Assert.Equal(ErrorCode.None, await AlterAsync(Session, "7000"));
        Assert.Equal(ErrorCode.None, await AlterAsync(Interval, "1234"));
        Assert.Equal(("7000", ConfigSource.Group), (await DescribeAsync())[Session]);
        Assert.Equal(1234, (await client.AskAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(Beating("m"), 1)).HeartbeatIntervalMs);
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(Session, "10"));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(Interval, "7000"));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync("no.such", "1"));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(Session, "1", ConfigOperation.Append));
        Assert.Equal(ErrorCode.None, await AlterAsync(Interval, null, ConfigOperation.Delete));
        Assert.Equal(("5000", ConfigSource.Default), (await DescribeAsync())[Interval]);
        var replaced = await client.AskAsync<AlterConfigsRequest, AlterConfigsResponse>(new() { Resources = [new() { ResourceType = ConfigResourceType.Group, ResourceName = "g", Configs = [new() { Name = Interval, Value = "2000" }] }] }, 2);
        Assert.Equal(ErrorCode.None, replaced.Responses[0].ErrorCode);
        Assert.Equal([("2000", ConfigSource.Group), ("45000", ConfigSource.Default)], (await DescribeAsync()).OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => c.Value));
        // What is set for a group makes no group.
        Assert.DoesNotContain("h", (await client.AskAsync<ListGroupsRequest, ListGroupsResponse>(new(), 5)).Groups.Select(g => g.GroupId));
    }
}
