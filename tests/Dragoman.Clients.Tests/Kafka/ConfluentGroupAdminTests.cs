using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<ConfluentKafka>]
public sealed class ConfluentGroupAdminTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    public static TheoryData<string> Kinds => [.. GroupMember.Kinds.Keys];

    private async Task<string> FilledAsync(int partitions)
    {
        var topic = SharedBroker.Unique("t");
        (await broker.Server.RunAsync("topic", "create", topic, "--partitions", partitions.ToString(CultureInfo.InvariantCulture))).Succeeded();
        using var producer = ConfluentKafka.Producer(broker.Kafka);
        for (var i = 0; i < partitions * 10; i++) producer.Produce(new TopicPartition(topic, i % partitions), new() { Value = [(byte)i] });
        Assert.Equal(0, producer.Flush(ConfluentKafka.Patience));
        return topic;
    }

    private static async Task<ConsumerGroupListing?> ListedAsync(IAdminClient admin, string group, ListConsumerGroupsOptions? options = null)
    {
        var listed = await admin.ListConsumerGroupsAsync(options ?? new ListConsumerGroupsOptions { RequestTimeout = ConfluentKafka.Patience });
        return listed.Valid.SingleOrDefault(g => g.GroupId == group);
    }

    [Theory, MemberData(nameof(Kinds))]
    [Rows("K19")]
    public async Task A_group_is_listed_and_described_with_its_members_and_deleted_when_they_are_gone(string kind)
    {
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        var topic = await FilledAsync(4);
        var group = SharedBroker.Unique("g");
        var type = kind == "consumer" ? ConsumerGroupType.Consumer : ConsumerGroupType.Classic;
        // Here the members say it themselves, there it is the group's.
        if (kind == "consumer")
        {
            var timeout = new ConfigEntry { Name = "consumer.session.timeout.ms", Value = "6000", IncrementalOperation = AlterConfigOpType.Set };
            var heartbeat = new ConfigEntry { Name = "consumer.heartbeat.interval.ms", Value = "500", IncrementalOperation = AlterConfigOpType.Set };
            await admin.IncrementalAlterConfigsAsync(new() { [new() { Type = ResourceType.Group, Name = group }] = [heartbeat, timeout] });
        }
        await using (var first = GroupMember.Start(broker.Kafka, group, topic, null, [.. GroupMember.Kinds[kind], ("client.id", "first"), ("group.instance.id", "static")]))
        await using (var second = GroupMember.Start(broker.Kafka, group, topic, null, [.. GroupMember.Kinds[kind], ("client.id", "second")]))
        {
            await GroupMember.SharedOutAsync(4, first, second);
            await Eventually.TrueAsync(async () => (await DescribedAsync()).State == ConsumerGroupState.Stable, "the group is stable");
            var described = await DescribedAsync();
            Assert.Equal((group, false), (described.GroupId, described.IsSimpleConsumerGroup));
            Assert.NotEqual("", described.PartitionAssignor);
            Assert.Equal(1, described.Coordinator.Id);
            Assert.Equal(["first", "second"], described.Members.Select(m => m.ClientId).Order());
            Assert.Equal("static", described.Members.Single(m => m.ClientId == "first").GroupInstanceId);
            Assert.All(described.Members, m => Assert.Contains("127.0.0.1", m.Host, StringComparison.Ordinal));
            Assert.Equal(first.Assigned.ToHashSet(), described.Members.Single(m => m.ClientId == "first").Assignment.TopicPartitions.ToHashSet());
            Assert.Equal(second.Assigned.ToHashSet(), described.Members.Single(m => m.ClientId == "second").Assignment.TopicPartitions.ToHashSet());

            Assert.Equal((ConsumerGroupState.Stable, type), (await ListedAsync(admin, group)) is { } listed ? (listed.State, listed.Type) : default);
            Assert.NotNull(await ListedAsync(admin, group, new() { MatchStates = [ConsumerGroupState.Stable], MatchTypes = [type] }));
            Assert.Null(await ListedAsync(admin, group, new() { MatchStates = [ConsumerGroupState.Empty] }));
            Assert.Null(await ListedAsync(admin, group, new() { MatchTypes = [type == ConsumerGroupType.Consumer ? ConsumerGroupType.Classic : ConsumerGroupType.Consumer] }));

            var refused = await Assert.ThrowsAsync<DeleteGroupsException>(() => admin.DeleteGroupsAsync([group]));
            Assert.Equal(ErrorCode.NonEmptyGroup, Assert.Single(refused.Results).Error.Code);
            await Eventually.TrueAsync(() => Task.FromResult(first.Consumer.Committed(ConfluentKafka.Patience).Sum(c => c.Offset.Value) + second.Consumer.Committed(ConfluentKafka.Patience).Sum(c => c.Offset.Value) == 40), "all is committed");
        }
        // A static member keeps its place when it closes, until its session ends.
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await admin.DeleteGroupsAsync([group]);
                    return true;
                }
                catch (DeleteGroupsException error) when (error.Results[0].Error.Code == ErrorCode.NonEmptyGroup)
                {
                    return false;
                }
            }, "the group can be deleted", TimeSpan.FromSeconds(90));
        Assert.Null(await ListedAsync(admin, group));
        var unknown = await Assert.ThrowsAsync<DeleteGroupsException>(() => admin.DeleteGroupsAsync([group]));
        Assert.Equal(ErrorCode.GroupIdNotFound, Assert.Single(unknown.Results).Error.Code);

        async Task<ConsumerGroupDescription> DescribedAsync() => Assert.Single((await admin.DescribeConsumerGroupsAsync([group])).ConsumerGroupDescriptions);
    }

    [Fact, Rows("K12", "K19")]
    public async Task Offsets_of_a_group_are_read_set_and_deleted()
    {
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        var (topic, group) = (await FilledAsync(2), SharedBroker.Unique("g"));
        var (zero, one) = (new TopicPartition(topic, 0), new TopicPartition(topic, 1));
        await admin.AlterConsumerGroupOffsetsAsync([new(group, [new(zero, 3), new(one, 4)])]);
        Assert.Equal((long[])[3, 4], await OffsetsAsync());
        await using (var member = GroupMember.Start(broker.Kafka, group, topic))
        {
            await Eventually.TrueAsync(async () => (await OffsetsAsync()).SequenceEqual([10, 10]), "the group goes on from there");
            // What members read is theirs to commit, and not deleted under them.
            var refused = await Assert.ThrowsAsync<AlterConsumerGroupOffsetsException>(() => admin.AlterConsumerGroupOffsetsAsync([new(group, [new(zero, 0)])]));
            Assert.Equal(ErrorCode.UnknownMemberId, Assert.Single(Assert.Single(refused.Results).Partitions).Error.Code);
            var subscribed = await Assert.ThrowsAsync<DeleteConsumerGroupOffsetsException>(() => admin.DeleteConsumerGroupOffsetsAsync(group, [zero]));
            Assert.Equal(ErrorCode.GroupSubscribedToTopic, Assert.Single(subscribed.Result.Partitions).Error.Code);
        }
        var deleted = await admin.DeleteConsumerGroupOffsetsAsync(group, [zero]);
        Assert.Equal(zero, Assert.Single(deleted.Partitions));
        Assert.Equal((long[])[Offset.Unset.Value, 10], await OffsetsAsync());

        async Task<long[]> OffsetsAsync()
        {
            var listed = Assert.Single(await admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(group, [zero, one])]));
            return [.. listed.Partitions.OrderBy(p => p.Partition.Value).Select(p => p.Offset.Value)];
        }
    }

    [Fact, Rows("K24")]
    public async Task The_cluster_is_described_as_the_one_node_that_it_is()
    {
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        var cluster = await admin.DescribeClusterAsync(new() { IncludeAuthorizedOperations = true, RequestTimeout = ConfluentKafka.Patience });
        var node = Assert.Single(cluster.Nodes);
        Assert.Equal((1, "127.0.0.1", broker.Server.Port("kafka")), (node.Id, node.Host, node.Port));
        Assert.Equal(1, cluster.Controller.Id);
        Assert.NotEqual("", cluster.ClusterId);
        Assert.Contains(AclOperation.Alter, cluster.AuthorizedOperations);
    }

    [Fact, Rows("K27")]
    public async Task What_is_not_served_is_not_offered_and_clients_do_without()
    {
        var log = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var topic = await FilledAsync(1);
        using var producer = ConfluentKafka.Producer(broker.Kafka, log, ("debug", "telemetry,feature"), ("enable.metrics.push", "true"));
        await producer.ProduceAsync(topic, new() { Value = [1] });
        Assert.DoesNotContain(log, line => line.Contains("GetTelemetrySubscriptionsRequest", StringComparison.Ordinal));
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        Assert.NotNull((await admin.DescribeClusterAsync()).ClusterId);
    }
}
