using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<ConfluentKafka>]
public sealed class ConfluentTopicTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Fact, Rows("K4")]
    public async Task Topics_are_created_described_and_deleted()
    {
        var topic = SharedBroker.Unique("t");
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        await admin.CreateTopicsAsync([new() { Name = topic, NumPartitions = 3, ReplicationFactor = 1 }]);
        var there = await Assert.ThrowsAsync<CreateTopicsException>(() => admin.CreateTopicsAsync([new() { Name = topic, NumPartitions = 3, ReplicationFactor = 1 }]));
        Assert.Equal(ErrorCode.TopicAlreadyExists, Assert.Single(there.Results).Error.Code);
        var described = Assert.Single((await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([topic]))).TopicDescriptions);
        Assert.Equal([0, 1, 2], described.Partitions.Select(p => p.Partition));
        Assert.All(described.Partitions, p => Assert.Equal(broker.Server.Port("kafka"), p.Leader!.Port));
        await admin.CreatePartitionsAsync([new() { Topic = topic, IncreaseTo = 5 }]);
        Assert.Equal(5, Assert.Single(admin.GetMetadata(topic, ConfluentKafka.Patience).Topics).Partitions.Count);
        await admin.DeleteTopicsAsync([topic]);
        Assert.DoesNotContain(admin.GetMetadata(ConfluentKafka.Patience).Topics, t => t.Topic == topic);
        var gone = await Assert.ThrowsAsync<DeleteTopicsException>(() => admin.DeleteTopicsAsync([topic]));
        Assert.Equal(ErrorCode.UnknownTopicOrPart, Assert.Single(gone.Results).Error.Code);
    }

    [Fact, Rows("K4", "K28")]
    public async Task A_name_that_is_not_allowed_is_refused_as_such()
    {
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        foreach (var name in new[] { "what is this?", new string('x', 250), ".." })
        {
            var refused = await Assert.ThrowsAsync<CreateTopicsException>(() => admin.CreateTopicsAsync([new() { Name = name, NumPartitions = 1, ReplicationFactor = 1 }]));
            Assert.Equal(ErrorCode.TopicException, Assert.Single(refused.Results).Error.Code);
        }
        using var producer = ConfluentKafka.Producer(broker.Kafka);
        var failed = await Assert.ThrowsAsync<ProduceException<byte[]?, byte[]?>>(() => producer.ProduceAsync("what is this?", new() { Value = [] }));
        Assert.Contains(failed.Error.Code, new[] { ErrorCode.TopicException, ErrorCode.Local_UnknownTopic });
    }

    [Fact, Rows("K29")]
    public async Task Configurations_are_set_changed_and_read_back()
    {
        var topic = SharedBroker.Unique("t");
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        await admin.CreateTopicsAsync([new() { Name = topic, NumPartitions = 1, ReplicationFactor = 1, Configs = new() { ["message.timestamp.type"] = "LogAppendTime", ["retention.ms"] = "3600000" } }]);
        var resource = new ConfigResource { Type = ResourceType.Topic, Name = topic };
        await admin.IncrementalAlterConfigsAsync(new() { [resource] = [new ConfigEntry { Name = "max.message.bytes", Value = "2000", IncrementalOperation = AlterConfigOpType.Set }] });
        var entries = Assert.Single(await admin.DescribeConfigsAsync([resource])).Entries;
        Assert.Equal("LogAppendTime", entries["message.timestamp.type"].Value);
        Assert.Equal("3600000", entries["retention.ms"].Value);
        Assert.Equal("2000", entries["max.message.bytes"].Value);
        Assert.False(entries["max.message.bytes"].IsDefault);
        Assert.True(entries["segment.bytes"].IsDefault);
    }

    [Fact, Rows("K4")]
    public async Task A_topic_made_anew_under_its_name_is_empty()
    {
        var topic = SharedBroker.Unique("t");
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        using (var producer = ConfluentKafka.Producer(broker.Kafka)) await producer.ProduceAsync(topic, new() { Value = [1] });
        await admin.DeleteTopicsAsync([topic]);
        await admin.CreateTopicsAsync([new() { Name = topic, NumPartitions = 1, ReplicationFactor = 1 }]);
        using (var producer = ConfluentKafka.Producer(broker.Kafka)) Assert.Equal(0, (await producer.ProduceAsync(topic, new() { Value = [2] })).Offset.Value);
        Assert.Equal([[2]], ConfluentKafka.ReadAll(broker.Kafka, new TopicPartition(topic, 0)).Select(r => r.Message.Value));
    }

    [Fact, Rows("K4")]
    public async Task The_cluster_is_one_node_that_is_its_controller()
    {
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        var cluster = await admin.DescribeClusterAsync();
        var node = Assert.Single(cluster.Nodes);
        Assert.Equal((1, "127.0.0.1", broker.Server.Port("kafka")), (node.Id, node.Host, node.Port));
        Assert.Equal(1, cluster.Controller.Id);
        Assert.Equal(22, cluster.ClusterId.Length);
    }
}
