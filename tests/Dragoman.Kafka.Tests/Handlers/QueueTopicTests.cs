using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Kafka.Tests.Handlers;

/// <summary>Queues, which Kafka sees as topics: <c>queue.NAME</c>.</summary>
public sealed class QueueTopicTests
{
    private static async Task<IQueueHandle> DeclareAsync(BrokerFixture broker, string name, QueueSettings? settings = null) =>
        (await broker.Broker.Queues.DeclareAsync(QueueName.InDefault(name), settings ?? QueueSettings.Default)).Queue!;

    private static async Task PublishAsync(IQueueHandle queue, params string[] values)
    {
        var batch = MessageBatch.Rent();
        foreach (var value in values) batch.Add(new MessageProperties { Timestamp = 5 }, default, Encoding.UTF8.GetBytes(value));
        Assert.Equal(QueueStatus.Ok, (await queue.PublishAsync(batch)).Status);
    }

    private static async Task<FetchResponse.PartitionData> FetchAsync(TestConnection client, string topic, long offset, int wait = 0)
    {
        var request = new FetchRequest { MaxWaitMs = wait, MinBytes = 1, MaxBytes = 1 << 20, Topics = [new() { Topic = topic, Partitions = [new() { Partition = 0, FetchOffset = offset, PartitionMaxBytes = 1 << 20 }] }] };
        return (await client.AskAsync<FetchRequest, FetchResponse>(request, 12)).Responses[0].Partitions[0];
    }

    private static async Task<List<string>> ReceiveAsync(IQueueHandle queue, bool settle)
    {
        var answer = await queue.ReceiveAsync(100, TimeSpan.FromMinutes(1), TimeSpan.Zero, TestContext.Current.CancellationToken);
        var texts = new List<string>();
        var tokens = new List<LeaseToken>();
        using var deliveries = answer.Deliveries;
        for (var i = 0; i < (deliveries?.Count ?? 0); i++)
        {
            texts.Add(Encoding.UTF8.GetString(deliveries!.Message(i).Value.Span));
            tokens.Add(new LeaseToken(deliveries[i].Offset, deliveries[i].Lease));
        }
        if (settle) await queue.SettleAsync(Settlement.Acknowledge, tokens.ToArray());
        return texts;
    }

    [Fact]
    public async Task A_queue_is_listed_and_read_without_anything_being_taken_out()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var queue = await DeclareAsync(broker, "jobs/été");
        await PublishAsync(queue, "a", "b");
        var client = broker.Connect();
        var listed = (await client.AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 12)).Topics;
        Assert.Equal([("queue.jobs%2F%C3%A9t%C3%A9", true), ("t", false)], listed.Select(t => (t.Name, t.IsInternal)));
        Assert.Equal(queue.Id, listed[0].TopicId);
        Assert.Single(listed[0].Partitions);
        var name = listed[0].Name!;
        var fetched = await FetchAsync(client, name, 0);
        Assert.Equal((ErrorCode.None, 2L), (fetched.ErrorCode, fetched.HighWatermark));
        Assert.Equal(["a", "b"], Batches.ValuesIn(fetched.Records));
        Assert.Equal(2, (await queue.GetCountsAsync()).Ready);
        Assert.Equal(["a", "b"], await ReceiveAsync(queue, settle: true));
        Assert.Equal(0, (await queue.GetCountsAsync()).Ready);
        // Whoever waits at the end hears of what comes.
        var waiting = FetchAsync(client, name, 2, wait: 20_000);
        await PublishAsync(queue, "c");
        Assert.Equal(["c"], Batches.ValuesIn((await waiting).Records));
        await broker.Broker.Queues.DeleteAsync(queue);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await FetchAsync(client, name, 2)).ErrorCode);
    }

    [Fact]
    public async Task What_is_written_is_sent_to_the_queue_once()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var queue = await DeclareAsync(broker, "q");
        var client = broker.Connect();
        var batch = Batches.Of(new BatchOptions { Producer = new BatchProducer(7, 0, 0), Codec = CompressionCodec.Gzip }, 1000, "a", "b");
        var first = await client.ProduceAsync("queue.q", [.. batch]);
        Assert.Equal((ErrorCode.None, 0L), (first.ErrorCode, first.BaseOffset));
        Assert.True(first.LogAppendTimeMs > 1000);
        var again = await client.ProduceAsync("queue.q", [.. batch]);
        Assert.Equal((ErrorCode.None, 0L), (again.ErrorCode, again.BaseOffset));
        var gap = await client.ProduceAsync("queue.q", Batches.Of(new BatchOptions { Producer = new BatchProducer(7, 0, 5) }, 1000, "x"));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, gap.ErrorCode);
        var next = await client.ProduceAsync("queue.q", Batches.Of(new BatchOptions { Producer = new BatchProducer(7, 0, 2) }, 1000, "c"));
        Assert.Equal((ErrorCode.None, 2L), (next.ErrorCode, next.BaseOffset));
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("queue.q", Batches.Of("d"))).ErrorCode);
        Assert.Equal(["a", "b", "c", "d"], await ReceiveAsync(queue, settle: false));
        Assert.Equal(["a", "b", "c", "d"], Batches.ValuesIn((await FetchAsync(client, "queue.q", 0)).Records));
    }

    [Fact]
    public async Task A_full_queue_says_so_and_takes_all_of_a_batch_or_nothing()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var queue = await DeclareAsync(broker, "q", QueueSettings.Default with { MaxLength = 3, Overflow = Overflow.Reject });
        var client = broker.Connect();
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("queue.q", Batches.Of(new BatchOptions { Producer = new BatchProducer(7, 0, 0) }, 1000, "a", "b"))).ErrorCode);
        var more = Batches.Of(new BatchOptions { Producer = new BatchProducer(7, 0, 2) }, 1000, "c", "d");
        Assert.Equal(ErrorCode.KafkaStorageError, (await client.ProduceAsync("queue.q", [.. more])).ErrorCode);
        Assert.Equal(["a", "b"], await ReceiveAsync(queue, settle: true));
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("queue.q", [.. more])).ErrorCode);
        Assert.Equal(["c", "d"], await ReceiveAsync(queue, settle: false));
    }

    [Fact]
    public async Task Groups_commit_offsets_of_queues()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await DeclareAsync(broker, "q");
        var client = broker.Connect();
        var commit = new OffsetCommitRequest { GroupId = "g", Topics = [new() { Name = "queue.q", Partitions = [new() { PartitionIndex = 0, CommittedOffset = 3 }] }] };
        Assert.Equal(ErrorCode.None, (await client.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(commit, 8)).Topics[0].Partitions[0].ErrorCode);
        var fetched = await client.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(new() { GroupId = "g", Topics = null }, 7);
        Assert.Equal(("queue.q", 3L), (fetched.Topics[0].Name, fetched.Topics[0].Partitions[0].CommittedOffset));
    }

    [Fact]
    public async Task A_queue_is_not_created_changed_or_deleted_as_a_topic()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var queue = await DeclareAsync(broker, "q");
        await PublishAsync(queue, "a");
        var client = broker.Connect();
        var asked = await client.AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = "queue.none" }, new() { Name = "amq.topic" }], AllowAutoTopicCreation = true }, 9);
        Assert.All(asked.Topics, t => Assert.Equal(ErrorCode.UnknownTopicOrPartition, t.ErrorCode));
        var created = await client.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(new() { Topics = [new() { Name = "queue.new", NumPartitions = 1, ReplicationFactor = 1 }] }, 7);
        Assert.Equal(ErrorCode.InvalidTopicException, created.Topics[0].ErrorCode);
        Assert.Equal(ErrorCode.PolicyViolation, (await client.AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { TopicNames = ["queue.q"] }, 5)).Responses[0].ErrorCode);
        var records = new DeleteRecordsRequest { Topics = [new() { Name = "queue.q", Partitions = [new() { PartitionIndex = 0, Offset = -1 }] }] };
        Assert.Equal(ErrorCode.PolicyViolation, (await client.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(records, 2)).Topics[0].Partitions[0].ErrorCode);
        Assert.Equal(ErrorCode.InvalidPartitions, (await client.AskAsync<CreatePartitionsRequest, CreatePartitionsResponse>(new() { Topics = [new() { Name = "queue.q", Count = 2 }] }, 2)).Results[0].ErrorCode);
        Assert.Equal(1, (await queue.GetCountsAsync()).Ready);
    }
}
