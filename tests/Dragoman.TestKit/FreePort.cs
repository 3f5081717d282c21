using System.Net;
using System.Net.Sockets;

namespace Dragoman.TestKit;

/// <summary>Ports for servers that a test starts, stops and starts again.</summary>
public static class FreePort
{
    // Below where systems take the ports of outgoing connections from. There, a client that reconnects to a stopped
    // server could be given the server's port, connect to itself, and keep the server from coming back.
    private const int First = 12_000;
    private const int End = 32_000;

    private static readonly Lock s_lock = new();
    private static readonly HashSet<int> s_given = [];

    /// <summary>A port on the loopback address that nobody listens on now, and that was not given out before.</summary>
    public static int Next()
    {
        lock (s_lock)
        {
            while (true)
            {
                var port = Random.Shared.Next(First, End);
                if (!s_given.Add(port)) continue;
                using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
                    return port;
                }
                catch (SocketException)
                {
                    // Taken.
                }
            }
        }
    }
}
