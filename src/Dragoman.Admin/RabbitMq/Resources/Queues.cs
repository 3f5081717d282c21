using System.Text;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Model;
using Dragoman.Admin.RabbitMq.Statistics;
using Dragoman.Broker.Queues;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/queues</c>: queues, and the messages in them.</summary>
internal sealed class Queues : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/queues").Get(ListAsync);
        table.Map("/queues/detailed").Get(ListAsync);
        table.Map("/queues/:vhost").Get(ListAsync, Access.Visible);
        table.Map("/queues/:vhost/:queue").Get(GetAsync, Access.Visible).Put(PutAsync).Delete(DeleteAsync);
        table.Map("/queues/:vhost/:queue/bindings").Get(BindingsAsync, Access.Visible);
        table.Map("/queues/:vhost/:queue/contents").Delete(PurgeAsync);
        table.Map("/queues/:vhost/:queue/get").Post(GetMessagesAsync);
        table.Map("/queues/:vhost/:queue/actions").Post(ActAsync, Access.Administrator);
        table.Map("/rebalance/queues").Post(RebalanceAsync, Access.Administrator);
    }

    private static Task ListAsync(ApiRequest request)
    {
        var statistics = StatisticsWriter.Of(request);
        var entries = new List<ListEntry>();
        foreach (var queue in request.Broker.Queues.List())
        {
            if (!request.Wants(queue.Name.Namespace)) continue;
            entries.Add(new ListEntry(VirtualHosts.FromNamespace(queue.Name.Namespace), queue.Name.Name, async () => await QueueJson.DescribeAsync(request, queue, statistics, inFull: false)));
        }
        return request.WriteListAsync(entries);
    }

    private static async Task GetAsync(ApiRequest request) =>
        await request.WriteAsync(await QueueJson.DescribeAsync(request, Find(request), StatisticsWriter.Of(request), inFull: true));

    private static async Task PutAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        if (await DeclareAsync(request, request.AmqpCaller, request["queue"], body)) await request.Created();
        else await request.NoContent();
    }

    /// <summary>Declares a queue as an object describes it.</summary>
    /// <returns>Whether it was made now.</returns>
    public static ValueTask<bool> DeclareAsync(ApiRequest request, AmqpCaller caller, string name, JsonObject body) =>
        request.Topology.DeclareQueueAsync(caller, name, Body.Flag(body, "durable"), Body.Flag(body, "auto_delete"), Body.Table(body, "arguments"));

    private static async Task DeleteAsync(ApiRequest request)
    {
        await request.Topology.DeleteQueueAsync(request.AmqpCaller, Find(request), request.Flag("if-unused"), request.Flag("if-empty"));
        await request.NoContent();
    }

    private static Task BindingsAsync(ApiRequest request)
    {
        var queue = Find(request);
        List<ListEntry> entries = [Things.Entry(Things.DefaultBinding(queue.Name))];
        foreach (var route in request.Broker.Routing.RoutesTo(queue)) entries.Add(Things.Entry(Things.ToJson(request.Topology, route)));
        return request.WriteListAsync(entries);
    }

    private static async Task PurgeAsync(ApiRequest request)
    {
        await request.Topology.PurgeAsync(request.AmqpCaller, Find(request));
        await request.NoContent();
    }

    /// <summary>Mirrors and replicas, which actions are about, there are none of here.</summary>
    private static async Task ActAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        if (request.Space is null) throw ManagementException.NotFound();
        Find(request);
        Body.Require(body, "action");
        if (Body.Text(body, "action") is not ("sync" or "cancel_sync") and var action) throw ManagementException.BadTerm("unknown", action);
        await request.NoContent();
    }

    /// <summary>All queues are where they can be on one node.</summary>
    private static Task RebalanceAsync(ApiRequest request) => request.NoContent();

    private static async Task GetMessagesAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        // Clients of before 3.7 say only whether messages go back.
        if (body["ackmode"] is null && body["requeue"] is not null) body["ackmode"] = Body.Flag(body, "requeue") ? "ack_requeue_true" : "ack_requeue_false";
        Body.Require(body, "ackmode", "count", "encoding");
        var mode = Body.Text(body, "ackmode") switch
        {
            "ack_requeue_false" => AmqpGetMode.Acknowledge,
            "ack_requeue_true" or "reject_requeue_true" => AmqpGetMode.Requeue,
            "reject_requeue_false" => AmqpGetMode.Reject,
            var other => throw ManagementException.BadRequest($"Invalid ackmode value: {other}. Valid values are: ack_requeue_true, ack_requeue_false, reject_requeue_true, reject_requeue_false"),
        };
        var isBase64 = Body.Text(body, "encoding") switch
        {
            "auto" => false,
            "base64" => true,
            _ => throw ManagementException.BadRequest("Unsupported encoding. Please use auto or base64."),
        };
        var most = body["truncate"] is { } truncate ? Body.Number(truncate, "truncate") : long.MaxValue;
        var name = new QueueName(request.RequiredSpace, request["queue"]);
        var queue = request.Broker.Queues.Find(name) ?? throw ManagementException.NotFound($"NOT_FOUND - no queue '{name.Name}' in vhost '{request.Vhost}'");
        var count = Math.Clamp(Body.Number(body, "count"), 0, int.MaxValue);
        var messages = new JsonArray();
        foreach (var got in await request.Topology.GetAsync(request.AmqpCaller, queue, (int)count, mode)) messages.Add(ToJson(got, isBase64, most));
        await request.WriteAsync(messages);
    }

    private static JsonObject ToJson(AmqpGot got, bool isBase64, long most)
    {
        var payload = got.Message.Body.Span[..(int)Math.Min(got.Message.Body.Length, Math.Max(0, most))];
        var isText = !isBase64 && Utf8.IsValid(payload);
        return new JsonObject
        {
            ["payload_bytes"] = got.Message.Body.Length,
            ["redelivered"] = got.IsRedelivered,
            ["exchange"] = got.Message.Exchange,
            ["routing_key"] = got.Message.RoutingKey,
            ["message_count"] = got.Left,
            // Erlang does not tell an empty object from an empty list.
            ["properties"] = got.Message.Properties.Count > 0 ? got.Message.Properties : new JsonArray(),
            ["payload"] = isText ? Encoding.UTF8.GetString(payload) : Convert.ToBase64String(payload),
            ["payload_encoding"] = isText ? "string" : "base64",
        };
    }

    private static IQueueHandle Find(ApiRequest request) => request.Broker.Queues.Find(new QueueName(request.RequiredSpace, request["queue"])) ?? throw ManagementException.NotFound();
}
