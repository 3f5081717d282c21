using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;

namespace Dragoman.Load.Kafka;

/// <summary>A socket that carries Kafka frames, with as little between it and the measurement as can be.</summary>
internal sealed class RawConnection : IDisposable
{
    /// <summary>Where the correlation id lies in a request: behind length, API key and version.</summary>
    public const int CorrelationOffset = 8;

    private readonly Socket _socket;
    private byte[] _input = new byte[256 * 1024];
    private int _start;
    private int _end;

    private RawConnection(Socket socket) => _socket = socket;

    public static async Task<RawConnection> OpenAsync(string bootstrap, CancellationToken cancellation)
    {
        var first = bootstrap.Split(',')[0];
        var colon = first.LastIndexOf(':');
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(first[..colon], int.Parse(first[(colon + 1)..], System.Globalization.CultureInfo.InvariantCulture), cancellation);
            return new RawConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty) bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellation)..];
    }

    /// <summary>The next frame, without its length; valid until the next call. Empty when the broker has closed the connection.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellation)
    {
        if (!await FillAsync(sizeof(int), cancellation)) return default;
        var length = BinaryPrimitives.ReadInt32BigEndian(_input.AsSpan(_start));
        if (length is < 4 or > 1 << 30) throw new InvalidDataException($"The broker sent a frame of {length} bytes.");
        if (!await FillAsync(sizeof(int) + length, cancellation)) throw new EndOfStreamException("The broker closed the connection inside a frame.");
        var frame = _input.AsMemory(_start + sizeof(int), length);
        _start += sizeof(int) + length;
        return frame;
    }

    private async ValueTask<bool> FillAsync(int wanted, CancellationToken cancellation)
    {
        while (_end - _start < wanted)
        {
            if (_start == _end) _start = _end = 0;
            if (_start + wanted > _input.Length || _end == _input.Length) MakeRoom(wanted);
            var count = await _socket.ReceiveAsync(_input.AsMemory(_end), SocketFlags.None, cancellation);
            if (count == 0) return false;
            _end += count;
        }
        return true;
    }

    private void MakeRoom(int wanted)
    {
        var target = wanted > _input.Length ? new byte[Math.Max(wanted, 2 * _input.Length)] : _input;
        _input.AsSpan(_start, _end - _start).CopyTo(target);
        _end -= _start;
        _start = 0;
        _input = target;
    }

    public void Dispose() => _socket.Dispose();
}
