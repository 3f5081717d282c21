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

    // Publishes that may be under way: a few batches, so that the server always has the next.
    private const long Unanswered = 16 * Batch;

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
        using var sockets = new ReadySockets();
        int[] descriptors = [.. listeners.Select(ReadySockets.Descriptor), ReadySockets.Descriptor(publisher)];
        for (var i = 0; i < listeners.Count; i++) sockets.Add(listeners[i], i);
        sockets.Add(publisher, listeners.Count);
        var buffer = new byte[256 << 10];
        // Bytes of each listener, and last of the publisher.
        var received = new long[descriptors.Length];
        long sent = 0, answered = 0, slowest = 0;
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var isOver = Stopwatch.GetElapsedTime(start).TotalSeconds >= seconds;
            while (!isOver && sent - answered < Unanswered && sent - slowest < Ahead)
            {
                publisher.Send(request);
                sent += Batch;
            }
            if (isOver && slowest >= sent && answered >= sent) return (sent, Stopwatch.GetElapsedTime(start).TotalSeconds);
            var count = sockets.Wait(100);
            for (var i = 0; i < count; i++)
            {
                var number = sockets[i];
                received[number] += ReadySockets.Receive(descriptors[number], buffer);
            }
            answered = received[^1] / reply;
            var fewest = long.MaxValue;
            foreach (var bytes in received.AsSpan(0, listeners.Count)) fewest = Math.Min(fewest, bytes);
            slowest = fewest / message;
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
