using System.Buffers;
using System.IO.Pipelines;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Protocols.Connections;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>What one method brought: its fields, and the content if it has one.</summary>
internal sealed record Received(ushort Channel, MethodId Id, byte[] Arguments, byte[] Properties, byte[] Body)
{
    public T As<T>()
        where T : struct, IMethod<T>
    {
        Assert.Equal((T.Id, Channel), (Id, Channel));
        return MethodCodec.Read<T>(Arguments);
    }

    public string Text => System.Text.Encoding.UTF8.GetString(Body);

    public FieldTable Headers
    {
        get
        {
            var properties = AmqpProperties.Read(Properties);
            return properties.Headers.IsEmpty ? FieldTable.Empty : new WireReader(properties.Headers).Fields();
        }
    }
}

/// <summary>The client's end of a connection without a socket. It checks nothing that a test should see.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Pipe _toServer = new(new PipeOptions(useSynchronizationContext: false));
    private readonly Pipe _toClient = new(new PipeOptions(useSynchronizationContext: false));
    private readonly AmqpSession _session;
    private readonly Task _running;
    private readonly Queue<Received> _aside = new();
    private int _frameMax = 131072;

    public TestClient(AmqpFrontEnd frontEnd)
    {
        _session = frontEnd.CreateSession(new Duplex(_toServer.Reader, _toClient.Writer), "test", live: Live);
        _running = _session.RunAsync();
    }

    /// <summary>What the server knows of the connection.</summary>
    public LiveConnection Live { get; } = new();

    /// <summary>What the server said of itself.</summary>
    public ConnectionStart Start { get; private set; }

    /// <summary>The limits that the server proposed.</summary>
    public ConnectionTune Tune { get; private set; }

    /// <summary>Completes when the server has closed the connection.</summary>
    public Task Ended => _running;

    /// <summary>Lets the server stop.</summary>
    public void Stop() => _session.Stop();

    public async Task OpenAsync(string virtualHost = "/", int frameMax = 0, int heartbeat = 0, FieldTable? properties = null)
    {
        await SendRawAsync(ProtocolHeader.Bytes.ToArray());
        Start = (await ReceiveAsync()).As<ConnectionStart>();
        var capabilities = new FieldTable(
            KeyValuePair.Create("consumer_cancel_notify", FieldValue.OfBoolean(true)),
            KeyValuePair.Create("authentication_failure_close", FieldValue.OfBoolean(true)),
            KeyValuePair.Create("connection.blocked", FieldValue.OfBoolean(true)));
        await SendAsync(0, new ConnectionStartOk
        {
            ClientProperties = properties ?? new FieldTable(KeyValuePair.Create("capabilities", FieldValue.OfTable(capabilities))),
            Mechanism = "PLAIN",
            Response = "\0guest\0guest"u8.ToArray(),
            Locale = "en_US",
        });
        Tune = (await ReceiveAsync()).As<ConnectionTune>();
        if (frameMax > 0) _frameMax = frameMax;
        await SendAsync(0, new ConnectionTuneOk { ChannelMax = Tune.ChannelMax, FrameMax = (uint)_frameMax, Heartbeat = (ushort)heartbeat });
        await SendAsync(0, new ConnectionOpen { VirtualHost = virtualHost });
        (await ReceiveAsync()).As<ConnectionOpenOk>();
    }

    public async Task<ushort> ChannelAsync(ushort number = 1, bool confirms = false)
    {
        await AskAsync<ChannelOpen, ChannelOpenOk>(number, default);
        if (confirms) await AskAsync<ConfirmSelect, ConfirmSelectOk>(number, default);
        return number;
    }

    public async Task<TAnswer> AskAsync<TQuestion, TAnswer>(ushort channel, TQuestion question)
        where TQuestion : struct, IMethod<TQuestion>
        where TAnswer : struct, IMethod<TAnswer>
    {
        await SendAsync(channel, question);
        var answer = await ReceiveAsync();
        if (answer.Id == ChannelClose.Id) Assert.Fail(answer.As<ChannelClose>().Text);
        if (answer.Id == ConnectionClose.Id) Assert.Fail(answer.As<ConnectionClose>().Text);
        return answer.As<TAnswer>();
    }

    /// <summary>Asks for something that closes the channel; returns why, and answers as AMQP wants it.</summary>
    public async Task<ChannelClose> RefusedAsync<TQuestion>(ushort channel, TQuestion question)
        where TQuestion : struct, IMethod<TQuestion>
    {
        await SendAsync(channel, question);
        return await ClosedAsync(channel);
    }

    public async Task<ChannelClose> ClosedAsync(ushort channel)
    {
        var close = (await ReceiveAsync()).As<ChannelClose>();
        await SendAsync(channel, default(ChannelCloseOk));
        return close;
    }

    public async Task<string> QueueAsync(ushort channel, string name, bool durable = true, FieldTable? arguments = null, bool exclusive = false, bool autoDelete = false) =>
        (await AskAsync<QueueDeclare, QueueDeclareOk>(channel, new QueueDeclare { Queue = name, Durable = durable, Exclusive = exclusive, AutoDelete = autoDelete, Arguments = arguments ?? FieldTable.Empty })).Queue;

    public Task<QueueDeclareOk> CountAsync(ushort channel, string queue) => AskAsync<QueueDeclare, QueueDeclareOk>(channel, new QueueDeclare { Queue = queue, Passive = true });

    /// <summary>Waits until a queue holds so many messages.</summary>
    public async Task UntilCountAsync(ushort channel, string queue, uint count)
    {
        for (var limit = DateTime.UtcNow + Patience; (await CountAsync(channel, queue)).MessageCount < count; await Task.Delay(2))
            Assert.True(DateTime.UtcNow < limit, $"queue '{queue}' holds {(await CountAsync(channel, queue)).MessageCount} messages, not {count}");
    }

    public Task SendAsync<T>(ushort channel, T method)
        where T : struct, IMethod<T>
    {
        using var buffer = new PooledBuffer();
        AddMethod(buffer, channel, method);
        return SendRawAsync(buffer.WrittenSpan.ToArray());
    }

    public Task PublishAsync(ushort channel, string exchange, string routingKey, string body, Action<PropertiesBuilder>? properties = null, bool mandatory = false) =>
        PublishAsync(channel, exchange, routingKey, System.Text.Encoding.UTF8.GetBytes(body), properties, mandatory);

    public Task PublishAsync(ushort channel, string exchange, string routingKey, byte[] body, Action<PropertiesBuilder>? properties = null, bool mandatory = false)
    {
        using var buffer = new PooledBuffer();
        AddPublish(buffer, channel, exchange, routingKey, body, properties, mandatory);
        return SendRawAsync(buffer.WrittenSpan.ToArray());
    }

    public void AddPublish(PooledBuffer buffer, ushort channel, string exchange, string routingKey, byte[] body, Action<PropertiesBuilder>? properties = null, bool mandatory = false)
    {
        AddMethod(buffer, channel, new BasicPublish { Exchange = exchange, RoutingKey = routingKey, Mandatory = mandatory });
        var builder = new PropertiesBuilder { DeliveryMode = 2 };
        properties?.Invoke(builder);
        ContentWriter.Write(buffer, channel, builder.Encode(), new ReadOnlySequence<byte>(body), _frameMax);
    }

    public async Task SendRawAsync(byte[] bytes) => await _toServer.Writer.WriteAsync(bytes);

    /// <summary>The next method, and its content; heartbeats are passed over.</summary>
    public async Task<Received> ReceiveAsync()
    {
        if (_aside.TryDequeue(out var kept)) return kept;
        var (header, payload) = await FrameAsync();
        Assert.Equal(FrameType.Method, header.Type);
        var reader = new WireReader(payload);
        var id = new MethodId(reader.Short(), reader.Short());
        if (id != BasicDeliver.Id && id != BasicReturn.Id && id != BasicGetOk.Id) return new Received(header.Channel, id, payload[4..], [], []);
        var (contentFrame, content) = await FrameAsync();
        Assert.Equal((FrameType.Header, header.Channel), (contentFrame.Type, contentFrame.Channel));
        var (length, properties) = Split(content);
        var body = new List<byte>();
        while (body.Count < length)
        {
            var (bodyFrame, part) = await FrameAsync();
            Assert.Equal((FrameType.Body, header.Channel), (bodyFrame.Type, bodyFrame.Channel));
            Assert.True(part.Length <= _frameMax - FrameHeader.Overhead);
            body.AddRange(part);
        }
        return new Received(header.Channel, id, payload[4..], properties, [.. body]);
    }

    /// <summary>The next method of a kind; others before it are kept for later.</summary>
    public async Task<Received> ReceiveAsync<T>()
        where T : struct, IMethod<T>
    {
        var passed = new List<Received>();
        while (true)
        {
            var next = await ReceiveAsync();
            if (next.Id == T.Id)
            {
                foreach (var one in passed) _aside.Enqueue(one);
                return next;
            }
            passed.Add(next);
        }
    }

    public async Task<(FrameHeader Header, byte[] Payload)> FrameAsync()
    {
        while (true)
        {
            var (header, payload) = await AnyFrameAsync();
            if (header.Type != FrameType.Heartbeat) return (header, payload);
        }
    }

    public async Task<(FrameHeader Header, byte[] Payload)> AnyFrameAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var result = await _toClient.Reader.ReadAsync(limit.Token);
            var bytes = result.Buffer;
            if (FrameParser.TryRead(ref bytes, 1 << 30, out var header, out var payload))
            {
                var copy = payload.ToArray();
                _toClient.Reader.AdvanceTo(bytes.Start);
                return (header, copy);
            }
            _toClient.Reader.AdvanceTo(bytes.Start, bytes.End);
            if (result.IsCompleted) throw new EndOfStreamException("The server has closed the connection.");
        }
    }

    /// <summary>All bytes up to the end of the connection.</summary>
    public async Task<byte[]> RestAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var result = await _toClient.Reader.ReadAsync(limit.Token);
            if (result.IsCompleted)
            {
                var all = result.Buffer.ToArray();
                _toClient.Reader.AdvanceTo(result.Buffer.End);
                return all;
            }
            _toClient.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    /// <summary>Ends the connection without a word.</summary>
    public async ValueTask DisposeAsync()
    {
        await _toServer.Writer.CompleteAsync();
        await _toClient.Reader.CompleteAsync();
        await _running.WaitAsync(Patience);
    }

    public static void AddMethod<T>(PooledBuffer buffer, ushort channel, T method)
        where T : struct, IMethod<T>
    {
        var start = buffer.Length;
        buffer.Write(stackalloc byte[FrameHeader.Size]);
        MethodCodec.Write(buffer, method);
        new FrameHeader(FrameType.Method, channel, buffer.Length - start - FrameHeader.Size).Write(buffer.WritableSpan[start..]);
        buffer.Write([FrameHeader.EndMark]);
    }

    private static (long Length, byte[] Properties) Split(byte[] content)
    {
        var header = ContentHeader.Read(content);
        return ((long)header.BodyLength, header.Properties.ToArray());
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>The properties of a message that a test publishes.</summary>
internal sealed class PropertiesBuilder
{
    public byte DeliveryMode { get; set; }

    public FieldTable Headers { get; set; } = FieldTable.Empty;

    public string? Expiration { get; set; }

    public string? CorrelationId { get; set; }

    public string? MessageId { get; set; }

    public string? ReplyTo { get; set; }

    public string? UserId { get; set; }

    public int Priority { get; set; } = -1;

    public byte[] Encode()
    {
        var table = new ArrayBufferWriter<byte>();
        new WireWriter(table).Fields(Headers);
        var properties = new AmqpProperties { Flags = PropertyFlags.DeliveryMode, DeliveryMode = DeliveryMode };
        if (Headers.Count > 0)
        {
            properties.Flags |= PropertyFlags.Headers;
            properties.Headers = table.WrittenSpan;
        }
        if (MessageId is not null)
        {
            properties.Flags |= PropertyFlags.MessageId;
            properties.MessageId = System.Text.Encoding.UTF8.GetBytes(MessageId);
        }
        if (Expiration is not null)
        {
            properties.Flags |= PropertyFlags.Expiration;
            properties.Expiration = System.Text.Encoding.UTF8.GetBytes(Expiration);
        }
        if (CorrelationId is not null)
        {
            properties.Flags |= PropertyFlags.CorrelationId;
            properties.CorrelationId = System.Text.Encoding.UTF8.GetBytes(CorrelationId);
        }
        if (ReplyTo is not null)
        {
            properties.Flags |= PropertyFlags.ReplyTo;
            properties.ReplyTo = System.Text.Encoding.UTF8.GetBytes(ReplyTo);
        }
        if (UserId is not null)
        {
            properties.Flags |= PropertyFlags.UserId;
            properties.UserId = System.Text.Encoding.UTF8.GetBytes(UserId);
        }
        if (Priority >= 0)
        {
            properties.Flags |= PropertyFlags.Priority;
            properties.Priority = (byte)Priority;
        }
        var encoded = new ArrayBufferWriter<byte>();
        properties.Write(new WireWriter(encoded));
        return encoded.WrittenSpan.ToArray();
    }
}
