using System.Globalization;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Statistics;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/channels</c>, and those of one connection or virtual host.</summary>
internal sealed class ChannelsResource : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/channels").Get(static request => ListAsync(request, request.Node.Connections.All));
        table.Map("/vhosts/:vhost/channels").Get(static request => ListAsync(request, request.Node.Connections.All), Access.Visible);
        table.Map("/connections/:name/channels").Get(static request => ListAsync(request, [ConnectionsResource.Find(request)]));
        table.Map("/channels/:channel").Get(DescribeAsync);
    }

    /// <summary>The name of a channel: the connection's, and its number.</summary>
    public static string NameOf(LiveConnection connection, LiveChannel channel) => $"{connection.Name} ({channel.Number.ToString(CultureInfo.InvariantCulture)})";

    private static Task ListAsync(ApiRequest request, IEnumerable<LiveConnection> connections)
    {
        var statistics = StatisticsWriter.Of(request);
        var entries = new List<ListEntry>();
        foreach (var connection in connections)
        {
            if ((request.Space is { } space && connection.Namespace != space) || !ConnectionsResource.Sees(request, connection) || connection.Channels is not { } channels) continue;
            var vhost = VirtualHosts.FromNamespace(connection.Namespace);
            foreach (var channel in channels.List()) entries.Add(new ListEntry(vhost, NameOf(connection, channel), () => ValueTask.FromResult(Describe(request, connection, channel, statistics))));
        }
        return request.WriteListAsync(entries);
    }

    private static Task DescribeAsync(ApiRequest request)
    {
        var name = request["channel"];
        foreach (var connection in request.Node.Connections.All)
        {
            if (!name.StartsWith(connection.Name, StringComparison.Ordinal) || connection.Channels is not { } channels) continue;
            foreach (var channel in channels.List())
            {
                if (NameOf(connection, channel) != name) continue;
                if (!ConnectionsResource.Sees(request, connection)) throw ManagementException.NotAuthorised("User not authorised to access channel");
                var described = Describe(request, connection, channel, StatisticsWriter.Of(request));
                described["consumer_details"] = new JsonArray([.. channel.Consumers.Select(consumer => (JsonNode)ConsumersResource.Describe(request.Node, connection, channel, consumer))]);
                described["publishes"] = new JsonArray();
                described["deliveries"] = new JsonArray();
                return request.WriteAsync(described);
            }
        }
        throw ManagementException.NotFound();
    }

    private static JsonObject Describe(ApiRequest request, LiveConnection connection, LiveChannel channel, StatisticsWriter statistics)
    {
        var (host, port) = LiveConnection.Split(connection.Peer);
        var user = ConnectionsResource.UserOf(connection);
        var described = new JsonObject
        {
            ["acks_uncommitted"] = channel.UncommittedSettlements,
            ["confirm"] = channel.Confirms,
            ["connection_details"] = new JsonObject { ["name"] = connection.Name, ["peer_host"] = host, ["peer_port"] = port },
            ["consumer_count"] = channel.Consumers.Count,
            ["global_prefetch_count"] = channel.GlobalPrefetch,
            ["messages_unacknowledged"] = channel.Unacknowledged,
            ["messages_uncommitted"] = channel.Uncommitted,
            ["messages_unconfirmed"] = channel.Unconfirmed,
            ["name"] = NameOf(connection, channel),
            ["node"] = request.Node.RabbitMqName,
            ["number"] = channel.Number,
            ["pending_raft_commands"] = 0,
            ["prefetch_count"] = channel.Prefetch,
            ["state"] = "running",
            ["transactional"] = channel.IsTransactional,
            ["user"] = user,
            ["user_who_performed_action"] = user,
            ["vhost"] = VirtualHosts.FromNamespace(connection.Namespace),
        };
        statistics.Add(described, channel);
        return described;
    }
}
