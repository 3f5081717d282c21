using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using Dragoman.Broker;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dragoman.Kafka.Tests.Handlers;

/// <summary>A real broker on a temporary directory, and clients that reach it without sockets.</summary>
internal sealed class BrokerFixture : IAsyncDisposable, ILoggerFactory, ILogger
{
    private readonly string _directory = Directory.CreateTempSubdirectory("dragoman-kafka").FullName;
    private readonly List<TestConnection> _connections = [];

    private BrokerFixture()
    {
    }

    public GatedDisk Disk { get; } = new();

    public Dragoman.Broker.Broker Broker { get; private set; } = null!;

    public KafkaFrontEnd FrontEnd { get; private set; } = null!;

    /// <summary>What was logged as a warning or worse.</summary>
    public ConcurrentQueue<string> Warnings { get; } = new();

    public static async Task<BrokerFixture> StartAsync(Func<BrokerOptions, BrokerOptions>? change = null, KafkaOptions? options = null, Func<StoreOptions, StoreOptions>? store = null)
    {
        var fixture = new BrokerFixture();
        var storeOptions = new StoreOptions { Directory = fixture._directory, JournalFileBytes = 4 << 20, HeadroomBytes = 1 << 20 };
        var broker = new BrokerOptions { Store = store?.Invoke(storeOptions) ?? storeOptions, NodeId = 7 };
        fixture.Broker = await Dragoman.Broker.Broker.StartAsync(
            change?.Invoke(broker) ?? broker, fixture.Disk, TimeProvider.System, ThreadPoolScheduler.Instance, new Random(1));
        fixture.FrontEnd = new KafkaFrontEnd(fixture.Broker, options ?? new KafkaOptions(), fixture);
        return fixture;
    }

    public TestConnection Connect()
    {
        var connection = new TestConnection(FrontEnd);
        _connections.Add(connection);
        return connection;
    }

    public async Task<Guid> CreateTopicAsync(string name, int partitions = 1, params (string Name, string Value)[] configs)
    {
        var request = new CreateTopicsRequest
        {
            Topics = [new() { Name = name, NumPartitions = partitions, ReplicationFactor = 1, Configs = [.. configs.Select(c => new CreateTopicsRequest.CreatableTopicConfig { Name = c.Name, Value = c.Value })] }],
        };
        var result = Assert.Single((await Connect().AskAsync<CreateTopicsRequest, CreateTopicsResponse>(request, 7)).Topics);
        Assert.Equal(ErrorCode.None, result.ErrorCode);
        return result.TopicId;
    }

    public async ValueTask DisposeAsync()
    {
        Disk.Open();
        foreach (var connection in _connections) await connection.DisposeAsync();
        await Broker.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    ILogger ILoggerFactory.CreateLogger(string categoryName) => this;

    void ILoggerFactory.AddProvider(ILoggerProvider provider)
    {
    }

    void IDisposable.Dispose()
    {
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Warning) Warnings.Enqueue(formatter(state, exception));
    }
}

/// <summary>A client without a socket.</summary>
internal sealed class TestConnection : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Pipe _toBroker = new(new PipeOptions(useSynchronizationContext: false));
    private readonly Pipe _toClient = new(new PipeOptions(useSynchronizationContext: false));
    private readonly CancellationTokenSource _closed = new();
    private int _lastCorrelation;

    public TestConnection(KafkaFrontEnd frontEnd)
    {
        Session = frontEnd.CreateSession(new Duplex(_toBroker.Reader, _toClient.Writer), "test", new IPEndPoint(IPAddress.Parse("10.1.2.3"), 9092), new IPEndPoint(IPAddress.Parse("10.9.8.7"), 50000));
        Ended = Session.RunAsync(_closed.Token);
    }

    public KafkaSession Session { get; }

    /// <summary>Completes when the broker has closed the connection.</summary>
    public Task Ended { get; }

    public async Task SendAsync(byte[] bytes) => await _toBroker.Writer.WriteAsync(bytes);

    /// <summary>Sends a request; returns its correlation id.</summary>
    public async Task<int> SendAsync<TRequest>(TRequest request, short version)
        where TRequest : IKafkaRequest<TRequest>
    {
        var correlation = ++_lastCorrelation;
        await SendAsync(Encode(request, version, correlation));
        return correlation;
    }

    public static byte[] Encode<TRequest>(TRequest request, short version, int correlation)
        where TRequest : IKafkaRequest<TRequest>
    {
        var output = new ArrayBufferWriter<byte>();
        KafkaFrame.WriteRequest(output, correlation, "tests", version, request);
        return output.WrittenSpan.ToArray();
    }

    public async Task<TResponse> AskAsync<TRequest, TResponse>(TRequest request, short version)
        where TRequest : IKafkaRequest<TRequest>
        where TResponse : IKafkaResponse<TResponse> => await ReceiveAsync<TResponse>(await SendAsync(request, version), version);

    /// <summary>Receives the next answer, which must be the one expected.</summary>
    public async Task<TResponse> ReceiveAsync<TResponse>(int correlation, short version)
        where TResponse : IKafkaResponse<TResponse>
    {
        var frame = await ReceiveFrameAsync();
        Assert.NotNull(frame);
        Assert.Equal(correlation, BinaryPrimitives.ReadInt32BigEndian(frame));
        var header = sizeof(int) + (version >= TResponse.FlexibleFrom && TResponse.ApiKey != ApiKey.ApiVersions ? 1 : 0);
        return KafkaFrame.Read<TResponse>(new ReadOnlySequence<byte>(frame.AsMemory(header)), version);
    }

    /// <summary>Receives a frame; null when the broker has closed.</summary>
    public async Task<byte[]?> ReceiveFrameAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (true)
        {
            var result = await _toClient.Reader.ReadAsync(timeout.Token);
            var bytes = result.Buffer;
            if (bytes.Length >= 4)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(bytes.Slice(0, 4).ToArray());
                if (bytes.Length >= 4 + length)
                {
                    var frame = bytes.Slice(4, length).ToArray();
                    _toClient.Reader.AdvanceTo(bytes.GetPosition(4 + length));
                    return frame;
                }
            }
            _toClient.Reader.AdvanceTo(bytes.Start, bytes.End);
            if (!result.IsCompleted) continue;
            Assert.True(bytes.IsEmpty, "an answer was cut off");
            return null;
        }
    }

    /// <summary>Lets a frame pass unread, without a copy of it.</summary>
    [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SkipFrameAsync()
    {
        while (true)
        {
            var result = await _toClient.Reader.ReadAsync();
            var reader = new SequenceReader<byte>(result.Buffer);
            Assert.False(result.IsCompleted);
            if (reader.TryReadBigEndian(out int length) && reader.Remaining >= length)
            {
                reader.Advance(length);
                _toClient.Reader.AdvanceTo(reader.Position);
                return;
            }
            _toClient.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    /// <summary>Whether an answer comes within a while.</summary>
    public async Task<bool> HasAnswerAsync(int milliseconds)
    {
        using var timeout = new CancellationTokenSource(milliseconds);
        try
        {
            var result = await _toClient.Reader.ReadAsync(timeout.Token);
            _toClient.Reader.AdvanceTo(result.Buffer.Start);
            return !result.Buffer.IsEmpty;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public async Task<ProduceResponse.PartitionProduceResponse> ProduceAsync(string topic, byte[] batch, int partition = 0, short acks = -1, short version = 11)
    {
        var response = await AskAsync<ProduceRequest, ProduceResponse>(ProduceOf(topic, batch, partition, acks), version);
        return Assert.Single(Assert.Single(response.Responses).PartitionResponses);
    }

    public static ProduceRequest ProduceOf(string topic, byte[] batch, int partition = 0, short acks = -1) => new()
    {
        Acks = acks,
        TimeoutMs = 1000,
        TopicData = [new() { Name = topic, PartitionData = [new() { Index = partition, Records = new Records(new ReadOnlySequence<byte>(batch)) }] }],
    };

    /// <summary>Goes away, as a client whose process ends.</summary>
    public void Disconnect()
    {
        _toBroker.Writer.Complete();
        _closed.Cancel();
        _toClient.Reader.Complete();
    }

    public async ValueTask DisposeAsync()
    {
        Disconnect();
        await Ended.WaitAsync(Patience);
        _closed.Dispose();
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}

/// <summary>Batches as producers send them.</summary>
internal static class Batches
{
    /// <summary>Where the format number lies: behind base offset, length and leader epoch.</summary>
    public const int MagicOffset = 16;

    public static byte[] Of(params string[] values) => Of(default, 1000, values);

    public static byte[] Of(BatchOptions options, long timestamp, params string[] values)
    {
        using var builder = new RecordBatchBuilder();
        foreach (var value in values) builder.Add(timestamp++, NullableBytes.Null, System.Text.Encoding.UTF8.GetBytes(value));
        return builder.Build(options).ToArray();
    }

    public static byte[] Sized(int bytes)
    {
        using var builder = new RecordBatchBuilder();
        builder.Add(1000, NullableBytes.Null, new byte[bytes]);
        return builder.Build(new BatchOptions()).ToArray();
    }

    /// <summary>The values of all records in a fetched stretch of batches.</summary>
    public static List<string> ValuesIn(Records records)
    {
        var values = new List<string>();
        using var reader = new RecordBatchReader();
        var bytes = records.Bytes.ToArray();
        for (var at = 0; at < bytes.Length;)
        {
            Assert.True(RecordBatchHeader.TryRead(bytes.AsSpan(at), out var header));
            var length = (int)header.TotalSize;
            Assert.Equal(BatchError.None, reader.Open(bytes.AsMemory(at, length)));
            var each = reader.Records;
            while (each.MoveNext()) values.Add(System.Text.Encoding.UTF8.GetString(each.Current.Value.Span));
            reader.Close();
            at += length;
        }
        return values;
    }
}
