using Confluent.Kafka;

namespace Dragoman.Faults.Load;

/// <summary>Reads partitions with the unmodified Confluent.Kafka client.</summary>
internal static class KafkaReader
{
    /// <summary>A consumer without a group of its own, which checks every batch's CRC.</summary>
    public static IConsumer<Ignore, byte[]> Consumer(string bootstrap) => new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
    {
        BootstrapServers = bootstrap,
        GroupId = "faults",
        EnableAutoCommit = false,
        EnablePartitionEof = true,
        CheckCrcs = true,
        AutoOffsetReset = AutoOffsetReset.Error,
        ReconnectBackoffMs = 50,
        ReconnectBackoffMaxMs = 500,
        LogConnectionClose = false,
    }).SetLogHandler(static (_, _) => { }).Build();

    /// <summary>All records of a partition, from its start to where its end is now.</summary>
    public static List<(long Offset, byte[] Value)> ReadAll(string bootstrap, string topic, int partition)
    {
        using var consumer = Consumer(bootstrap);
        var end = consumer.QueryWatermarkOffsets(new TopicPartition(topic, partition), TimeSpan.FromSeconds(60)).High.Value;
        consumer.Assign(new TopicPartitionOffset(topic, partition, 0));
        var records = new List<(long Offset, byte[] Value)>();
        while (true)
        {
            if (records.Count > 0 && records[^1].Offset + 1 >= end) return records;
            var result = consumer.Consume(TimeSpan.FromSeconds(60)) ?? throw new TimeoutException($"{topic}-{partition} gave nothing for a minute after {records.Count} records.");
            if (result.IsPartitionEOF) return records;
            records.Add((result.Offset.Value, result.Message.Value));
        }
    }
}
