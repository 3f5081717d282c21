using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Dragoman.Protocols.Connections;

/// <summary>
/// Lists each connection of a listener for as long as it is served. The front end finds what it is listed as among the
/// connection's features.
/// </summary>
internal sealed class ConnectionListing(ConnectionDelegate next, ConnectionRegistry registry, string protocol)
{
    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        var live = registry.Add(protocol, connection.LocalEndPoint, connection.RemoteEndPoint, reason => connection.Abort(new ConnectionAbortedException(reason)));
        if (connection.Features.Get<ITlsHandshakeFeature>() is { } tls)
        {
            live.Tls = tls.Protocol;
            live.TlsCipher = tls.NegotiatedCipherSuite?.ToString();
        }
        if (connection.Features.Get<ITlsConnectionFeature>() is { } secured)
        {
            if (live.Tls == SslProtocols.None) live.Tls = SslProtocols.Tls13;
            live.PeerCertificate = secured.ClientCertificate?.Subject;
        }
        connection.Features.Set(live);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            registry.Remove(live);
        }
    }
}
