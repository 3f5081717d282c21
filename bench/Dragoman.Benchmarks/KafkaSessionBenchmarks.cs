using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using Dragoman.Broker.Topics;
using Dragoman.Kafka;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Benchmarks;

/// <summary>
/// Produce and fetch through a whole session, over pipes instead of a socket. What they allocate must not depend on
/// the number of records in a batch.
/// </summary>
[MemoryDiagnoser]
[OneWorker(launchCount: 1, warmupCount: 3, iterationCount: 5, invocationCount: 12)]
public class KafkaSessionBenchmarks
{
    private const string Topic = "benchmark";
    private const int Requests = 256;

    private readonly PipeConnection _connection = new();
    private BenchmarkBroker _broker = null!;
    private Task _running = null!;
    private byte[] _produce = [];
    private byte[] _fetch = [];

    /// <summary>Records in a batch, of 16 bytes each.</summary>
    [Params(1, 1000)]
    public int Records { get; set; }

    [GlobalSetup(Target = nameof(Produce))]
    public async Task SetupProduce()
    {
        await Setup();
        // The journal's index in memory has just doubled after these, and does not again during the run; otherwise a
        // run that happens to see it double seems to allocate more.
        var one = KafkaRequests.Bytes(7, KafkaRequests.Produce(Topic, TemporaryStore.Batch(1, 16)));
        await CallAsync(one, 32_800);
    }

    [GlobalSetup(Target = nameof(Fetch))]
    public async Task Setup()
    {
        _broker = await BenchmarkBroker.StartAsync();
        await _broker.Broker.Topics.CreateAsync(TopicName.InDefault(Topic), 1, _broker.Broker.Options.DefaultTopicSettings);
        var session = new KafkaFrontEnd(_broker.Broker, new KafkaOptions(), NullLoggerFactory.Instance).CreateSession(_connection.Server, "benchmark");
        _running = session.RunAsync();
        _produce = KafkaRequests.Bytes(7, KafkaRequests.Produce(Topic, TemporaryStore.Batch(Records, 16)));
        await Produce();
        _fetch = KafkaRequests.Bytes(11, KafkaRequests.Fetch(Topic, 0));
        await CheckAsync();
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        await _connection.Client.Output.CompleteAsync();
        await _running;
        await _broker.DisposeAsync();
    }

    /// <summary>A request with one batch, and its answer.</summary>
    [Benchmark(OperationsPerInvoke = Requests)]
    public Task Produce() => CallAsync(_produce, Requests);

    /// <summary>A request for the one batch that is there, and its answer.</summary>
    [Benchmark(OperationsPerInvoke = Requests)]
    public Task Fetch() => CallAsync(_fetch, Requests);

    /// <summary>Each waits for the answer to the one before. One method for all of them, as its own state is not to count.</summary>
    private async Task CallAsync(byte[] request, int times)
    {
        while (times > 0)
        {
            await _connection.Client.Output.WriteAsync(request);
            for (var answered = false; !answered;)
            {
                var read = await _connection.Client.Input.ReadAsync();
                if (Length(read.Buffer) is { } length && read.Buffer.Length >= length)
                {
                    _connection.Client.Input.AdvanceTo(read.Buffer.GetPosition(length));
                    answered = true;
                    times--;
                    continue;
                }
                if (read.IsCompleted) throw new InvalidOperationException("The session ended.");
                _connection.Client.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
    }

    private static long? Length(ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        return reader.TryReadBigEndian(out int length) ? length + sizeof(int) : null;
    }

    /// <summary>A benchmark of refusals would measure nothing.</summary>
    private async Task CheckAsync()
    {
        await _connection.Client.Output.WriteAsync(_fetch);
        var read = await _connection.Client.Input.ReadAtLeastAsync(sizeof(int));
        var length = BinaryPrimitives.ReadInt32BigEndian(read.Buffer.FirstSpan);
        _connection.Client.Input.AdvanceTo(read.Buffer.Start);
        read = await _connection.Client.Input.ReadAtLeastAsync(sizeof(int) + length);
        var frame = read.Buffer.Slice(sizeof(int) + sizeof(int), length - sizeof(int));
        var partition = KafkaFrame.Read<FetchResponse>(frame, 11).Responses[0].Partitions[0];
        if (partition.ErrorCode != ErrorCode.None || partition.Records.Length == 0) throw new InvalidOperationException($"Fetch answers {partition.ErrorCode} and {partition.Records.Length} bytes.");
        _connection.Client.Input.AdvanceTo(read.Buffer.GetPosition(sizeof(int) + length));
    }
}
