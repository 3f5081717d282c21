using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Statistics;
using Dragoman.Admin.Statistics;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Routing;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/overview</c>: the node at a glance, what it counts, and where it listens.</summary>
internal sealed class OverviewResource : IResource
{
    private static readonly string[] PredeclaredExchanges = ["", "amq.direct", "amq.fanout", "amq.headers", "amq.match", "amq.rabbitmq.trace", "amq.topic"];

    private static readonly string[] KnownTypes = ["direct", "fanout", "headers", "topic", "x-consistent-hash", "x-delayed-message", "x-local-random", "x-modulus-hash", "x-random", "x-recent-history"];

    public void Map(EndpointTable table)
    {
        table.Map("/overview").Get(static request => request.WriteAsync(Describe(request)));
        table.Map("/rebalance/queues").Post(static request => request.NoContent(), Access.Administrator);
        table.Map("/reset").Delete(Reset, Access.Administrator);
        table.Map("/reset/:node").Delete(Reset, Access.Administrator);
    }

    /// <summary>Forgets what rates and samples are made of, as RabbitMQ's statistics database does; counters go on.</summary>
    private static Task Reset(ApiRequest request)
    {
        if (request.Value("node") is { } name && name != request.Node.RabbitMqName) throw ManagementException.NotFound();
        request.Node.Sampler.Reset();
        return request.NoContent();
    }

    private static JsonObject Describe(ApiRequest request)
    {
        var node = request.Node;
        var version = node.RabbitMqVersion;
        var overview = new JsonObject
        {
            ["management_version"] = version,
            ["rates_mode"] = "basic",
            ["sample_retention_policies"] = new JsonObject { ["global"] = List(600, 3600, 28800, 86400), ["basic"] = List(600, 3600, 28800, 86400), ["detailed"] = List(600) },
            ["exchange_types"] = ExchangeTypeList(),
            ["product_version"] = version,
            ["product_name"] = "RabbitMQ",
            ["rabbitmq_version"] = version,
            ["cluster_name"] = $"dragoman@{node.Broker.Options.NodeId}",
            ["cluster_tags"] = new JsonArray(),
            ["node_tags"] = new JsonArray(),
            // What there is in the place of Erlang, so that nobody looks for its bugs.
            ["erlang_version"] = Environment.Version.ToString(),
            ["erlang_full_version"] = $"Dragoman {node.Version} on {RuntimeInformation.FrameworkDescription}",
            ["release_series_support_status"] = "supported",
            ["disable_stats"] = false,
            ["is_op_policy_updating_enabled"] = true,
            ["enable_queue_totals"] = false,
            ["default_queue_type"] = "classic",
        };
        var statistics = StatisticsWriter.Of(request);
        if (request.Caller.IsMonitor)
        {
            Span<long> values = stackalloc long[Figures.OfNode];
            node.Figures.Read(values);
            statistics.AddTotals(overview, values);
            overview["object_totals"] = Totals(request, static _ => true);
        }
        else
        {
            statistics.AddTotals(overview, node.Figures.Namespaces.Where(request.Caller.Sees));
            overview["object_totals"] = Totals(request, request.Caller.Sees);
        }
        overview["statistics_db_event_queue"] = 0;
        overview["node"] = node.RabbitMqName;
        if (!request.Caller.IsMonitor) return overview;
        overview["listeners"] = Listeners(node);
        overview["contexts"] = Contexts(node, withNode: true);
        return overview;
    }

    /// <summary>The web contexts of the node, as <c>/api/nodes</c> has them, too.</summary>
    public static JsonArray Contexts(AdminNode node, bool withNode)
    {
        var contexts = new JsonArray();
        foreach (var listener in node.Listeners.Where(static l => l.Name == "admin"))
        {
            var (host, port) = Split(listener.Address);
            foreach (var (description, path) in ((string, string)[])[("RabbitMQ Management", "/"), ("RabbitMQ Prometheus", "/metrics")])
            {
                var context = new JsonObject { ["description"] = description, ["path"] = path, ["cowboy_opts"] = "[]", ["ip"] = host, ["port"] = port.ToString(CultureInfo.InvariantCulture) };
                if (withNode)
                {
                    context["ssl_opts"] = new JsonArray();
                    context["node"] = node.RabbitMqName;
                }
                contexts.Add(context);
            }
        }
        return contexts;
    }

    /// <summary>The types of exchanges, with what RabbitMQ calls them.</summary>
    public static JsonArray ExchangeTypeList()
    {
        var types = new JsonArray();
        foreach (var type in KnownTypes.Where(ExchangeTypes.IsKnown)) types.Add(new JsonObject { ["name"] = type, ["description"] = DescriptionOf(type), ["enabled"] = true });
        return types;
    }

    private static string DescriptionOf(string type) => type switch
    {
        "x-consistent-hash" => "Consistent Hashing Exchange",
        "x-delayed-message" => "Delayed Message Exchange.",
        "x-local-random" => "Picks one random local binding (queue) to route via (to).",
        "x-modulus-hash" => "Modulus Hashing Exchange",
        "x-random" => "Randomly picks a binding (queue) to route via (to).",
        "x-recent-history" => "Recent History Exchange.",
        _ => $"AMQP {type} exchange, as per the AMQP specification",
    };

    private static JsonObject Totals(ApiRequest request, Func<NamespaceName, bool> sees)
    {
        var node = request.Node;
        long connections = 0;
        long channels = 0;
        foreach (var connection in node.Connections.All)
        {
            if (!sees(connection.Namespace)) continue;
            connections++;
            channels += connection.Channels?.Count ?? 0;
        }
        long queues = 0;
        long consumers = 0;
        foreach (var queue in node.Broker.Queues.All)
        {
            if (!sees(queue.Name.Namespace)) continue;
            queues++;
            consumers += NodeFigures.CountsOf(queue).Consumers;
        }
        var exchanges = node.Broker.Routing.List().Count(topic => sees(topic.Name.Namespace) && !PredeclaredExchanges.Contains(topic.Name.Name)) + node.Figures.Namespaces.Count(sees) * PredeclaredExchanges.Length;
        return new JsonObject { ["channels"] = channels, ["connections"] = connections, ["consumers"] = consumers, ["exchanges"] = exchanges, ["queues"] = queues };
    }

    private static JsonArray Listeners(AdminNode node)
    {
        var listeners = new JsonArray();
        foreach (var listener in node.Listeners)
        {
            var (host, port) = Split(listener.Address);
            listeners.Add(new JsonObject
            {
                ["node"] = node.RabbitMqName,
                ["protocol"] = listener.Name == "admin" ? "http" : listener.Name,
                ["ip_address"] = host,
                ["port"] = port,
                ["socket_opts"] = new JsonObject { ["nodelay"] = true },
            });
        }
        return listeners;
    }

    private static (string Host, int Port) Split(string address) => IPEndPoint.TryParse(address, out var endpoint) ? (endpoint.Address.ToString(), endpoint.Port) : (address, 0);

    private static JsonArray List(params ReadOnlySpan<int> numbers)
    {
        var list = new JsonArray();
        foreach (var number in numbers) list.Add(number);
        return list;
    }
}
