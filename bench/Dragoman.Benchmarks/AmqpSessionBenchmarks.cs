using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using Dragoman.Amqp;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Storage.Records;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Benchmarks;

/// <summary>
/// Publish, confirm, deliver and acknowledge through a whole AMQP session, over pipes instead of a socket; one operation is
/// one message of 100 bytes on its whole way, from and to one channel. A persistent one by itself waits for two fsyncs.
/// </summary>
[MemoryDiagnoser]
[OneWorker(launchCount: 1, warmupCount: 3, iterationCount: 5, invocationCount: 2)]
public class AmqpSessionBenchmarks
{
    private const int Messages = 2048;
    private const ushort Channel = 1;

    private readonly PipeConnection _connection = new();
    private BenchmarkBroker _broker = null!;
    private Task _running = null!;
    private byte[] _publishes = [];
    private byte[] _ack = [];
    private ulong _confirmed;
    private ulong _delivered;
    private ulong _sent;

    /// <summary>Messages that are published together; the next ones follow when these are confirmed, delivered and acknowledged.</summary>
    [Params(1, 128)]
    public int Batch { get; set; }

    /// <summary>Persistent messages in a durable queue, on disk before the confirm; else transient ones in a queue that lives in memory.</summary>
    [Params(true, false)]
    public bool Persistent { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        _broker = await BenchmarkBroker.StartAsync();
        var session = new AmqpFrontEnd(_broker.Broker, new AmqpOptions(), NullLoggerFactory.Instance).CreateSession(_connection.Server, "benchmark");
        _running = session.RunAsync();
        await _connection.Client.Output.WriteAsync(ProtocolHeader.Bytes.ToArray());
        await ExpectAsync(ConnectionStart.Id);
        await SendAsync(0, new ConnectionStartOk { ClientProperties = FieldTable.Empty, Mechanism = "PLAIN", Response = "\0guest\0guest"u8.ToArray(), Locale = "en_US" });
        await ExpectAsync(ConnectionTune.Id);
        await SendAsync(0, new ConnectionTuneOk { ChannelMax = 16, FrameMax = 131072, Heartbeat = 0 });
        await SendAsync(0, new ConnectionOpen { VirtualHost = "/" });
        await ExpectAsync(ConnectionOpenOk.Id);
        await AskAsync(default(ChannelOpen), ChannelOpenOk.Id);
        await AskAsync(new QueueDeclare { Queue = "benchmark", Durable = Persistent, Arguments = FieldTable.Empty }, QueueDeclareOk.Id);
        await AskAsync(default(ConfirmSelect), ConfirmSelectOk.Id);
        await AskAsync(new BasicConsume { Queue = "benchmark", ConsumerTag = "c", Arguments = FieldTable.Empty }, BasicConsumeOk.Id);
        using var buffer = new PooledBuffer();
        var body = new byte[100];
        // Delivery mode and nothing else: 0x1000 is its flag.
        byte[] properties = [0x10, 0x00, Persistent ? (byte)2 : (byte)1];
        for (var i = 0; i < Batch; i++)
        {
            AddMethod(buffer, Channel, new BasicPublish { RoutingKey = "benchmark" });
            ContentWriter.Write(buffer, Channel, properties, new ReadOnlySequence<byte>(body), 131072);
        }
        _publishes = buffer.WrittenSpan.ToArray();
        buffer.Clear();
        AddMethod(buffer, Channel, new BasicAck { Multiple = true });
        _ack = buffer.WrittenSpan.ToArray();
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        await _connection.Client.Output.CompleteAsync();
        await _running;
        await _broker.DisposeAsync();
    }

    /// <summary>Published, confirmed, delivered and acknowledged.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task RoundTrip()
    {
        var output = _connection.Client.Output;
        for (var n = 0; n < Messages; n += Batch)
        {
            _sent += (ulong)Batch;
            await output.WriteAsync(_publishes);
            while (_confirmed < _sent || _delivered < _sent)
            {
                var read = await _connection.Client.Input.ReadAsync();
                _connection.Client.Input.AdvanceTo(Count(read.Buffer), read.Buffer.End);
                if (read.IsCompleted) throw new InvalidOperationException("The session ended.");
            }
            BinaryPrimitives.WriteUInt64BigEndian(_ack.AsSpan(FrameHeader.Size + sizeof(uint)), _delivered);
            await output.WriteAsync(_ack);
        }
    }

    /// <summary>Takes in whole frames; where the first that is not whole begins.</summary>
    private SequencePosition Count(ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        Span<byte> start = stackalloc byte[FrameHeader.Size + sizeof(uint) + sizeof(ulong) + 3];
        while (true)
        {
            var rest = reader.UnreadSequence;
            if (rest.Length < FrameHeader.Size) return reader.Position;
            var known = start[..(int)Math.Min(rest.Length, start.Length)];
            rest.Slice(0, known.Length).CopyTo(known);
            var length = FrameHeader.Overhead + BinaryPrimitives.ReadInt32BigEndian(known[3..]);
            if (rest.Length < length) return reader.Position;
            if (known[0] == (byte)FrameType.Method) Note(known[FrameHeader.Size..]);
            reader.Advance(length);
        }
    }

    private void Note(ReadOnlySpan<byte> method)
    {
        var number = BinaryPrimitives.ReadUInt32BigEndian(method);
        if (number == BasicAck.Id.Number) _confirmed = BinaryPrimitives.ReadUInt64BigEndian(method[sizeof(uint)..]);
        // Behind the consumer's tag, "c" with its length.
        else if (number == BasicDeliver.Id.Number) _delivered = BinaryPrimitives.ReadUInt64BigEndian(method[(sizeof(uint) + 2)..]);
        else throw new InvalidOperationException($"The broker sent method {number >> 16}.{number & 0xFFFF}.");
    }

    private ValueTask<FlushResult> SendAsync<T>(ushort channel, T method)
        where T : struct, IMethod<T>
    {
        using var buffer = new PooledBuffer();
        AddMethod(buffer, channel, method);
        return _connection.Client.Output.WriteAsync(buffer.WrittenSpan.ToArray());
    }

    private async Task AskAsync<T>(T method, MethodId answer)
        where T : struct, IMethod<T>
    {
        await SendAsync(Channel, method);
        await ExpectAsync(answer);
    }

    private async Task ExpectAsync(MethodId id)
    {
        var input = _connection.Client.Input;
        var read = await input.ReadAtLeastAsync(FrameHeader.Overhead);
        var length = FrameHeader.Overhead + BinaryPrimitives.ReadInt32BigEndian(read.Buffer.Slice(3, sizeof(int)).ToArray());
        input.AdvanceTo(read.Buffer.Start);
        read = await input.ReadAtLeastAsync(length);
        var number = BinaryPrimitives.ReadUInt32BigEndian(read.Buffer.Slice(FrameHeader.Size, sizeof(uint)).ToArray());
        if (number != id.Number) throw new InvalidOperationException($"The broker answered with method {number >> 16}.{number & 0xFFFF} where {id.Class}.{id.Method} was expected.");
        input.AdvanceTo(read.Buffer.GetPosition(length));
    }

    private static void AddMethod<T>(PooledBuffer buffer, ushort channel, T method)
        where T : struct, IMethod<T>
    {
        var start = buffer.Length;
        buffer.Write(stackalloc byte[FrameHeader.Size]);
        MethodCodec.Write(buffer, method);
        new FrameHeader(FrameType.Method, channel, buffer.Length - start - FrameHeader.Size).Write(buffer.WritableSpan[start..]);
        buffer.Write([FrameHeader.EndMark]);
    }
}
