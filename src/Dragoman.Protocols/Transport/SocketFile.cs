using System.Net.Sockets;

namespace Dragoman.Protocols.Transport;

/// <summary>The file by which a Unix domain socket is found.</summary>
internal static class SocketFile
{
    /// <summary>Removes the file of a socket that nobody listens on any more: a process that was killed leaves it behind.</summary>
    /// <exception cref="IOException">Somebody listens there, or the file is no socket.</exception>
    public static void RemoveStale(string path)
    {
        if (!File.Exists(path)) return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused && new FileInfo(path).Length == 0)
        {
            File.Delete(path);
            return;
        }
        catch (SocketException error)
        {
            throw new IOException($"{path} is there and is no socket that could be taken over: {error.Message}", error);
        }
        throw new IOException($"Somebody listens on {path} already.");
    }
}
