using System.Buffers;
using BenchmarkDotNet.Attributes;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Benchmarks;

/// <summary>Kafka requests from bytes to objects. The records of a produce request are views, so their number must not matter.</summary>
[MemoryDiagnoser]
public class KafkaParsingBenchmarks
{
    private ReadOnlySequence<byte> _produce;
    private ReadOnlySequence<byte> _fetch;

    /// <summary>Records in the produce request's one batch.</summary>
    [Params(1, 1000)]
    public int Records { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _produce = KafkaRequests.Frame(9, KafkaRequests.Produce("benchmark", TemporaryStore.Batch(Records, 100)));
        _fetch = KafkaRequests.Frame(11, KafkaRequests.Fetch("benchmark", 0));
    }

    [Benchmark]
    public ProduceRequest Produce() => Parse<ProduceRequest>(_produce);

    [Benchmark]
    public FetchRequest Fetch() => Parse<FetchRequest>(_fetch);

    private static T Parse<T>(ReadOnlySequence<byte> frame)
        where T : IKafkaRequest<T>
    {
        var reader = new KafkaReader(frame);
        var header = RequestHeader.Read(ref reader);
        var request = T.Read(ref reader, header.ApiVersion);
        reader.ExpectEnd();
        return request;
    }
}
