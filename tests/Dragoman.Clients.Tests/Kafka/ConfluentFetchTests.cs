using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<ConfluentKafka>]
public sealed class ConfluentFetchTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private async Task<TopicPartition> CreateAsync(params string[] options)
    {
        var topic = SharedBroker.Unique("t");
        (await broker.Server.RunAsync(["topic", "create", topic, .. options])).Succeeded();
        return new TopicPartition(topic, 0);
    }

    private void Fill(TopicPartition partition, int count, int size = 10, params (string Name, string Value)[] settings)
    {
        using var producer = ConfluentKafka.Producer(broker.Kafka, null, settings);
        for (var i = 0; i < count; i++) producer.Produce(partition, new() { Value = Value(i, size), Timestamp = new Timestamp(1_000_000 + (i * 10L), TimestampType.CreateTime) });
        producer.Flush(ConfluentKafka.Patience);
    }

    private static byte[] Value(int number, int size) => Encoding.UTF8.GetBytes($"{number}".PadRight(size));

    private static int Number(ConsumeResult<byte[]?, byte[]?> result) => int.Parse(Encoding.UTF8.GetString(result.Message.Value!));

    [Fact, Rows("K9")]
    public async Task Seeking_into_the_middle_of_a_compressed_batch_finds_the_record()
    {
        var partition = await CreateAsync();
        // One batch, since the time to linger is longer than the sending takes.
        Fill(partition, 1_000, 10, ("compression.type", "zstd"), ("linger.ms", "1000"), ("batch.num.messages", "100000"));
        using var consumer = ConfluentKafka.Consumer(broker.Kafka);
        consumer.Assign(new TopicPartitionOffset(partition, 0));
        Assert.Equal(0, Number(ConfluentKafka.Next(consumer)));
        foreach (var offset in new[] { 999, 500, 1, 998, 0 })
        {
            consumer.Seek(new TopicPartitionOffset(partition, offset));
            var next = ConfluentKafka.Next(consumer);
            while (next.IsPartitionEOF) next = ConfluentKafka.Next(consumer);
            Assert.Equal(offset, next.Offset.Value);
            Assert.Equal(offset, Number(next));
        }
    }

    [Fact, Rows("K9")]
    public async Task A_message_larger_than_the_limits_arrives()
    {
        var partition = await CreateAsync();
        Fill(partition, 3, 900_000);
        var read = ConfluentKafka.ReadAll(broker.Kafka, partition, 0, ("fetch.message.max.bytes", "1000"), ("message.max.bytes", "1000"), ("fetch.max.bytes", "1000"));
        Assert.Equal([0, 1, 2], read.Select(Number));
    }

    [Fact, Rows("K9")]
    public async Task A_consumer_that_waits_is_woken_by_the_next_message()
    {
        var partition = await CreateAsync();
        var log = new ConcurrentQueue<string>();
        // Unless it is woken, its request waits for longer than this test does.
        using var consumer = ConfluentKafka.Consumer(
            broker.Kafka, log, ("fetch.wait.max.ms", "200000"), ("socket.timeout.ms", "250000"), ("enable.partition.eof", "false"), ("debug", "protocol"));
        consumer.Assign(new TopicPartitionOffset(partition, 0));
        Assert.Null(consumer.Consume(TimeSpan.FromMilliseconds(10)));
        await Eventually.TrueAsync(() => log.Any(l => l.Contains("Sent FetchRequest", StringComparison.Ordinal)), "the request is on its way");
        Fill(partition, 1);
        Assert.Equal(0, Number(ConfluentKafka.Next(consumer)));
    }

    [Fact, Rows("K9")]
    public async Task No_partition_starves_where_answers_are_small()
    {
        var partition = await CreateAsync("--partitions", "8");
        for (var i = 0; i < 8; i++) Fill(new TopicPartition(partition.Topic, i), 300, 1_000, ("batch.num.messages", "10"));
        using var consumer = ConfluentKafka.Consumer(
            broker.Kafka, null, ("fetch.message.max.bytes", "12000"), ("fetch.max.bytes", "12000"), ("message.max.bytes", "12000"), ("queued.min.messages", "1"), ("fetch.queue.backoff.ms", "1"));
        consumer.Assign(Enumerable.Range(0, 8).Select(i => new TopicPartitionOffset(partition.Topic, i, Offset.Beginning)));
        var read = ConfluentKafka.ReadToEnd(consumer);
        for (var i = 0; i < 8; i++) Assert.Equal(Enumerable.Range(0, 300), read.Where(r => r.Partition.Value == i).Select(Number));
        // Each had a message out before any was at its end.
        var firstEnd = read.FindIndex(r => r.Offset.Value == 299);
        Assert.Equal(8, read.Take(firstEnd).Select(r => r.Partition).Distinct().Count());
    }

    [Fact, Rows("K10")]
    public async Task Offsets_are_found_by_time_and_at_both_ends()
    {
        var partition = await CreateAsync();
        Fill(partition, 100, 10, ("batch.num.messages", "7"));
        using var consumer = ConfluentKafka.Consumer(broker.Kafka);
        foreach (var (time, offset) in new[] { (0, 0), (1_000_000, 0), (1_000_001, 1), (1_000_500, 50), (1_000_990, 99), (1_000_991, (int)Offset.End.Value) })
        {
            var found = consumer.OffsetsForTimes([new TopicPartitionTimestamp(partition, new Timestamp(time, TimestampType.CreateTime))], ConfluentKafka.Patience);
            Assert.Equal(offset, Assert.Single(found).Offset.Value);
        }
        var ends = consumer.QueryWatermarkOffsets(partition, ConfluentKafka.Patience);
        Assert.Equal((0, 100), (ends.Low.Value, ends.High.Value));
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        foreach (var (spec, offset) in new[] { (OffsetSpec.Earliest(), 0L), (OffsetSpec.Latest(), 100L), (OffsetSpec.MaxTimestamp(), 99L), (OffsetSpec.ForTimestamp(1_000_123), 13L) })
        {
            var found = await admin.ListOffsetsAsync([new() { TopicPartition = partition, OffsetSpec = spec }]);
            Assert.Equal(offset, Assert.Single(found.ResultInfos).TopicPartitionOffsetError.Offset.Value);
        }
    }

    [Fact, Rows("K9", "K10")]
    public async Task Deleted_records_are_gone_and_reading_starts_behind_them()
    {
        var partition = await CreateAsync();
        Fill(partition, 100);
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        var deleted = await admin.DeleteRecordsAsync([new TopicPartitionOffset(partition, 40)]);
        Assert.Equal(40, Assert.Single(deleted).Offset.Value);
        using var consumer = ConfluentKafka.Consumer(broker.Kafka);
        Assert.Equal(40, consumer.QueryWatermarkOffsets(partition, ConfluentKafka.Patience).Low.Value);
        consumer.Assign(new TopicPartitionOffset(partition, Offset.Beginning));
        Assert.Equal(40, Number(ConfluentKafka.Next(consumer)));
    }

    [Fact, Rows("K28", "K9")]
    public async Task An_offset_that_is_not_there_is_an_error_or_a_reset_as_the_client_wants()
    {
        var partition = await CreateAsync();
        Fill(partition, 10);
        using (var strict = ConfluentKafka.Consumer(broker.Kafka, null, ("auto.offset.reset", "error")))
        {
            strict.Assign(new TopicPartitionOffset(partition, 1_000));
            var error = Assert.Throws<ConsumeException>(() => strict.Consume(ConfluentKafka.Patience));
            Assert.Equal(ErrorCode.Local_AutoOffsetReset, error.Error.Code);
        }
        var read = ConfluentKafka.ReadAll(broker.Kafka, partition, 1_000, ("auto.offset.reset", "earliest"));
        Assert.Equal(Enumerable.Range(0, 10), read.Select(Number));
    }

    [Fact, Rows("K28", "K4")]
    public async Task A_consumer_does_not_make_a_topic_and_finds_it_once_it_is_made()
    {
        var topic = SharedBroker.Unique("later");
        var log = new ConcurrentQueue<string>();
        using var consumer = ConfluentKafka.Consumer(broker.Kafka, log, ("topic.metadata.refresh.fast.interval.ms", "100"), ("topic.metadata.refresh.interval.ms", "200"), ("debug", "topic,metadata"));
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        await Eventually.TrueAsync(() => log.Any(l => l.Contains($"Topic {topic} does not exist", StringComparison.Ordinal)), "the consumer hears that the topic is missing");
        using var admin = ConfluentKafka.Admin(broker.Kafka);
        Assert.DoesNotContain(admin.GetMetadata(ConfluentKafka.Patience).Topics, t => t.Topic == topic);
        Fill(new TopicPartition(topic, 0), 1);
        var next = ConfluentKafka.Next(consumer);
        while (next.IsPartitionEOF) next = ConfluentKafka.Next(consumer);
        Assert.Equal(0, Number(next));
    }

    [Theory, Rows("K9")]
    [InlineData("read_committed")]
    [InlineData("read_uncommitted")]
    public async Task Both_isolation_levels_read_what_is_not_transactional(string isolation)
    {
        var partition = await CreateAsync();
        Fill(partition, 100);
        Assert.Equal(Enumerable.Range(0, 100), ConfluentKafka.ReadAll(broker.Kafka, partition, 0, ("isolation.level", isolation)).Select(Number));
    }
}
