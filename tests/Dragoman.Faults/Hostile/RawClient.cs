using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Dragoman.Faults.Hostile;

/// <summary>A socket that sends what no client library would.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket;

    private RawClient(Socket socket) => _socket = socket;

    public static async Task<RawClient> ConnectAsync(IPEndPoint broker, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(broker, cancellation);
            return new RawClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends bytes. False if the broker has closed the connection, which it may do at any time.</summary>
    public async Task<bool> SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            while (bytes.Length > 0) bytes = bytes[await _socket.SendAsync(bytes, cancellation)..];
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Waits until the broker closes the connection, whatever it says before.</summary>
    public async Task WaitForCloseAsync(CancellationToken cancellation)
    {
        var buffer = new byte[4096];
        try
        {
            while (await _socket.ReceiveAsync(buffer, cancellation) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset ends it as well.
        }
    }

    /// <summary>Ends the connection with a reset instead of a goodbye.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    /// <summary>The first bytes of a Kafka request: its length, which is only claimed, and its header.</summary>
    public static byte[] RequestHead(int length, short key, short version)
    {
        var head = new byte[14];
        BinaryPrimitives.WriteInt32BigEndian(head, length);
        BinaryPrimitives.WriteInt16BigEndian(head.AsSpan(4), key);
        BinaryPrimitives.WriteInt16BigEndian(head.AsSpan(6), version);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(8), 1);
        BinaryPrimitives.WriteInt16BigEndian(head.AsSpan(12), -1);
        return head;
    }

    public void Dispose() => _socket.Dispose();
}
