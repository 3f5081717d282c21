using System.Buffers;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Benchmarks;

/// <summary>Requests as clients send them.</summary>
internal static class KafkaRequests
{
    public static ProduceRequest Produce(string topic, ReadOnlyMemory<byte> batch) => new()
    {
        Acks = -1,
        TimeoutMs = 30_000,
        TopicData = [new() { Name = topic, PartitionData = [new() { Index = 0, Records = new Records(new ReadOnlySequence<byte>(batch)) }] }],
    };

    public static FetchRequest Fetch(string topic, long offset) => new()
    {
        MaxWaitMs = 1000,
        MinBytes = 1,
        MaxBytes = 50 << 20,
        Topics = [new() { Topic = topic, Partitions = [new() { Partition = 0, FetchOffset = offset, PartitionMaxBytes = 1 << 20 }] }],
    };

    /// <summary>The request with its length in front.</summary>
    public static byte[] Bytes<T>(short version, T request)
        where T : IKafkaRequest<T>
    {
        var output = new ArrayBufferWriter<byte>();
        KafkaFrame.WriteRequest(output, 1, "benchmark", version, request);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The request without its length, as a session sees it.</summary>
    public static ReadOnlySequence<byte> Frame<T>(short version, T request)
        where T : IKafkaRequest<T> => new(Bytes(version, request).AsMemory(sizeof(int)));
}
