using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<ConfluentKafka>]
public sealed class ConfluentAdminTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private static ConfigEntry Change(string name, AlterConfigOpType operation, string? value) => new() { Name = name, IncrementalOperation = operation, Value = value };

    private async Task<string> CreateAsync(IAdminClient admin, params (string Name, string Value)[] configs)
    {
        var topic = SharedBroker.Unique("t");
        await admin.CreateTopicsAsync([new() { Name = topic, NumPartitions = 1, ReplicationFactor = 1, Configs = configs.ToDictionary(c => c.Name, c => c.Value) }]);
        return topic;
    }

    [Fact, Rows("K18")]
    public async Task Configurations_are_set_taken_away_added_to_and_taken_from()
    {
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        var topic = await CreateAsync(admin);
        var resource = new ConfigResource { Type = ResourceType.Topic, Name = topic };
        async Task<string> AfterAsync(ConfigEntry change)
        {
            await admin.IncrementalAlterConfigsAsync(new() { [resource] = [change] });
            return Assert.Single(await admin.DescribeConfigsAsync([resource])).Entries[change.Name].Value;
        }

        Assert.Equal("delete,compact", await AfterAsync(Change("cleanup.policy", AlterConfigOpType.Append, "compact")));
        Assert.Equal("compact", await AfterAsync(Change("cleanup.policy", AlterConfigOpType.Subtract, "delete")));
        Assert.Equal("1234", await AfterAsync(Change("delete.retention.ms", AlterConfigOpType.Set, "1234")));
        Assert.Equal("86400000", await AfterAsync(Change("delete.retention.ms", AlterConfigOpType.Delete, null)));
        var refused = await Assert.ThrowsAsync<IncrementalAlterConfigsException>(() => admin.IncrementalAlterConfigsAsync(new() { [resource] = [Change("retention.ms", AlterConfigOpType.Set, "for ever")] }));
        Assert.Equal(ErrorCode.InvalidConfig, Assert.Single(refused.Results).Error.Code);
    }

    [Fact, Rows("K18")]
    public async Task A_node_says_how_it_is_configured_and_takes_what_can_change_while_it_runs()
    {
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        var resource = new ConfigResource { Type = ResourceType.Broker, Name = "1" };
        var entries = Assert.Single(await admin.DescribeConfigsAsync([resource])).Entries;
        Assert.True(entries.Count > 70);
        Assert.True(entries["log.dirs"].IsReadOnly);
        Assert.False(entries["num.io.threads"].IsReadOnly);
        await admin.IncrementalAlterConfigsAsync(new() { [resource] = [Change("num.io.threads", AlterConfigOpType.Set, "5")] });
        var changed = Assert.Single(await admin.DescribeConfigsAsync([resource])).Entries["num.io.threads"];
        Assert.Equal(("5", ConfigSource.DynamicBrokerConfig), (changed.Value, changed.Source));
        var refused = await Assert.ThrowsAsync<IncrementalAlterConfigsException>(() => admin.IncrementalAlterConfigsAsync(new() { [resource] = [Change("log.dirs", AlterConfigOpType.Set, "/elsewhere")] }));
        Assert.Equal(ErrorCode.InvalidRequest, Assert.Single(refused.Results).Error.Code);
    }

    [Fact, Rows("K18")]
    public async Task A_topic_that_asks_for_a_clusters_replicas_is_made_with_one()
    {
        var topic = SharedBroker.Unique("t");
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        await admin.CreateTopicsAsync([new() { Name = topic, NumPartitions = 1, ReplicationFactor = 3 }]);
        var described = Assert.Single((await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([topic]))).TopicDescriptions);
        Assert.Single(Assert.Single(described.Partitions).Replicas);
    }

    [Fact, Rows("K18", "K10")]
    public async Task Records_are_deleted_and_offsets_listed()
    {
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        var topic = await CreateAsync(admin);
        var partition = new TopicPartition(topic, 0);
        using (var producer = ConfluentKafka.Producer(broker.Kafka))
            for (var i = 0; i < 10; i++) await producer.ProduceAsync(topic, new() { Value = [(byte)i], Timestamp = new Timestamp(1_700_000_000_000 + (i == 4 ? 100 : i), TimestampType.CreateTime) });
        Assert.Equal(3, Assert.Single(await admin.DeleteRecordsAsync([new TopicPartitionOffset(partition, 3)])).Offset.Value);
        async Task<long> OffsetAsync(OffsetSpec spec) =>
            Assert.Single((await admin.ListOffsetsAsync([new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = spec }], new() { RequestTimeout = ConfluentKafka.Patience })).ResultInfos).TopicPartitionOffsetError.Offset.Value;
        Assert.Equal(3, await OffsetAsync(OffsetSpec.Earliest()));
        Assert.Equal(10, await OffsetAsync(OffsetSpec.Latest()));
        Assert.Equal(4, await OffsetAsync(OffsetSpec.MaxTimestamp()));
        Assert.Equal(4, await OffsetAsync(OffsetSpec.ForTimestamp(1_700_000_000_004)));
    }

    [Fact, Rows("K24")]
    public async Task Leaders_are_there_already()
    {
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        var topic = await CreateAsync(admin);
        var answer = await Assert.ThrowsAsync<ElectLeadersException>(() => admin.ElectLeadersAsync(ElectionType.Preferred, [new TopicPartition(topic, 0)]));
        Assert.Equal(ErrorCode.ElectionNotNeeded, Assert.Single(answer.Results.TopicPartitions).Error.Code);
    }

    [Fact, Rows("K20")]
    public async Task A_compacted_topic_keeps_the_newest_of_each_key_and_takes_none_without()
    {
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        var topic = await CreateAsync(admin, ("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0.01"));
        using (var producer = ConfluentKafka.Producer(broker.Kafka))
        {
            var refused = await Assert.ThrowsAsync<ProduceException<byte[]?, byte[]?>>(() => producer.ProduceAsync(topic, new() { Value = [1] }));
            Assert.Equal(ErrorCode.InvalidRecord, refused.Error.Code);
            for (var i = 0; i < 100; i++) await producer.ProduceAsync(topic, new() { Key = [(byte)(i % 5)], Value = [(byte)i] });
            await producer.ProduceAsync(topic, new() { Key = [99], Value = [99] });
        }
        List<ConsumeResult<byte[]?, byte[]?>> left = [];
        await Eventually.TrueAsync(() => (left = ConfluentKafka.ReadAll(broker.Kafka, new TopicPartition(topic, 0))).Count == 6, "the topic is compacted", TimeSpan.FromMinutes(2));
        Assert.Equal([95, 96, 97, 98, 99, 100], left.Select(r => r.Offset.Value));
        Assert.Equal([95, 96, 97, 98, 99, 99], left.Select(r => (int)r.Message.Value![0]));
        Assert.Equal("97\n98\n99\n100\n", await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "97", "-f", "%o\n"));
        Assert.Equal("95\n96\n97\n98\n99\n100\n", await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "50", "-f", "%o\n"));
    }
}
