using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Queues;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/consumers</c>: who consumes from queues, on which channels.</summary>
internal sealed class ConsumersResource : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/consumers").Get(ListAsync);
        table.Map("/consumers/:vhost").Get(ListAsync, Access.Visible);
    }

    /// <summary>The consumers of a queue: <c>consumer_details</c>.</summary>
    public static JsonArray Of(AdminNode node, IQueueHandle queue)
    {
        var found = new JsonArray();
        foreach (var connection in node.Connections.All)
        {
            if (connection.Namespace != queue.Name.Namespace || connection.Channels is not { } channels) continue;
            foreach (var channel in channels.List())
                foreach (var consumer in channel.Consumers)
                    if (consumer.Queue == queue.Name) found.Add(Describe(node, connection, channel, consumer));
        }
        return found;
    }

    /// <summary>Shows a consumer.</summary>
    public static JsonObject Describe(AdminNode node, LiveConnection connection, LiveChannel channel, LiveConsumer consumer)
    {
        var (host, port) = LiveConnection.Split(connection.Peer);
        return new JsonObject
        {
            ["arguments"] = JsonNode.Parse(consumer.Arguments),
            ["ack_required"] = consumer.Settles,
            ["active"] = consumer.IsActive,
            ["activity_status"] = !consumer.IsOneOfMany ? "up" : consumer.IsActive ? "single_active" : "waiting",
            ["channel_details"] = new JsonObject
            {
                ["connection_name"] = connection.Name,
                ["name"] = ChannelsResource.NameOf(connection, channel),
                ["node"] = node.RabbitMqName,
                ["number"] = channel.Number,
                ["peer_host"] = host,
                ["peer_port"] = port,
                ["user"] = ConnectionsResource.UserOf(connection),
            },
            ["consumer_tag"] = consumer.Tag,
            ["exclusive"] = consumer.IsExclusive,
            ["prefetch_count"] = consumer.Prefetch,
            ["queue"] = new JsonObject { ["name"] = consumer.Queue.Name, ["vhost"] = VirtualHosts.FromNamespace(consumer.Queue.Namespace) },
        };
    }

    private static Task ListAsync(ApiRequest request)
    {
        var entries = new List<ListEntry>();
        foreach (var connection in request.Node.Connections.All)
        {
            if (!request.Wants(connection.Namespace) || connection.Channels is not { } channels) continue;
            var vhost = VirtualHosts.FromNamespace(connection.Namespace);
            foreach (var channel in channels.List())
                foreach (var consumer in channel.Consumers) entries.Add(new ListEntry(vhost, consumer.Queue.Name, () => ValueTask.FromResult(Describe(request.Node, connection, channel, consumer))));
        }
        return request.WriteListAsync(entries);
    }
}
