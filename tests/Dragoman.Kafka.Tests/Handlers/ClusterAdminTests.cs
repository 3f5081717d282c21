using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Tests.Handlers;

/// <summary>What administrators of clusters ask, and one node answers.</summary>
public sealed class ClusterAdminTests
{
    [Fact]
    public async Task The_data_directory_holds_the_partitions_and_their_sizes()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("a", 2);
        await broker.CreateTopicAsync("b");
        var client = broker.Connect();
        await client.ProduceAsync("a", Batches.Of("x", "y"), partition: 1);
        for (short version = 1; version <= 4; version++)
        {
            var directory = Assert.Single((await client.AskAsync<DescribeLogDirsRequest, DescribeLogDirsResponse>(new(), version)).Results);
            Assert.Equal(broker.Broker.Options.Store.Directory, directory.LogDir);
            Assert.Equal(["a", "b"], directory.Topics.Select(t => t.Name));
            Assert.Equal([true, false], directory.Topics[0].Partitions.Select(p => p.PartitionSize == 0));
            if (version >= 4) Assert.True(directory.TotalBytes >= directory.UsableBytes && directory.UsableBytes > 0);
        }
        var some = await client.AskAsync<DescribeLogDirsRequest, DescribeLogDirsResponse>(new() { Topics = [new() { Topic = "a", Partitions = [1, 9] }, new() { Topic = "none", Partitions = [0] }] }, 4);
        var topic = Assert.Single(Assert.Single(some.Results).Topics);
        Assert.Equal(("a", 1), (topic.Name, Assert.Single(topic.Partitions).PartitionIndex));
    }

    [Fact]
    public async Task Partitions_are_described_page_by_page()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("a", 3);
        await broker.CreateTopicAsync("b", 1);
        await broker.CreateTopicAsync("c", 2);
        var client = broker.Connect();
        var seen = new List<string>();
        DescribeTopicPartitionsRequest.TopicCursor? cursor = null;
        var pages = 0;
        do
        {
            var page = await client.AskAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(new() { ResponsePartitionLimit = 2, Cursor = cursor }, 0);
            foreach (var topic in page.Topics)
            {
                Assert.Equal(ErrorCode.None, topic.ErrorCode);
                Assert.All(topic.Partitions, p => Assert.Equal((7, 7, 7), (p.LeaderId, Assert.Single(p.ReplicaNodes), Assert.Single(p.IsrNodes))));
                seen.AddRange(topic.Partitions.Select(p => $"{topic.Name}{p.PartitionIndex}"));
            }
            cursor = page.NextCursor is { } next ? new() { TopicName = next.TopicName, PartitionIndex = next.PartitionIndex } : null;
            Assert.True(++pages < 10);
        }
        while (cursor is not null);
        Assert.Equal(["a0", "a1", "a2", "b0", "c0", "c1"], seen);
        Assert.Equal(3, pages);
        var named = await client.AskAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(new() { Topics = [new() { Name = "c" }, new() { Name = "none" }] }, 0);
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicOrPartition], named.Topics.Select(t => t.ErrorCode));
        Assert.Null(named.NextCursor);
    }

    [Fact]
    public async Task Leaders_need_no_election()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("a");
        var client = broker.Connect();
        var answer = await client.AskAsync<ElectLeadersRequest, ElectLeadersResponse>(new() { TopicPartitions = [new() { Topic = "a", Partitions = [0, 1] }] }, 2);
        Assert.Equal([ErrorCode.ElectionNotNeeded, ErrorCode.UnknownTopicOrPartition], Assert.Single(answer.ReplicaElectionResults).PartitionResult.Select(p => p.ErrorCode));
        Assert.Empty((await client.AskAsync<ElectLeadersRequest, ElectLeadersResponse>(new() { TopicPartitions = null }, 2)).ReplicaElectionResults);
        Assert.Equal(ErrorCode.InvalidRequest, (await client.AskAsync<ElectLeadersRequest, ElectLeadersResponse>(new() { ElectionType = 9 }, 2)).ErrorCode);
    }

    [Fact]
    public async Task Partitions_move_nowhere()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("a", 4);
        var client = broker.Connect();
        var request = new AlterPartitionReassignmentsRequest
        {
            Topics =
            [
                new()
                {
                    Name = "a",
                    Partitions = [new() { PartitionIndex = 0, Replicas = [7] }, new() { PartitionIndex = 1, Replicas = [8] }, new() { PartitionIndex = 2 }, new() { PartitionIndex = 3, Replicas = [] }, new() { PartitionIndex = 4, Replicas = [7] }],
                },
            ],
        };
        var answer = await client.AskAsync<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(request, 0);
        Assert.Equal(
            [ErrorCode.None, ErrorCode.InvalidReplicaAssignment, ErrorCode.NoReassignmentInProgress, ErrorCode.InvalidReplicaAssignment, ErrorCode.UnknownTopicOrPartition],
            Assert.Single(answer.Responses).Partitions.Select(p => p.ErrorCode));
        Assert.Empty((await client.AskAsync<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>(new() { Topics = null }, 0)).Topics);
        var directory = broker.Broker.Options.Store.Directory;
        var move = new AlterReplicaLogDirsRequest { Dirs = [new() { Path = directory, Topics = [new() { Name = "a", Partitions = [0] }] }, new() { Path = "/elsewhere", Topics = [new() { Name = "a", Partitions = [1, 9] }] }] };
        var moved = Assert.Single((await client.AskAsync<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse>(move, 2)).Results);
        Assert.Equal([ErrorCode.None, ErrorCode.LogDirNotFound, ErrorCode.UnknownTopicOrPartition], moved.Partitions.Select(p => p.ErrorCode));
    }

    [Fact]
    public async Task The_quorum_is_this_node()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        for (short version = 0; version <= 2; version++)
        {
            var request = new DescribeQuorumRequest { Topics = [new() { TopicName = "__cluster_metadata", Partitions = [new(), new() { PartitionIndex = 1 }] }] };
            var partitions = Assert.Single((await client.AskAsync<DescribeQuorumRequest, DescribeQuorumResponse>(request, version)).Topics).Partitions;
            Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicOrPartition], partitions.Select(p => p.ErrorCode));
            Assert.Equal((7, 7), (partitions[0].LeaderId, Assert.Single(partitions[0].CurrentVoters).ReplicaId));
        }
    }

    [Fact]
    public async Task Features_stay_as_they_are()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        var request = new UpdateFeaturesRequest { FeatureUpdates = [new() { Feature = "metadata.version", MaxVersionLevel = 20 }] };
        Assert.Equal(ErrorCode.InvalidUpdateVersion, Assert.Single((await client.AskAsync<UpdateFeaturesRequest, UpdateFeaturesResponse>(request, 1)).Results).ErrorCode);
        Assert.Equal(ErrorCode.InvalidUpdateVersion, (await client.AskAsync<UpdateFeaturesRequest, UpdateFeaturesResponse>(request, 2)).ErrorCode);
    }
}
