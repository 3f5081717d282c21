using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>Accepts connections, and gives each to a loop.</summary>
internal sealed class LoopListener(LoopTransport transport, Socket socket, bool handlesOnPool, ILogger log) : IConnectionListener
{
    private long _accepted;

    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Socket accepted;
            try
            {
                accepted = await socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.OperationAborted or SocketError.Interrupted or SocketError.InvalidArgument)
            {
                return null;
            }
            catch (SocketException error)
            {
                // The client went away before it was let in, or there are no more descriptors: others may come.
                log.LogDebug(error, "A connection could not be accepted.");
                await Task.Delay(10, cancellationToken).ConfigureAwait(false);
                continue;
            }
            try
            {
                accepted.NoDelay = true;
                return new LoopConnection(transport.NextLoop(), accepted, handlesOnPool, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"L{_accepted++}"));
            }
            catch (Exception error) when (error is SocketException or IOException)
            {
                log.LogDebug(error, "A connection is gone already.");
                accepted.Dispose();
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        socket.Dispose();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return default;
    }
}
