using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Journal;

namespace Dragoman.Kafka.Tests.Handlers;

public sealed class OffsetTests
{
    private const string Group = "g";

    private static OffsetCommitRequest Committing(string topic, int partition, long offset, string? metadata = null) => new()
    {
        GroupId = Group,
        Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset, CommittedLeaderEpoch = 4, CommittedMetadata = metadata }] }],
    };

    private static async Task<ErrorCode> CommitAsync(TestConnection client, OffsetCommitRequest request, short version = 9)
    {
        var response = await client.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(request, version);
        return Assert.Single(Assert.Single(response.Topics).Partitions).ErrorCode;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task This_node_coordinates_groups_and_transactions(short version)
    {
        await using var fixture = await BrokerFixture.StartAsync();
        foreach (var type in new[] { CoordinatorType.Group, CoordinatorType.Transaction })
        {
            var found = await fixture.Connect().AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = "any", KeyType = version == 0 ? CoordinatorType.Group : type }, version);
            Assert.Equal((ErrorCode.None, 7, "10.1.2.3", 9092), (found.ErrorCode, found.NodeId, found.Host, found.Port));
        }
    }

    [Fact]
    public async Task Coordinators_of_many_keys_are_found_at_once_and_those_of_share_groups_are_not()
    {
        await using var fixture = await BrokerFixture.StartAsync();
        var found = await fixture.Connect().AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { CoordinatorKeys = ["a", "b"] }, 4);
        Assert.Equal([("a", 7), ("b", 7)], found.Coordinators.Select(c => (c.Key, c.NodeId)));
        found = await fixture.Connect().AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { CoordinatorKeys = ["g:t:0"], KeyType = CoordinatorType.Share }, 6);
        Assert.Equal((ErrorCode.InvalidRequest, -1), (found.Coordinators[0].ErrorCode, found.Coordinators[0].NodeId));
    }

    [Fact]
    public async Task Every_version_commits_and_fetches_and_says_minus_one_of_what_is_not_committed()
    {
        await using var fixture = await BrokerFixture.StartAsync();
        await fixture.CreateTopicAsync("t", 3);
        var client = fixture.Connect();
        for (short version = 2; version <= 9; version++)
        {
            Assert.Equal(ErrorCode.None, await CommitAsync(client, Committing("t", 1, 100 + version, $"m{version}"), version));
            for (short fetch = 1; fetch <= 9; fetch++)
            {
                var request = fetch >= 8
                    ? new OffsetFetchRequest { Groups = [new() { GroupId = Group, Topics = [new() { Name = "t", PartitionIndexes = [1, 2] }] }] }
                    : new OffsetFetchRequest { GroupId = Group, Topics = [new() { Name = "t", PartitionIndexes = [1, 2] }] };
                var response = await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(request, fetch);
                var partitions = fetch >= 8
                    ? response.Groups[0].Topics[0].Partitions.Select(p => (p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.Metadata, p.ErrorCode))
                    : response.Topics[0].Partitions.Select(p => (p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.Metadata, p.ErrorCode));
                // The epoch is in commits since version 6, and in fetches since version 5.
                var epoch = version >= 6 && fetch >= 5 ? 4 : -1;
                Assert.Equal([(1, 100 + version, epoch, $"m{version}", ErrorCode.None), (2, -1, -1, "", ErrorCode.None)], partitions);
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(9)]
    public async Task Without_topics_all_offsets_are_fetched(short version)
    {
        await using var fixture = await BrokerFixture.StartAsync();
        await fixture.CreateTopicAsync("t", 3);
        await fixture.CreateTopicAsync("u", 1);
        var client = fixture.Connect();
        await CommitAsync(client, Committing("t", 2, 5));
        await CommitAsync(client, Committing("u", 0, 6));
        var request = version >= 8 ? new OffsetFetchRequest { Groups = [new() { GroupId = Group }, new() { GroupId = "other" }] } : new OffsetFetchRequest { GroupId = Group };
        var response = await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(request, version);
        var all = version >= 8
            ? response.Groups[0].Topics.Select(t => (t.Name, t.Partitions[0].PartitionIndex, t.Partitions[0].CommittedOffset))
            : response.Topics.Select(t => (t.Name, t.Partitions[0].PartitionIndex, t.Partitions[0].CommittedOffset));
        Assert.Equal([("t", 2, 5), ("u", 0, 6)], all.OrderBy(t => t.Name, StringComparer.Ordinal));
        if (version >= 8) Assert.Equal((ErrorCode.None, 0), (response.Groups[1].ErrorCode, response.Groups[1].Topics.Count));
    }

    [Fact]
    public async Task Each_partition_says_for_itself_what_is_wrong_with_it()
    {
        await using var fixture = await BrokerFixture.StartAsync(options => options with { Groups = new() { MaxOffsetMetadata = 3 } });
        await fixture.CreateTopicAsync("t", 2);
        var request = Committing("t", 0, 1, "four");
        request.Topics[0].Partitions.Add(new() { PartitionIndex = 1, CommittedOffset = 2, CommittedMetadata = "3!!" });
        request.Topics.Add(new() { Name = "none", Partitions = [new() { PartitionIndex = 0 }] });
        var response = await fixture.Connect().AskAsync<OffsetCommitRequest, OffsetCommitResponse>(request, 8);
        Assert.Equal([ErrorCode.OffsetMetadataTooLarge, ErrorCode.None, ErrorCode.UnknownTopicOrPartition], response.Topics.SelectMany(t => t.Partitions).Select(p => p.ErrorCode));
    }

    [Theory]
    [InlineData(8, ErrorCode.IllegalGeneration)]
    [InlineData(9, ErrorCode.GroupIdNotFound)]
    public async Task A_member_of_a_group_that_is_not_there_hears_so_in_its_versions_terms(short version, ErrorCode expected)
    {
        await using var fixture = await BrokerFixture.StartAsync();
        await fixture.CreateTopicAsync("t");
        var request = Committing("t", 0, 1);
        request.MemberId = "m";
        request.GenerationIdOrMemberEpoch = 3;
        Assert.Equal(expected, await CommitAsync(fixture.Connect(), request, version));
    }

    [Fact]
    public async Task A_topic_made_anew_begins_without_the_offsets_of_the_old_one()
    {
        await using var fixture = await BrokerFixture.StartAsync();
        await fixture.CreateTopicAsync("t");
        var client = fixture.Connect();
        await CommitAsync(client, Committing("t", 0, 5));
        Assert.Equal(TopicStatus.Ok, (await fixture.Broker.Topics.DeleteAsync(TopicName.InDefault("t"))).Status);
        await fixture.CreateTopicAsync("t");
        var response = await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(new() { GroupId = Group }, 5);
        Assert.Empty(response.Topics);
        response = await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(new() { GroupId = Group, Topics = [new() { Name = "t", PartitionIndexes = [0] }] }, 5);
        Assert.Equal(-1, response.Topics[0].Partitions[0].CommittedOffset);
    }

    [Fact]
    public async Task While_a_transaction_is_open_its_offsets_are_withheld_from_whoever_wants_stable_ones()
    {
        await using var fixture = await BrokerFixture.StartAsync();
        var topic = await fixture.CreateTopicAsync("t");
        var client = fixture.Connect();
        await CommitAsync(client, Committing("t", 0, 5));
        var transactional = fixture.Broker.Groups.Transactional;
        var group = GroupName.InDefault(Group);
        await transactional.ShardOf(group).ExecuteAsync(CommitMode.Fsync, commit =>
        {
            transactional.Stage(commit, group, 1, 0, [new OffsetCommit(new(topic, 0), new(9, -1, ""))]);
            return 0;
        });
        var request = new OffsetFetchRequest { GroupId = Group, RequireStable = true, Topics = [new() { Name = "t", PartitionIndexes = [0] }] };
        var stable = (await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(request, 7)).Topics[0].Partitions[0];
        Assert.Equal((ErrorCode.UnstableOffsetCommit, -1L), (stable.ErrorCode, stable.CommittedOffset));
        request.RequireStable = false;
        Assert.Equal(5, (await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(request, 7)).Topics[0].Partitions[0].CommittedOffset);
    }

    [Fact]
    public async Task Offsets_are_deleted_one_by_one()
    {
        await using var fixture = await BrokerFixture.StartAsync();
        await fixture.CreateTopicAsync("t", 2);
        var client = fixture.Connect();
        OffsetDeleteRequest request = new() { GroupId = Group, Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0 }, new() { PartitionIndex = 9 }] }] };
        Assert.Equal(ErrorCode.GroupIdNotFound, (await client.AskAsync<OffsetDeleteRequest, OffsetDeleteResponse>(request, 0)).ErrorCode);
        await CommitAsync(client, Committing("t", 0, 5));
        await CommitAsync(client, Committing("t", 1, 6));
        var response = await client.AskAsync<OffsetDeleteRequest, OffsetDeleteResponse>(request, 0);
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicOrPartition], response.Topics[0].Partitions.Select(p => p.ErrorCode));
        var left = await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(new() { GroupId = Group }, 5);
        Assert.Equal([(1, 6L)], left.Topics[0].Partitions.Select(p => (p.PartitionIndex, p.CommittedOffset)));
    }
}
