using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dragoman.Load.Redis;

/// <summary>
/// One publisher and many subscribers of one channel, over raw sockets on one thread: requests are made once, messages
/// are counted by their bytes.
/// </summary>
internal static class FanOut
{
    private const int Batch = 16;

    // What the publisher may be ahead of the slowest subscriber, in messages: well within any limit of the server's.
    private const long Ahead = 4096;

    /// <summary>Publishes for a while.</summary>
    /// <param name="server">Where.</param>
    /// <param name="subscribers">How many listen.</param>
    /// <param name="bytes">Bytes of a message.</param>
    /// <param name="seconds">For how long.</param>
    /// <returns>How many messages were published, and in how many seconds.</returns>
    public static (long Published, double Seconds) Run(IPEndPoint server, int subscribers, int bytes, double seconds)
    {
        const string Channel = "fan-out";
        var listeners = new List<Socket>();
        using var publisher = Connect(server);
        try
        {
            var confirmation = $"*3\r\n$9\r\nsubscribe\r\n${Channel.Length}\r\n{Channel}\r\n:1\r\n".Length;
            for (var i = 0; i < subscribers; i++)
            {
                var listener = Connect(server);
                listeners.Add(listener);
                listener.Send(Encoding.ASCII.GetBytes($"*2\r\n$9\r\nSUBSCRIBE\r\n${Channel.Length}\r\n{Channel}\r\n"));
                for (var got = 0; got < confirmation;) got += Receive(listener, new byte[confirmation - got]);
            }
            var payload = new string('x', bytes);
            var one = $"*3\r\n$7\r\nPUBLISH\r\n${Channel.Length}\r\n{Channel}\r\n${bytes}\r\n{payload}\r\n";
            var request = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(one, Batch)));
            var message = $"*3\r\n$7\r\nmessage\r\n${Channel.Length}\r\n{Channel}\r\n${bytes}\r\n{payload}\r\n".Length;
            var reply = $":{subscribers.ToString(CultureInfo.InvariantCulture)}\r\n".Length;
            return Run(publisher, listeners, request, message, reply, seconds);
        }
        finally
        {
            foreach (var listener in listeners) listener.Dispose();
        }
    }

    private static (long Published, double Seconds) Run(Socket publisher, List<Socket> listeners, byte[] request, int message, int reply, double seconds)
    {
        var buffer = new byte[256 << 10];
        var received = new Dictionary<Socket, long>();
        foreach (var listener in listeners) received[listener] = 0;
        long sent = 0, answered = 0, slowest = 0;
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var isOver = Stopwatch.GetElapsedTime(start).TotalSeconds >= seconds;
            if (!isOver && sent - answered / reply < 16 * Batch && sent - slowest < Ahead)
            {
                publisher.Send(request);
                sent += Batch;
            }
            if (isOver && slowest >= sent && answered >= sent * reply) return (sent, Stopwatch.GetElapsedTime(start).TotalSeconds);
            var ready = new List<Socket>(listeners) { publisher };
            Socket.Select(ready, null, null, sent - slowest < Ahead && !isOver ? 0 : 100_000);
            foreach (var socket in ready)
            {
                var count = Receive(socket, buffer);
                if (socket == publisher) answered += count;
                else received[socket] += count;
            }
            slowest = long.MaxValue;
            foreach (var count in received.Values) slowest = Math.Min(slowest, count / message);
        }
    }

    private static int Receive(Socket socket, byte[] buffer)
    {
        var count = socket.Receive(buffer);
        return count > 0 ? count : throw new IOException("The server has closed a connection.");
    }

    private static Socket Connect(IPEndPoint server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(server);
        return socket;
    }
}
