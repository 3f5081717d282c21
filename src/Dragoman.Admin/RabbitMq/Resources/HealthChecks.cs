using System.Globalization;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Queues;
using Dragoman.Protocols.RabbitMq;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/health/checks</c>, <c>/api/healthchecks</c> and <c>/api/aliveness-test</c>: 200 where all is well, 503 where it is not.</summary>
internal sealed class HealthChecks : IResource
{
    private const string AlivenessQueue = "aliveness-test";
    private const string OneNode = "single node cluster";

    /// <summary>What listeners are called: by RabbitMQ, by its clients, and here.</summary>
    private static readonly Dictionary<string, string> Listeners = new(StringComparer.OrdinalIgnoreCase)
    {
        ["amqp"] = "amqp",
        ["amqp091"] = "amqp",
        ["amqp0.9.1"] = "amqp",
        ["amqp-0-9-1"] = "amqp",
        ["http"] = "admin",
    };

    public void Map(EndpointTable table)
    {
        table.Map("/health/checks/alarms").Get(AlarmsAsync);
        table.Map("/health/checks/local-alarms").Get(AlarmsAsync);
        table.Map("/health/checks/metadata-store/initialized").Get(GoodAsync);
        table.Map("/health/checks/metadata-store/initialized/with-data").Get(GoodAsync);
        table.Map("/health/checks/certificate-expiration/:within/:unit").Get(CertificatesAsync);
        table.Map("/health/checks/port-listener/:port").Get(PortAsync);
        table.Map("/health/checks/protocol-listener/:protocols").Get(ProtocolAsync);
        table.Map("/health/checks/virtual-hosts").Get(GoodAsync);
        table.Map("/health/checks/node-is-mirror-sync-critical").Get(static r => GoodAsync(r, OneNode));
        table.Map("/health/checks/node-is-quorum-critical").Get(static r => GoodAsync(r, OneNode));
        table.Map("/health/checks/quorum-queues-without-elected-leaders/all-vhosts").Get(GoodAsync);
        table.Map("/health/checks/quorum-queues-without-elected-leaders/all-vhosts/pattern/:pattern").Get(GoodAsync);
        table.Map("/health/checks/quorum-queues-without-elected-leaders/vhost/:vhost").Get(GoodAsync, Access.Visible);
        table.Map("/health/checks/quorum-queues-without-elected-leaders/vhost/:vhost/pattern/:pattern").Get(GoodAsync, Access.Visible);
        table.Map("/health/checks/is-in-service").Get(ReadyAsync);
        table.Map("/health/checks/ready-to-serve-clients").Get(ReadyAsync);
        table.Map("/health/checks/below-node-connection-limit").Get(static r => r.WriteAsync(new JsonObject { ["status"] = "ok", ["current"] = r.Node.Connections.Count, ["limit"] = "infinity" }));
        table.Map("/healthchecks/node").Get(NodeAsync);
        table.Map("/healthchecks/node/:node").Get(NodeAsync);
        table.Map("/aliveness-test/:vhost").Get(AliveAsync);
    }

    private static Task GoodAsync(ApiRequest request) => GoodAsync(request, null);

    private static Task GoodAsync(ApiRequest request, string? reason)
    {
        var answer = new JsonObject { ["status"] = "ok" };
        if (reason is not null) answer["reason"] = reason;
        return request.WriteAsync(answer);
    }

    private static Task FailedAsync(ApiRequest request, string reason, params ReadOnlySpan<(string Name, JsonNode Value)> more)
    {
        var answer = new JsonObject { ["status"] = "failed", ["reason"] = reason };
        foreach (var (name, value) in more) answer[name] = value;
        return request.WriteAsync(answer, StatusCodes.Status503ServiceUnavailable);
    }

    private static JsonArray Alarms(AdminNode node)
    {
        var alarms = new JsonArray();
        if (node.Broker.IsDiskFull) alarms.Add(new JsonObject { ["node"] = node.RabbitMqName, ["resource"] = "disk" });
        if (node.IsLowOnMemory()) alarms.Add(new JsonObject { ["node"] = node.RabbitMqName, ["resource"] = "memory" });
        return alarms;
    }

    private static Task AlarmsAsync(ApiRequest request)
    {
        var alarms = Alarms(request.Node);
        return alarms.Count == 0 ? GoodAsync(request) : FailedAsync(request, "There are alarms in effect in the cluster", ("alarms", alarms));
    }

    private static Task NodeAsync(ApiRequest request)
    {
        if (request.Value("node") is { } node && node != request.Node.RabbitMqName) throw ManagementException.NotFound();
        return Alarms(request.Node).Count == 0 ? GoodAsync(request) : FailedAsync(request, "resource alarm(s) in effect");
    }

    private static Task ReadyAsync(ApiRequest request) => request.Node.IsReady ? GoodAsync(request) : FailedAsync(request, "this node is not currently in service");

    private static Task CertificatesAsync(ApiRequest request)
    {
        if (!int.TryParse(request["within"], NumberStyles.None, CultureInfo.InvariantCulture, out var within)) throw ManagementException.BadRequest("Invalid expiration value.");
        var now = request.Broker.Time.GetUtcNow();
        // Beyond the calendar nothing expires later.
        if (within > 100_000) within = 100_000;
        var until = request["unit"] switch
        {
            "days" => now.AddDays(within),
            "weeks" => now.AddDays(7 * within),
            "months" => now.AddMonths(Math.Min(within, 12_000)),
            "years" => now.AddYears(Math.Min(within, 1_000)),
            _ => throw ManagementException.BadRequest("Time unit not recognised. Use: days, weeks, months, years."),
        };
        if (request.Node.CertificateEnds is not { } ends || ends > until) return GoodAsync(request);
        var expired = new JsonArray([.. request.Node.Listeners.Select(static l => (JsonNode)l.Address)]);
        return FailedAsync(request, "Certificates expiring", ("expired", expired));
    }

    private static Task PortAsync(ApiRequest request)
    {
        if (!int.TryParse(request["port"], NumberStyles.None, CultureInfo.InvariantCulture, out var port)) throw ManagementException.BadRequest("Invalid port");
        var ports = request.Node.Listeners.Select(static l => PortOf(l.Address)).Where(static p => p > 0).ToList();
        return ports.Contains(port)
            ? request.WriteAsync(new JsonObject { ["status"] = "ok", ["port"] = port })
            : FailedAsync(request, "No active listener", ("missing", port), ("ports", new JsonArray([.. ports.Select(static p => (JsonNode)p)])));
    }

    private static Task ProtocolAsync(ApiRequest request)
    {
        var wanted = request["protocols"];
        var names = request.Node.Listeners.Select(static l => l.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var protocol in wanted.Split(',', StringSplitOptions.RemoveEmptyEntries))
            if (names.Contains(Listeners.GetValueOrDefault(protocol, protocol))) return request.WriteAsync(new JsonObject { ["status"] = "ok", ["protocol"] = protocol });
        return FailedAsync(request, "No active listener", ("missing", wanted), ("protocols", new JsonArray([.. names.Select(static n => (JsonNode)(n == "admin" ? "http" : n))])));
    }

    /// <summary>Declares a queue, publishes a message to it and gets it again, all with the user's permissions.</summary>
    private static async Task AliveAsync(ApiRequest request)
    {
        var caller = request.AmqpCaller;
        await request.Topology.DeclareQueueAsync(caller, AlivenessQueue, isDurable: false, autoDelete: false, []);
        await request.Topology.PublishAsync(caller, new AmqpMessage("", AlivenessQueue, [], "test_message"u8.ToArray()));
        var queue = request.Broker.Queues.Find(new QueueName(request.RequiredSpace, AlivenessQueue)) ?? throw ManagementException.NotFound();
        // Somebody else's check may have taken this one's message; its own is there then, or was just taken, too.
        await request.Topology.GetAsync(caller, queue, 1, AmqpGetMode.Acknowledge);
        await GoodAsync(request);
    }

    private static int PortOf(string address) => int.TryParse(address.AsSpan(address.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 0;
}
