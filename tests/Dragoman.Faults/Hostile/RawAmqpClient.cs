using System.Buffers;
using System.Net;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Storage.Records;

namespace Dragoman.Faults.Hostile;

/// <summary>The sending half of an AMQP client: it says all that has to be said, and never reads an answer.</summary>
internal sealed class RawAmqpClient : IDisposable
{
    private const int FrameMax = 131072;

    private readonly RawClient _socket;
    private readonly PooledBuffer _buffer = new();

    private RawAmqpClient(RawClient socket) => _socket = socket;

    /// <summary>Connects, logs in and opens channel 1, all without waiting for the broker.</summary>
    public static async Task<RawAmqpClient> ConnectAsync(IPEndPoint broker, CancellationToken cancellation)
    {
        var client = new RawAmqpClient(await RawClient.ConnectAsync(broker, cancellation));
        client._buffer.Write(ProtocolHeader.Bytes);
        client.Add(0, new ConnectionStartOk { ClientProperties = FieldTable.Empty, Mechanism = "PLAIN", Response = "\0guest\0guest"u8.ToArray(), Locale = "en_US" });
        client.Add(0, new ConnectionTuneOk { ChannelMax = 2047, FrameMax = FrameMax, Heartbeat = 0 });
        client.Add(0, new ConnectionOpen { VirtualHost = "/" });
        client.Add(1, default(ChannelOpen));
        await client.SendAsync(cancellation);
        return client;
    }

    /// <summary>Adds a method to what is sent next.</summary>
    public void Add<T>(ushort channel, T method)
        where T : struct, IMethod<T>
    {
        var start = _buffer.Length;
        _buffer.Write(stackalloc byte[FrameHeader.Size]);
        MethodCodec.Write(_buffer, method);
        new FrameHeader(FrameType.Method, channel, _buffer.Length - start - FrameHeader.Size).Write(_buffer.WritableSpan[start..]);
        _buffer.Write([FrameHeader.EndMark]);
    }

    /// <summary>Adds a publish to what is sent next.</summary>
    public void AddPublish(string queue, byte[] body)
    {
        Add(1, new BasicPublish { Exchange = "", RoutingKey = queue });
        using var properties = new PooledBuffer();
        new AmqpProperties { DeliveryMode = 2, Flags = PropertyFlags.DeliveryMode }.Write(new WireWriter(properties));
        ContentWriter.Write(_buffer, 1, properties.WrittenSpan, new ReadOnlySequence<byte>(body), FrameMax);
    }

    /// <summary>Sends what was added, or its beginning; false if the broker has closed the connection.</summary>
    public async Task<bool> SendAsync(CancellationToken cancellation, double share = 1)
    {
        var bytes = _buffer.WrittenSpan[..(int)(_buffer.Length * share)].ToArray();
        _buffer.Clear();
        return await _socket.SendAsync(bytes, cancellation);
    }

    /// <summary>Ends the connection with a reset instead of a goodbye.</summary>
    public void Reset() => _socket.Reset();

    public void Dispose()
    {
        _socket.Dispose();
        _buffer.Dispose();
    }
}
