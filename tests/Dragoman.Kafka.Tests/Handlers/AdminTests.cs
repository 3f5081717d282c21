using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Journal;

namespace Dragoman.Kafka.Tests.Handlers;

public sealed class AdminTests
{
    private static async Task<MetadataResponse> MetadataAsync(TestConnection client, short version, params string[]? names) =>
        await client.AskAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = names is null ? null : [.. names.Select(n => new MetadataRequest.MetadataRequestTopic { Name = n })], AllowAutoTopicCreation = false }, version);

    [Fact]
    [Trait("Row", "K5")]
    public async Task Metadata_tells_the_address_that_the_client_reached_or_the_advertised_one()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var reached = Assert.Single((await MetadataAsync(broker.Connect(), 13, null)).Brokers);
        Assert.Equal((7, "10.1.2.3", 9092, null), (reached.NodeId, reached.Host, reached.Port, reached.Rack));
        await using var other = await BrokerFixture.StartAsync(options: new KafkaOptions { AdvertisedHost = "broker.example", AdvertisedPort = 19, Rack = "r1" });
        var advertised = Assert.Single((await MetadataAsync(other.Connect(), 13, null)).Brokers);
        Assert.Equal(("broker.example", 19, "r1"), (advertised.Host, advertised.Port, advertised.Rack));
    }

    [Fact]
    [Trait("Row", "K4")]
    public async Task Metadata_tells_all_topics_for_null_and_none_for_an_empty_list()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var id = await broker.CreateTopicAsync("t", 3);
        var client = broker.Connect();
        Assert.Empty((await MetadataAsync(client, 1)).Topics);
        Assert.Single((await MetadataAsync(client, 0)).Topics);
        for (short version = 1; version <= 13; version++)
        {
            var response = await MetadataAsync(client, version, null);
            Assert.Equal(7, response.ControllerId);
            var topic = Assert.Single(response.Topics);
            Assert.Equal("t", topic.Name);
            if (version >= 10) Assert.Equal(id, topic.TopicId);
            Assert.Equal([0, 1, 2], topic.Partitions.Select(p => p.PartitionIndex));
            Assert.All(topic.Partitions, p => Assert.Equal((7, version >= 7 ? broker.Broker.Store.Epoch : -1), (p.LeaderId, p.LeaderEpoch)));
            if (version >= 2) Assert.Equal(22, response.ClusterId!.Length);
        }
    }

    [Fact]
    [Trait("Row", "K4")]
    public async Task Metadata_creates_topics_only_where_both_sides_allow_it()
    {
        await using var broker = await BrokerFixture.StartAsync(o => o with { DefaultPartitions = 2 });
        var client = broker.Connect();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, Assert.Single((await MetadataAsync(client, 9, "t")).Topics).ErrorCode);
        var request = new MetadataRequest { Topics = [new() { Name = "t" }, new() { Name = "bad name" }, new() { Name = ".." }, new() { Name = new string('x', 250) }, new() { Name = "queue.q" }] };
        var created = (await client.AskAsync<MetadataRequest, MetadataResponse>(request, 9)).Topics;
        Assert.Equal(
            [ErrorCode.None, ErrorCode.InvalidTopicException, ErrorCode.InvalidTopicException, ErrorCode.InvalidTopicException, ErrorCode.UnknownTopicOrPartition],
            created.Select(t => t.ErrorCode));
        Assert.Equal(2, created[0].Partitions.Count);

        await using var strict = await BrokerFixture.StartAsync(o => o with { AutoCreateTopics = false });
        request = new MetadataRequest { Topics = [new() { Name = "t" }] };
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await strict.Connect().AskAsync<MetadataRequest, MetadataResponse>(request, 9)).Topics[0].ErrorCode);
    }

    [Fact]
    [Trait("Row", "K4")]
    public async Task Metadata_finds_topics_by_id()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var id = await broker.CreateTopicAsync("t");
        var request = new MetadataRequest { Topics = [new() { Name = null, TopicId = id }, new() { Name = null, TopicId = Guid.NewGuid() }] };
        var topics = (await broker.Connect().AskAsync<MetadataRequest, MetadataResponse>(request, 12)).Topics;
        Assert.Equal((ErrorCode.None, "t"), (topics[0].ErrorCode, topics[0].Name));
        Assert.Equal((ErrorCode.UnknownTopicId, null), (topics[1].ErrorCode, topics[1].Name));
    }

    [Theory]
    [InlineData(-1L, 3L, -1L)]
    [InlineData(-2L, 0L, -1L)]
    [InlineData(-3L, 2L, 5000L)]
    [InlineData(-4L, 0L, -1L)]
    [InlineData(-5L, -1L, -1L)]
    [InlineData(0L, 0L, 1000L)]
    [InlineData(1001L, 1L, 1001L)]
    [InlineData(1002L, 2L, 5000L)]
    [InlineData(5001L, -1L, -1L)]
    public async Task Offsets_are_found(long timestamp, long offset, long foundTimestamp)
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        await client.ProduceAsync("t", Batches.Of("a", "b"));
        await client.ProduceAsync("t", Batches.Of(default, 5000, "c"));
        foreach (var isolation in new[] { IsolationLevel.ReadUncommitted, IsolationLevel.ReadCommitted })
        {
            var request = new ListOffsetsRequest { IsolationLevel = isolation, Topics = [new() { Name = "t", Partitions = [new() { Timestamp = timestamp }, new() { PartitionIndex = 1, Timestamp = timestamp }] }] };
            var found = (await client.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(request, 8)).Topics[0].Partitions;
            Assert.Equal((ErrorCode.None, offset, foundTimestamp), (found[0].ErrorCode, found[0].Offset, found[0].Timestamp));
            Assert.Equal(offset >= 0 ? broker.Broker.Store.Epoch : -1, found[0].LeaderEpoch);
            Assert.Equal(ErrorCode.UnknownTopicOrPartition, found[1].ErrorCode);
        }
    }

    [Fact]
    public async Task Creating_topics_refuses_what_kafka_refuses()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("there");
        CreateTopicsRequest.CreatableTopic Topic(string name, int partitions = 1, short replicas = 1, string? config = null, string? value = null) =>
            new() { Name = name, NumPartitions = partitions, ReplicationFactor = replicas, Configs = config is null ? [] : [new() { Name = config, Value = value }] };
        (CreateTopicsRequest.CreatableTopic Topic, ErrorCode Expected)[] cases =
        [
            (Topic("there"), ErrorCode.TopicAlreadyExists),
            (Topic("bad/name"), ErrorCode.InvalidTopicException),
            (Topic(""), ErrorCode.InvalidTopicException),
            (Topic("queue.q"), ErrorCode.InvalidTopicException),
            (Topic("p0", 0), ErrorCode.InvalidPartitions),
            (Topic("p-2", -2), ErrorCode.InvalidPartitions),
            (Topic("p-many", 10_001), ErrorCode.InvalidPartitions),
            (Topic("r0", 1, 0), ErrorCode.InvalidReplicationFactor),
            (Topic("r-2", 1, -2), ErrorCode.InvalidReplicationFactor),
            (Topic("c1", config: "no.such.config", value: "1"), ErrorCode.InvalidConfig),
            (Topic("c2", config: "retention.ms", value: "soon"), ErrorCode.InvalidConfig),
            (Topic("c3", config: "retention.ms"), ErrorCode.InvalidConfig),
            (Topic("c4", config: "cleanup.policy", value: "compact,burn"), ErrorCode.InvalidConfig),
            (new() { Name = "a1", NumPartitions = 1, ReplicationFactor = -1, Assignments = [new() { BrokerIds = [7] }] }, ErrorCode.InvalidRequest),
            (new() { Name = "a2", NumPartitions = -1, ReplicationFactor = -1, Assignments = [new() { BrokerIds = [8] }] }, ErrorCode.InvalidReplicaAssignment),
            (new() { Name = "a3", NumPartitions = -1, ReplicationFactor = -1, Assignments = [new() { PartitionIndex = 1, BrokerIds = [7] }] }, ErrorCode.InvalidReplicaAssignment),
            (new() { Name = "ok1", NumPartitions = -1, ReplicationFactor = -1, Assignments = [new() { BrokerIds = [7] }, new() { PartitionIndex = 1, BrokerIds = [7] }] }, ErrorCode.None),
            (Topic("ok2", -1, -1), ErrorCode.None),
            (Topic("more", 3, 3), ErrorCode.None),
        ];
        var response = await broker.Connect().AskAsync<CreateTopicsRequest, CreateTopicsResponse>(new() { Topics = [.. cases.Select(c => c.Topic)] }, 5);
        Assert.Equal(cases.Select(c => (c.Topic.Name, c.Expected)), response.Topics.Select(t => (t.Name, t.ErrorCode)));
        Assert.Equal(["more", "ok1", "ok2", "there"], broker.Broker.Topics.List().Select(t => t.Name.Name));
        Assert.Equal(2, response.Topics.Single(t => t.Name == "ok1").NumPartitions);

        var twice = await broker.Connect().AskAsync<CreateTopicsRequest, CreateTopicsResponse>(new() { Topics = [Topic("d"), Topic("d")] }, 5);
        Assert.Equal(ErrorCode.InvalidRequest, Assert.Single(twice.Topics).ErrorCode);
        var validated = await broker.Connect().AskAsync<CreateTopicsRequest, CreateTopicsResponse>(new() { Topics = [Topic("v")], ValidateOnly = true }, 5);
        Assert.Equal((ErrorCode.None, 1), (validated.Topics[0].ErrorCode, validated.Topics[0].NumPartitions));
        Assert.Null(broker.Broker.Topics.Find(Dragoman.Broker.Topics.TopicName.InDefault("v")));
    }

    [Fact]
    public async Task Configurations_reach_the_topic_and_come_back()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t", 1, ("retention.ms", "60000"), ("retention.bytes", "5"), ("max.message.bytes", "77"), ("message.timestamp.type", "LogAppendTime"),
            ("cleanup.policy", "compact,delete"), ("dragoman.commit.mode", "written"), ("segment.bytes", "1000000"));
        var settings = broker.Broker.Topics.List()[0].Settings;
        Assert.Equal((60_000, 5, 77, true, CommitMode.Written), (settings.RetentionMs, settings.RetentionBytes, settings.MaxMessageBytes, settings.Compacted, settings.CommitMode));

        var request = new DescribeConfigsRequest { Resources = [new() { ResourceType = ConfigResourceType.Topic, ResourceName = "t" }], IncludeSynonyms = true, IncludeDocumentation = true };
        var configs = (await broker.Connect().AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(request, 4)).Results[0].Configs;
        Assert.Equal(TopicConfigs.All.Keys, configs.Select(c => c.Name));
        Assert.Equal(7, configs.Count(c => c.ConfigSource == ConfigSource.Topic));
        var segment = configs.Single(c => c.Name == "segment.bytes");
        Assert.Equal(("1000000", ConfigSource.Topic, ConfigValueType.Int), (segment.Value, segment.ConfigSource, segment.ConfigType));
        Assert.Equal(["1000000", "1073741824"], segment.Synonyms.Select(s => s.Value));
        Assert.Equal("compact,delete", configs.Single(c => c.Name == "cleanup.policy").Value);
        Assert.Equal(("1", ConfigSource.Default), (configs.Single(c => c.Name == "min.insync.replicas").Value, configs.Single(c => c.Name == "min.insync.replicas").ConfigSource));
    }

    [Fact]
    public void Defaults_are_what_the_broker_does()
    {
        var defaults = Dragoman.Broker.Topics.TopicSettings.Default;
        foreach (var config in TopicConfigs.All.Values)
        {
            Assert.Equal(config.Default, TopicConfigs.ValueOf(config, defaults, defaults));
            if (config.Default.Length > 0) config.Check(config.Default);
        }
    }

    [Fact]
    public async Task Configurations_change_one_by_one_or_all_at_once()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t", 1, ("retention.ms", "60000"), ("segment.bytes", "1000"));
        var client = broker.Connect();

        async Task<ErrorCode> AlterAsync(string name, ConfigOperation operation, string? value, bool validate = false) =>
            (await client.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
                new()
                {
                    ValidateOnly = validate,
                    Resources = [new() { ResourceType = ConfigResourceType.Topic, ResourceName = "t", Configs = [new() { Name = name, ConfigOperation = operation, Value = value }] }],
                },
                1)).Responses[0].ErrorCode;
        async Task<string?> ValueAsync(string name) =>
            (await client.AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
                new() { Resources = [new() { ResourceType = ConfigResourceType.Topic, ResourceName = "t", ConfigurationKeys = [name] }] }, 1)).Results[0].Configs.Single().Value;

        Assert.Equal(ErrorCode.None, await AlterAsync("retention.ms", ConfigOperation.Set, "1", validate: true));
        Assert.Equal("60000", await ValueAsync("retention.ms"));
        Assert.Equal(ErrorCode.None, await AlterAsync("retention.ms", ConfigOperation.Set, "90000"));
        Assert.Equal("90000", await ValueAsync("retention.ms"));
        Assert.Equal(ErrorCode.None, await AlterAsync("cleanup.policy", ConfigOperation.Append, "compact"));
        Assert.Equal("delete,compact", await ValueAsync("cleanup.policy"));
        Assert.Equal(ErrorCode.None, await AlterAsync("cleanup.policy", ConfigOperation.Subtract, "delete"));
        // Compacted alone means no retention, which is still what the configuration says for later.
        Assert.Equal(-1, broker.Broker.Topics.List()[0].Settings.RetentionMs);
        Assert.Equal("90000", await ValueAsync("retention.ms"));
        Assert.Equal(ErrorCode.None, await AlterAsync("cleanup.policy", ConfigOperation.Delete, null));
        Assert.Equal(90_000, broker.Broker.Topics.List()[0].Settings.RetentionMs);
        Assert.Equal(ErrorCode.None, await AlterAsync("retention.ms", ConfigOperation.Delete, null));
        Assert.Equal("604800000", await ValueAsync("retention.ms"));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync("retention.ms", ConfigOperation.Append, "1"));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync("dragoman.commit.mode", ConfigOperation.Set, "memory"));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync("nope", ConfigOperation.Set, "1"));

        var all = await client.AskAsync<AlterConfigsRequest, AlterConfigsResponse>(
            new() { Resources = [new() { ResourceType = ConfigResourceType.Topic, ResourceName = "t", Configs = [new() { Name = "retention.ms", Value = "5" }] }] }, 2);
        Assert.Equal(ErrorCode.None, all.Responses[0].ErrorCode);
        Assert.Equal(("5", "1073741824"), (await ValueAsync("retention.ms"), await ValueAsync("segment.bytes")));
    }

    [Fact]
    public async Task Nodes_are_described_and_not_changed()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        var request = new DescribeConfigsRequest
        {
            Resources =
            [
                new() { ResourceType = ConfigResourceType.Broker, ResourceName = "7" },
                new() { ResourceType = ConfigResourceType.Broker, ResourceName = "8" },
                new() { ResourceType = ConfigResourceType.Topic, ResourceName = "none" },
                new() { ResourceType = ConfigResourceType.ClientMetrics, ResourceName = "g" },
            ],
        };
        var results = (await client.AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(request, 4)).Results;
        Assert.Equal([ErrorCode.None, ErrorCode.InvalidRequest, ErrorCode.UnknownTopicOrPartition, ErrorCode.InvalidRequest], results.Select(r => r.ErrorCode));
        Assert.Contains(results[0].Configs, c => c is { Name: "num.partitions", Value: "1", ConfigSource: ConfigSource.Default, ReadOnly: true });
        var changed = await client.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new() { Resources = [new() { ResourceType = ConfigResourceType.Broker, ResourceName = "7", Configs = [new() { Name = "num.partitions", Value = "2" }] }] }, 1);
        Assert.Equal(ErrorCode.InvalidRequest, changed.Responses[0].ErrorCode);
        var cluster = await client.AskAsync<DescribeClusterRequest, DescribeClusterResponse>(new(), 2);
        Assert.Equal((7, 7, "10.1.2.3"), (cluster.ControllerId, cluster.Brokers.Single().BrokerId, cluster.Brokers.Single().Host));
    }

    [Fact]
    public async Task Topics_are_deleted_by_name_and_by_id()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("a");
        var id = await broker.CreateTopicAsync("b");
        var client = broker.Connect();
        var byName = await client.AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { TopicNames = ["a", "none"] }, 5);
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicOrPartition], byName.Responses.Select(r => r.ErrorCode));
        var byId = await client.AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { Topics = [new() { TopicId = id }, new() { TopicId = id }, new() { Name = "x", TopicId = id }] }, 6);
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicId, ErrorCode.InvalidRequest], byId.Responses.Select(r => r.ErrorCode));
        Assert.Equal("b", byId.Responses[0].Name);
        Assert.Empty(broker.Broker.Topics.List());
    }

    [Fact]
    public async Task Partitions_are_added_and_records_deleted()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        await broker.CreateTopicAsync("c", 1, ("cleanup.policy", "compact"));
        var client = broker.Connect();

        async Task<ErrorCode> AddAsync(string name, int count, bool validate = false) =>
            (await client.AskAsync<CreatePartitionsRequest, CreatePartitionsResponse>(new() { Topics = [new() { Name = name, Count = count }], ValidateOnly = validate }, 3)).Results[0].ErrorCode;
        Assert.Equal(ErrorCode.None, await AddAsync("t", 3, validate: true));
        Assert.Equal(ErrorCode.None, await AddAsync("t", 2));
        Assert.Equal(ErrorCode.InvalidPartitions, await AddAsync("t", 2));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await AddAsync("none", 2));
        Assert.Equal(0, (await client.ProduceAsync("t", Batches.Of("a", "b", "c"), 1)).BaseOffset);

        async Task<(ErrorCode, long)> DeleteAsync(string name, long offset, int partition = 1)
        {
            var answer = (await client.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
                new() { Topics = [new() { Name = name, Partitions = [new() { PartitionIndex = partition, Offset = offset }] }] }, 2)).Topics[0].Partitions[0];
            return (answer.ErrorCode, answer.LowWatermark);
        }
        Assert.Equal((ErrorCode.None, 2), await DeleteAsync("t", 2));
        Assert.Equal((ErrorCode.OffsetOutOfRange, -1), await DeleteAsync("t", 4));
        Assert.Equal((ErrorCode.None, 3), await DeleteAsync("t", -1));
        Assert.Equal((ErrorCode.UnknownTopicOrPartition, -1), await DeleteAsync("t", 0, 5));
        Assert.Equal((ErrorCode.PolicyViolation, -1), await DeleteAsync("c", 0, 0));
    }

    [Fact]
    public async Task Producers_without_a_transactional_id_get_ids_of_their_own()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        var ids = new HashSet<long>();
        for (short version = 0; version <= 5; version++)
        {
            var answer = await client.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionTimeoutMs = 1 }, version);
            Assert.Equal((ErrorCode.None, 0), (answer.ErrorCode, answer.ProducerEpoch));
            Assert.True(ids.Add(answer.ProducerId));
        }
    }

    [Fact]
    public async Task Ends_of_leader_epochs_are_found()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        await client.ProduceAsync("t", Batches.Of("a", "b"));
        var epoch = broker.Broker.Store.Epoch;
        var request = new OffsetForLeaderEpochRequest
        {
            Topics = [new() { Topic = "t", Partitions = [new() { LeaderEpoch = epoch }, new() { LeaderEpoch = epoch + 9 }, new() { LeaderEpoch = epoch, CurrentLeaderEpoch = epoch + 1 }, new() { Partition = 3 }] }],
        };
        var found = (await client.AskAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(request, 4)).Topics[0].Partitions;
        Assert.Equal((epoch, 2), (found[0].LeaderEpoch, found[0].EndOffset));
        Assert.Equal((-1, -1), (found[1].LeaderEpoch, found[1].EndOffset));
        Assert.Equal([ErrorCode.None, ErrorCode.None, ErrorCode.UnknownLeaderEpoch, ErrorCode.UnknownTopicOrPartition], found.Select(f => f.ErrorCode));
    }
}
