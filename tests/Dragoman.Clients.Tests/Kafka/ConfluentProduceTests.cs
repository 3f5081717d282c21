using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<ConfluentKafka>]
public sealed class ConfluentProduceTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private async Task<TopicPartition> CreateAsync(params string[] options)
    {
        var topic = SharedBroker.Unique("t");
        (await broker.Server.RunAsync(["topic", "create", topic, .. options])).Succeeded();
        return new TopicPartition(topic, 0);
    }

    [Fact, Rows("K1", "K3")]
    public async Task It_speaks_the_newest_versions_with_flexible_encoding()
    {
        var partition = await CreateAsync();
        var log = new ConcurrentQueue<string>();
        using (var producer = ConfluentKafka.Producer(broker.Kafka, log, ("debug", "protocol"))) await producer.ProduceAsync(partition, new() { Value = Bytes("v") });
        using (var consumer = ConfluentKafka.Consumer(broker.Kafka, log, ("debug", "protocol")))
        {
            consumer.Assign(new TopicPartitionOffset(partition, Offset.Beginning));
            Assert.Equal(Bytes("v"), ConfluentKafka.Next(consumer).Message.Value);
        }
        // The first versions with compact strings and tagged fields: ApiVersions 3, Metadata 9, Produce 9, Fetch 12, ListOffsets 6.
        Assert.Contains(log, l => l.Contains("Sent ApiVersionRequest (v3", StringComparison.Ordinal));
        Assert.Contains(log, l => l.Contains("Sent MetadataRequest (v13", StringComparison.Ordinal));
        Assert.Contains(log, l => l.Contains("Sent ProduceRequest (v10", StringComparison.Ordinal));
        Assert.Contains(log, l => l.Contains("Sent FetchRequest (v16", StringComparison.Ordinal));
        Assert.Contains(log, l => l.Contains("Sent ListOffsetsRequest (v7", StringComparison.Ordinal));
    }

    [Fact, Rows("K29")]
    public async Task Null_and_empty_differ_and_headers_keep_order_repetitions_and_nulls()
    {
        var partition = await CreateAsync();
        var time = new Timestamp(DateTimeOffset.FromUnixTimeMilliseconds(1_600_000_000_123));
        Message<byte[]?, byte[]?>[] sent =
        [
            new() { Key = null, Value = null, Timestamp = time },
            new() { Key = [], Value = [], Timestamp = time },
            new() { Key = [0, 255], Value = [10, 13, 0], Timestamp = time, Headers = new Headers { { "b", [1] }, { "a", null }, { "b", [] }, { "ü", [2] } } },
        ];
        using (var producer = ConfluentKafka.Producer(broker.Kafka)) foreach (var message in sent) await producer.ProduceAsync(partition, message);
        var read = ConfluentKafka.ReadAll(broker.Kafka, partition);
        Assert.Equal(3, read.Count);
        for (var i = 0; i < sent.Length; i++)
        {
            Assert.Equal(i, read[i].Offset.Value);
            Assert.Equal(sent[i].Key, read[i].Message.Key);
            Assert.Equal(sent[i].Value, read[i].Message.Value);
            Assert.Equal(time.UnixTimestampMs, read[i].Message.Timestamp.UnixTimestampMs);
            Assert.Equal(TimestampType.CreateTime, read[i].Message.Timestamp.Type);
        }
        Assert.Equal(["b", "a", "b", "ü"], read[2].Message.Headers.Select(h => h.Key));
        Assert.Equal([[1], null, [], [2]], read[2].Message.Headers.Select(h => h.GetValueBytes()));
    }

    [Fact, Rows("K29")]
    public async Task The_broker_sets_the_time_where_the_topic_says_so()
    {
        var partition = await CreateAsync("--timestamp-type", "logAppendTime");
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        using var producer = ConfluentKafka.Producer(broker.Kafka);
        var delivered = await producer.ProduceAsync(partition, new() { Value = Bytes("v"), Timestamp = new Timestamp(1, TimestampType.CreateTime) });
        var read = Assert.Single(ConfluentKafka.ReadAll(broker.Kafka, partition));
        Assert.Equal(TimestampType.LogAppendTime, read.Message.Timestamp.Type);
        Assert.InRange(read.Message.Timestamp.UnixTimestampMs, before, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        Assert.Equal(read.Message.Timestamp.UnixTimestampMs, delivered.Timestamp.UnixTimestampMs);
    }

    [Theory, Rows("K7")]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Every_codec_comes_back(string codec)
    {
        var partition = await CreateAsync();
        using (var producer = ConfluentKafka.Producer(broker.Kafka, null, ("compression.type", codec), ("linger.ms", "50")))
        {
            for (var i = 0; i < 5_000; i++) producer.Produce(partition, new() { Key = Bytes($"{i}"), Value = Bytes($"a value that says the same again and again {i}") });
            producer.Flush(ConfluentKafka.Patience);
        }
        var read = ConfluentKafka.ReadAll(broker.Kafka, partition);
        Assert.Equal(Enumerable.Range(0, 5_000).Select(i => $"{i}"), read.Select(r => Encoding.UTF8.GetString(r.Message.Key!)));
        Assert.Equal(Enumerable.Range(0, 5_000).Select(i => (long)i), read.Select(r => r.Offset.Value));
    }

    [Fact, Rows("K8", "K28")]
    public async Task What_is_too_large_is_refused_and_the_rest_goes_on()
    {
        var partition = await CreateAsync("--max-message-bytes", "2KiB");
        using var producer = ConfluentKafka.Producer(broker.Kafka);
        await producer.ProduceAsync(partition, new() { Value = Bytes("small") });
        var refused = await Assert.ThrowsAsync<ProduceException<byte[]?, byte[]?>>(() => producer.ProduceAsync(partition, new() { Value = new byte[5_000] }));
        Assert.Equal(ErrorCode.MsgSizeTooLarge, refused.Error.Code);
        Assert.Equal(1, (await producer.ProduceAsync(partition, new() { Value = Bytes("small") })).Offset.Value);
    }

    [Fact, Rows("K8", "K28")]
    public async Task A_compacted_topic_takes_no_message_without_a_key()
    {
        var topic = SharedBroker.Unique("compacted");
        using (var admin = ConfluentKafka.Admin(broker.Kafka))
            await admin.CreateTopicsAsync([new() { Name = topic, NumPartitions = 1, ReplicationFactor = 1, Configs = new() { ["cleanup.policy"] = "compact" } }]);
        using var producer = ConfluentKafka.Producer(broker.Kafka);
        var refused = await Assert.ThrowsAsync<ProduceException<byte[]?, byte[]?>>(() => producer.ProduceAsync(topic, new() { Value = Bytes("v") }));
        Assert.Equal(ErrorCode.InvalidRecord, refused.Error.Code);
        Assert.Equal(0, (await producer.ProduceAsync(topic, new() { Key = Bytes("k"), Value = Bytes("v") })).Offset.Value);
    }

    [Fact, Rows("K8")]
    public async Task Without_acknowledgement_it_does_not_wait()
    {
        var partition = await CreateAsync();
        using var producer = ConfluentKafka.Producer(broker.Kafka, null, ("acks", "0"));
        var delivered = await producer.ProduceAsync(partition, new() { Value = Bytes("v") });
        Assert.Equal(PersistenceStatus.PossiblyPersisted, delivered.Status);
        using var consumer = ConfluentKafka.Consumer(broker.Kafka, null, ("enable.partition.eof", "false"));
        consumer.Assign(new TopicPartitionOffset(partition, Offset.Beginning));
        Assert.Equal(Bytes("v"), ConfluentKafka.Next(consumer).Message.Value);
    }

    [Fact, Rows("K14")]
    public async Task An_idempotent_producer_keeps_order_over_many_requests_in_flight()
    {
        var partition = await CreateAsync();
        const int Count = 20_000;
        var failures = new ConcurrentQueue<string>();
        using (var producer = ConfluentKafka.Producer(broker.Kafka, null, ("enable.idempotence", "true"), ("batch.num.messages", "20"), ("linger.ms", "0")))
        {
            for (var i = 0; i < Count; i++)
            {
                producer.Produce(partition, new() { Value = BitConverter.GetBytes(i) }, report =>
                {
                    if (report.Error.IsError) failures.Enqueue(report.Error.Reason);
                });
            }
            producer.Flush(ConfluentKafka.Patience);
        }
        Assert.Empty(failures);
        Assert.Equal(Enumerable.Range(0, Count), ConfluentKafka.ReadAll(broker.Kafka, partition).Select(r => BitConverter.ToInt32(r.Message.Value!)));
    }

    [Fact, Rows("K28", "K4")]
    public async Task A_partition_that_does_not_exist_is_an_error_of_the_message()
    {
        var partition = await CreateAsync();
        using var producer = ConfluentKafka.Producer(broker.Kafka);
        var refused = await Assert.ThrowsAsync<ProduceException<byte[]?, byte[]?>>(() => producer.ProduceAsync(new TopicPartition(partition.Topic, 9), new() { Value = [] }));
        Assert.Equal(ErrorCode.Local_UnknownPartition, refused.Error.Code);
    }
}
