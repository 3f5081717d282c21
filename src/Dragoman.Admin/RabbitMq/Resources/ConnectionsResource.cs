using System.Security.Authentication;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Statistics;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary>
/// <c>/api/connections</c>: the connections of all protocols. Who does not watch the node sees those of the own name; who
/// closes one may say why in the header <c>X-Reason</c>.
/// </summary>
internal sealed class ConnectionsResource : IResource
{
    private const string DefaultReason = "Closed via management plugin";

    public void Map(EndpointTable table)
    {
        table.Map("/connections").Get(ListAsync);
        table.Map("/vhosts/:vhost/connections").Get(ListAsync, Access.Visible);
        table.Map("/connections/:name").Get(static request => request.WriteAsync(Describe(Find(request), StatisticsWriter.Of(request), request.Node))).Delete(Close);
        table.Map("/connections/username/:user").Get(ListOfUserAsync).Delete(CloseAllOfUser);
    }

    /// <summary>The connection of a path, if the user may see it.</summary>
    /// <exception cref="ManagementException">There is none, or it is another user's.</exception>
    public static LiveConnection Find(ApiRequest request)
    {
        var connection = request.Node.Connections.Find(request["name"]) ?? throw ManagementException.NotFound();
        return Sees(request, connection) ? connection : throw ManagementException.NotAuthorised("User not authorised to access connection");
    }

    /// <summary>Whether the user may see a connection.</summary>
    public static bool Sees(ApiRequest request, LiveConnection connection) => request.Caller.IsMonitor || UserOf(connection) == request.Caller.Name;

    /// <summary>The user's name as lists have it: there is one, always.</summary>
    public static string UserOf(LiveConnection connection) => connection.User ?? "anonymous";

    private static Task ListAsync(ApiRequest request)
    {
        var statistics = StatisticsWriter.Of(request);
        var entries = new List<ListEntry>();
        foreach (var connection in Visible(request)) entries.Add(new ListEntry(VirtualHosts.FromNamespace(connection.Namespace), connection.Name, () => ValueTask.FromResult(Describe(connection, statistics, request.Node))));
        return request.WriteListAsync(entries);
    }

    private static Task ListOfUserAsync(ApiRequest request)
    {
        var entries = new List<ListEntry>();
        foreach (var connection in Visible(request))
        {
            if (UserOf(connection) != request["user"]) continue;
            var vhost = VirtualHosts.FromNamespace(connection.Namespace);
            entries.Add(ListEntry.Of(new JsonObject { ["name"] = connection.Name, ["vhost"] = vhost, ["user"] = UserOf(connection), ["node"] = request.Node.RabbitMqName }));
        }
        return request.WriteListAsync(entries);
    }

    private static IEnumerable<LiveConnection> Visible(ApiRequest request)
    {
        foreach (var connection in request.Node.Connections.All)
            if ((request.Space is not { } space || connection.Namespace == space) && Sees(request, connection)) yield return connection;
    }

    private static Task Close(ApiRequest request)
    {
        var connection = request.Node.Connections.Find(request["name"]) ?? throw ManagementException.NotFound();
        RequireOwner(request, UserOf(connection));
        connection.Close(ReasonOf(request));
        return request.NoContent();
    }

    private static Task CloseAllOfUser(ApiRequest request)
    {
        RequireOwner(request, request["user"]);
        foreach (var connection in request.Node.Connections.All)
            if (UserOf(connection) == request["user"]) connection.Close(ReasonOf(request));
        return request.NoContent();
    }

    private static void RequireOwner(ApiRequest request, string user)
    {
        if (!request.Caller.IsAdministrator && user != request.Caller.Name) throw ManagementException.NotAuthorised("User not authorised to access connection");
    }

    private static string ReasonOf(ApiRequest request) => request.Http.Request.Headers["X-Reason"].ToString() is { Length: > 0 } given ? given : DefaultReason;

    private static JsonObject Describe(LiveConnection connection, StatisticsWriter statistics, AdminNode node)
    {
        var (host, port) = LiveConnection.Split(connection.Local);
        var (peerHost, peerPort) = LiveConnection.Split(connection.Peer);
        var isTls = connection.Tls != SslProtocols.None;
        var described = new JsonObject
        {
            ["auth_mechanism"] = connection.Mechanism,
            ["channel_max"] = connection.ChannelMax,
            ["channels"] = connection.Channels?.Count ?? 0,
            ["client_properties"] = JsonNode.Parse(connection.ClientProperties),
            ["connected_at"] = connection.ConnectedAt.ToUnixTimeMilliseconds(),
            ["frame_max"] = connection.FrameMax,
            ["host"] = host,
            ["name"] = connection.Name,
            ["node"] = node.RabbitMqName,
            ["peer_cert_issuer"] = null,
            ["peer_cert_subject"] = connection.PeerCertificate,
            ["peer_cert_validity"] = null,
            ["peer_host"] = peerHost,
            ["peer_port"] = peerPort,
            ["port"] = port,
            ["protocol"] = connection.Protocol,
            ["send_pend"] = 0,
            ["ssl"] = isTls,
            ["ssl_cipher"] = connection.TlsCipher,
            ["ssl_hash"] = null,
            ["ssl_key_exchange"] = null,
            ["ssl_protocol"] = isTls ? NameOf(connection.Tls) : null,
            ["state"] = connection.State,
            ["timeout"] = connection.HeartbeatSeconds,
            ["type"] = "network",
            ["user"] = UserOf(connection),
            ["user_who_performed_action"] = UserOf(connection),
            ["vhost"] = VirtualHosts.FromNamespace(connection.Namespace),
        };
        if (connection.ProvidedName is { } name) described["user_provided_name"] = name;
        statistics.Add(described, connection);
        return described;
    }

    private static string NameOf(SslProtocols tls) => tls switch
    {
        SslProtocols.Tls13 => "tlsv1.3",
        SslProtocols.Tls12 => "tlsv1.2",
        _ => "tlsv1",
    };
}
