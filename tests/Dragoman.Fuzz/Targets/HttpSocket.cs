using System.Net.Sockets;
using System.Text;

namespace Dragoman.Fuzz.Targets;

/// <summary>Requests to an HTTP server that listens on a Unix domain socket, as they are on the wire.</summary>
internal static class HttpSocket
{
    /// <summary>A request that waits for what comes is let go after a while.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long to wait for an answer before hanging up.</summary>
    private static readonly TimeSpan Hesitation = TimeSpan.FromMilliseconds(20);

    /// <summary>Sends bytes, and returns what was answered until the server hung up, or enough time had passed.</summary>
    public static async Task<string> SendAsync(string path, byte[] input)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        using var patience = new CancellationTokenSource(Patience);
        var answer = new MemoryStream();
        try
        {
            await socket.SendAsync(input, patience.Token);
            var buffer = new byte[8192];
            var hasEnded = false;
            while (answer.Length < 1 << 20)
            {
                var receiving = socket.ReceiveAsync(buffer, patience.Token).AsTask();
                // Whoever hangs up at once is not answered; and of what is damaged the server may wait for more.
                if (!hasEnded && await Task.WhenAny(receiving, Task.Delay(Hesitation)) != receiving)
                {
                    socket.Shutdown(SocketShutdown.Send);
                    hasEnded = true;
                }
                var read = await receiving;
                if (read == 0) break;
                answer.Write(buffer.AsSpan(0, read));
            }
        }
        catch (Exception gone) when (gone is SocketException or OperationCanceledException)
        {
            // Closed on us, or it waits for what comes.
        }
        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
