using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Model;
using Dragoman.Admin.RabbitMq.Statistics;
using Dragoman.Broker.Routing;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/exchanges</c>: exchanges, which are topics that route.</summary>
internal sealed class Exchanges : IResource
{
    private const string Internal = "rmq-internal";

    public void Map(EndpointTable table)
    {
        table.Map("/exchanges").Get(ListAsync);
        table.Map("/exchanges/:vhost").Get(ListAsync, Access.Visible);
        table.Map("/exchanges/:vhost/:exchange").Get(GetAsync, Access.Visible).Put(PutAsync).Delete(DeleteAsync);
        table.Map("/exchanges/:vhost/:exchange/publish").Post(PublishAsync);
        table.Map("/exchanges/:vhost/:exchange/bindings/source").Get(r => BindingsAsync(r, from: true), Access.Visible);
        table.Map("/exchanges/:vhost/:exchange/bindings/destination").Get(r => BindingsAsync(r, from: false), Access.Visible);
    }

    private static Task ListAsync(ApiRequest request)
    {
        var statistics = StatisticsWriter.Of(request);
        var entries = new List<ListEntry>();
        foreach (var space in request.Broker.Namespaces.List())
        {
            if (!request.Wants(space.Name)) continue;
            var vhost = VirtualHosts.FromNamespace(space.Name);
            foreach (var exchange in Things.ExchangesIn(request.Broker, space.Name))
                entries.Add(new ListEntry(vhost, exchange.Name.Name, () => ValueTask.FromResult(Describe(request, exchange, statistics))));
        }
        return request.WriteListAsync(entries);
    }

    private static Task GetAsync(ApiRequest request)
    {
        var json = Describe(request, Find(request), StatisticsWriter.Of(request));
        json["incoming"] = new JsonArray();
        json["outgoing"] = new JsonArray();
        return request.WriteAsync(json);
    }

    private static async Task PutAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        if (await DeclareAsync(request, request.AmqpCaller, request["exchange"], body)) await request.Created();
        else await request.NoContent();
    }

    /// <summary>Declares an exchange as an object describes it.</summary>
    /// <returns>Whether it was made now.</returns>
    public static ValueTask<bool> DeclareAsync(ApiRequest request, AmqpCaller caller, string name, JsonObject body) => request.Topology.DeclareExchangeAsync(
        caller, Things.NameOf(name), Body.Text(body, "type", ExchangeTypes.Direct), Body.Flag(body, "durable"), Body.Flag(body, "auto_delete"), Body.Flag(body, "internal"), Body.Table(body, "arguments"));

    private static async Task DeleteAsync(ApiRequest request)
    {
        await request.Topology.DeleteExchangeAsync(request.AmqpCaller, Find(request).Name.Name, request.Flag("if-unused"));
        await request.NoContent();
    }

    private static async Task PublishAsync(ApiRequest request)
    {
        var exchange = Things.NameOf(request["exchange"]);
        var body = await request.ReadAsync();
        Body.Require(body, "routing_key", "properties", "payload", "payload_encoding");
        if (body["payload"]!.GetValueKind() != JsonValueKind.String) throw ManagementException.BadRequest("payload_not_string");
        var (payload, encoding) = (Body.Text(body, "payload"), Body.Text(body, "payload_encoding"));
        var content = encoding switch
        {
            "string" => Encoding.UTF8.GetBytes(payload),
            "base64" => Decode(payload),
            _ => throw ManagementException.BadTerm("unsupported_encoding", encoding),
        };
        try
        {
            var isRouted = await request.Topology.PublishAsync(request.AmqpCaller, new AmqpMessage(exchange, Body.Text(body, "routing_key"), Body.Table(body, "properties"), content));
            await request.WriteAsync(new JsonObject { ["routed"] = isRouted });
        }
        catch (AmqpRefusalException refused)
        {
            throw ManagementException.BadRequest($"{refused.Code} {refused.Name} - {refused.Message}");
        }
    }

    private static Task BindingsAsync(ApiRequest request, bool from)
    {
        var exchange = Find(request);
        var routing = request.Broker.Routing;
        if (exchange.Name.Name.Length == 0)
        {
            return request.WriteListAsync(from
                ? [.. request.Broker.Queues.List().Where(q => q.Name.Namespace == request.Space).Select(static q => Things.Entry(Things.DefaultBinding(q.Name)))]
                : []);
        }
        var routes = from ? routing.RoutesFrom(exchange.Name) : routing.RoutesTo(exchange.Name);
        return request.WriteListAsync([.. routes.Select(r => Things.Entry(Things.ToJson(request.Topology, r)))]);
    }

    private static JsonObject Describe(ApiRequest request, RoutingTopic exchange, StatisticsWriter statistics)
    {
        var json = Things.ToJson(request.Topology, exchange);
        json["user_who_performed_action"] = request.Topology.UserOf(exchange.Facet) ?? Internal;
        if (exchange.Name.Name.Length > 0 && request.Broker.Policies.Match(exchange.Name) is { Policy: { } policy }) json["policy"] = policy.Name;
        statistics.Add(json, exchange.Name);
        return json;
    }

    private static RoutingTopic Find(ApiRequest request) => Things.FindExchange(request.Broker, request.RequiredSpace, request["exchange"]) ?? throw ManagementException.NotFound();

    private static byte[] Decode(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : throw ManagementException.BadTerm("not_base64", text);
    }
}
