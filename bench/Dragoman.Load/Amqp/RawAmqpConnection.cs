using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Storage.Records;

namespace Dragoman.Load.Amqp;

/// <summary>A blocking socket that carries AMQP frames, with as little between it and the measurement as can be.</summary>
internal sealed class RawAmqpConnection : IDisposable
{
    public const ushort Channel = 1;

    private readonly Socket _socket;
    private byte[] _input;
    private int _start;
    private int _end;

    private RawAmqpConnection(Socket socket, int bytes)
    {
        _socket = socket;
        _input = new byte[bytes];
    }

    /// <summary>Connects, logs in as guest and opens a channel.</summary>
    /// <param name="address">HOST:PORT.</param>
    /// <param name="heartbeat">Seconds between signs of life, which the caller sends; 0 for none.</param>
    /// <param name="bytes">Bytes to receive at once, at first.</param>
    public static RawAmqpConnection Open(string address, ushort heartbeat = 0, int bytes = 1 << 20)
    {
        var colon = address.LastIndexOf(':');
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000 };
        var connection = new RawAmqpConnection(socket, bytes);
        try
        {
            socket.Connect(address[..colon], int.Parse(address[(colon + 1)..], CultureInfo.InvariantCulture));
            connection.Send(ProtocolHeader.Bytes);
            connection.Expect(ConnectionStart.Id);
            connection.Send(0, new ConnectionStartOk { ClientProperties = FieldTable.Empty, Mechanism = "PLAIN", Response = "\0guest\0guest"u8.ToArray(), Locale = "en_US" });
            var tune = MethodCodec.Read<ConnectionTune>(connection.Expect(ConnectionTune.Id));
            connection.Send(0, new ConnectionTuneOk { ChannelMax = tune.ChannelMax, FrameMax = tune.FrameMax, Heartbeat = heartbeat });
            connection.Send(0, new ConnectionOpen { VirtualHost = "/" });
            connection.Expect(ConnectionOpenOk.Id);
            connection.Ask(default(ChannelOpen), ChannelOpenOk.Id);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends a method on the channel and waits for its answer.</summary>
    public void Ask<T>(T method, MethodId answer)
        where T : struct, IMethod<T>
    {
        Send(Channel, method);
        Expect(answer);
    }

    public void Send<T>(ushort channel, T method)
        where T : struct, IMethod<T>
    {
        using var buffer = new PooledBuffer();
        AddMethod(buffer, channel, method);
        Send(buffer.WrittenSpan);
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[_socket.Send(bytes)..];
    }

    /// <summary>The next frame; its payload is valid until the next call. False at the end.</summary>
    public bool TryReceive(out FrameHeader header, out ReadOnlySpan<byte> payload)
    {
        header = default;
        payload = default;
        if (!Fill(FrameHeader.Size)) return false;
        header = FrameHeader.Read(_input.AsSpan(_start), 1 << 30);
        if (!Fill(FrameHeader.Overhead + header.PayloadLength)) return false;
        payload = _input.AsSpan(_start + FrameHeader.Size, header.PayloadLength);
        _start += FrameHeader.Overhead + header.PayloadLength;
        return true;
    }

    /// <summary>Whether a whole frame is here already: when not, it is time to send what has gathered.</summary>
    public bool HasFrame
    {
        get
        {
            var rest = _input.AsSpan(_start, _end - _start);
            return rest.Length >= FrameHeader.Size && rest.Length >= FrameHeader.Overhead + BinaryPrimitives.ReadInt32BigEndian(rest[3..]);
        }
    }

    /// <summary>Ends both directions, so that a thread that receives ends too.</summary>
    public void Shutdown()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // The broker was first.
        }
    }

    public void Dispose() => _socket.Dispose();

    public static void AddMethod<T>(PooledBuffer buffer, ushort channel, T method)
        where T : struct, IMethod<T>
    {
        var start = buffer.Length;
        buffer.Write(stackalloc byte[FrameHeader.Size]);
        MethodCodec.Write(buffer, method);
        new FrameHeader(FrameType.Method, channel, buffer.Length - start - FrameHeader.Size).Write(buffer.WritableSpan[start..]);
        buffer.Write([FrameHeader.EndMark]);
    }

    private ReadOnlySpan<byte> Expect(MethodId id)
    {
        while (TryReceive(out var header, out var payload))
        {
            if (header.Type == FrameType.Heartbeat) continue;
            var number = BinaryPrimitives.ReadUInt32BigEndian(payload);
            if (number == id.Number) return payload[4..];
            throw new InvalidDataException($"The broker answered with method {number >> 16}.{number & 0xFFFF} where {id.Class}.{id.Method} was expected: {System.Text.Encoding.Latin1.GetString(payload)}");
        }
        throw new EndOfStreamException("The broker closed the connection.");
    }

    private bool Fill(int wanted)
    {
        while (_end - _start < wanted)
        {
            if (_start == _end) _start = _end = 0;
            if (_start + wanted > _input.Length || _end == _input.Length)
            {
                var target = wanted > _input.Length ? new byte[2 * wanted] : _input;
                _input.AsSpan(_start, _end - _start).CopyTo(target);
                _end -= _start;
                _start = 0;
                _input = target;
            }
            int count;
            try
            {
                count = _socket.Receive(_input.AsSpan(_end));
            }
            catch (SocketException) when (!_socket.Connected)
            {
                return false;
            }
            if (count == 0) return false;
            _end += count;
        }
        return true;
    }
}
