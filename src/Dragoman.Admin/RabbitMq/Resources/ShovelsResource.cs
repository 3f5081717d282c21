using System.Globalization;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Links;
using Dragoman.Broker.Parameters;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary>
/// <c>/api/shovels</c>: how the shovels are (rabbit_shovel_mgmt_shovels), and what one was defined to do, which can be
/// deleted and restarted (rabbit_shovel_mgmt_shovel).
/// </summary>
internal sealed class ShovelsResource : IResource
{
    private const string Component = "shovel";

    public void Map(EndpointTable table)
    {
        table.Map("/shovels").Get(ListAsync, Access.Monitoring);
        table.Map("/shovels/:vhost").Get(ListAsync, Access.Monitoring);
        table.Map("/shovels/vhost/:vhost/:name").Get(ShowAsync, Access.Monitoring).Delete(DeleteAsync, Access.Policies);
        table.Map("/shovels/vhost/:vhost/:name/restart").Delete(RestartAsync, Access.Policies);
    }

    /// <summary>The time of a status, as RabbitMQ writes it.</summary>
    public static string TimeOf(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static Task ListAsync(ApiRequest request)
    {
        var shovels = request.Node.Links?.Shovels ?? [];
        return request.WriteListAsync([.. shovels.Where(s => request.Wants(s.Namespace)).Select(s => ListEntry.Of(Describe(request.Node, s)))]);
    }

    private static Task ShowAsync(ApiRequest request)
    {
        var parameter = request.Broker.Parameters.Find(KeyOf(request)) ?? throw ManagementException.NotFound();
        var value = (JsonObject)JsonNode.Parse(parameter.Value)!;
        foreach (var key in new[] { "src-uri", "dest-uri" })
        {
            // Whoever only watches has no business with passwords.
            if (value[key] is JsonArray several) value[key] = new JsonArray([.. several.Select(static uri => (JsonNode)Redact(uri!.GetValue<string>()))]);
            else if (value[key] is JsonValue one) value[key] = Redact(one.GetValue<string>());
        }
        return request.WriteAsync(new JsonObject { ["value"] = value, ["vhost"] = request.Vhost, ["component"] = Component, ["name"] = request["name"] });
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        var answer = await request.Broker.Parameters.RemoveAsync(KeyOf(request), request.Cancellation);
        if (answer.Status == ParameterStatus.NotFound) throw ManagementException.NotFound();
        if (answer.Status != ParameterStatus.Ok) throw ManagementException.BadRequest(answer.Message ?? answer.Status.ToString());
        await request.NoContent();
    }

    private static async Task RestartAsync(ApiRequest request)
    {
        if (request.Node.Links is not { } links || !await links.RestartShovelAsync(request.RequiredSpace, request["name"])) throw ManagementException.NotFound();
        await request.NoContent();
    }

    private static ParameterKey KeyOf(ApiRequest request) => ParameterKey.Of(request.RequiredSpace, Component, request["name"]);

    private static JsonObject Describe(AdminNode node, Shovel shovel)
    {
        var status = shovel.Status;
        var item = new JsonObject
        {
            ["node"] = node.RabbitMqName,
            ["timestamp"] = TimeOf(status.Since),
            ["name"] = shovel.Name,
            ["vhost"] = VirtualHosts.FromNamespace(shovel.Namespace),
            ["type"] = "dynamic",
            ["state"] = Text(status.State),
        };
        if (status.State == LinkState.Terminated) item["reason"] = status.Reason ?? "";
        if (status.State is LinkState.Starting or LinkState.Terminated) return item;
        Add(item, "src", shovel.Source);
        Add(item, "dest", shovel.Target);
        item["blocked_status"] = Text(status.State);
        item["remaining"] = status.Remaining < 0 ? "unlimited" : status.Remaining;
        item["remaining_unacked"] = status.Remaining < 0 ? "unlimited" : status.Remaining;
        item["pending"] = status.Pending;
        item["forwarded"] = status.Forwarded;
        item["repeated"] = status.Repeated;
        item["uncertain"] = status.Uncertain;
        return item;
    }

    /// <summary>A state as RabbitMQ spells it.</summary>
    public static string Text(LinkState state) => state switch
    {
        LinkState.Starting => "starting",
        LinkState.Running => "running",
        LinkState.Blocked => "blocked",
        _ => "terminated",
    };

    private static void Add(JsonObject item, string side, LinkEnd end)
    {
        item[$"{side}_uri"] = end.Uri;
        item[$"{side}_protocol"] = "amqp091";
        if (end.Queue is not null) item[$"{side}_queue"] = end.Queue;
        if (end.Exchange is not null) item[$"{side}_exchange"] = end.Exchange;
        if (end.Exchange is not null && end.Key is not null) item[$"{side}_exchange_key"] = end.Key;
    }

    private static string Redact(string uri)
    {
        var start = uri.IndexOf("://", StringComparison.Ordinal) + 3;
        var end = uri.IndexOfAny(['/', '?'], Math.Min(start, uri.Length));
        var at = uri.LastIndexOf('@', (end < 0 ? uri.Length : end) - 1);
        return start < 3 || at < start ? uri : uri[..start] + uri[(at + 1)..];
    }
}
