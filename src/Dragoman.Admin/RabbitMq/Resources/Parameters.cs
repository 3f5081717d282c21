using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Model;
using Dragoman.Broker.Parameters;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/parameters</c>, <c>/api/global-parameters</c> and <c>/api/cluster-name</c>: what parts of the broker are told at run time.</summary>
internal sealed class Parameters : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/parameters").Get(ListAsync, Access.Policies);
        table.Map("/parameters/:component").Get(ListAsync, Access.Policies);
        table.Map("/parameters/:component/:vhost").Get(ListAsync, Access.Policies);
        table.Map("/parameters/:component/:vhost/:name").Get(GetAsync, Access.Policies).Put(PutAsync, Access.Policies).Delete(DeleteAsync, Access.Policies);
        table.Map("/global-parameters").Get(ListGlobalAsync, Access.Policies);
        table.Map("/global-parameters/:name").Get(GetAsync, Access.Policies).Put(PutAsync, Access.Policies).Delete(DeleteAsync, Access.Policies);
        table.Map("/cluster-name").Get(static request => request.WriteAsync(new JsonObject { ["name"] = ParameterJson.ClusterName(request.Node) })).Put(PutClusterNameAsync, Access.Administrator);
    }

    private static Task ListAsync(ApiRequest request)
    {
        var entries = new List<ListEntry>();
        foreach (var parameter in request.Broker.Parameters.List(request.Value("component")))
            if (request.Wants(parameter.Key.Namespace!)) entries.Add(ListEntry.Of(ParameterJson.Write(parameter)));
        return request.WriteListAsync(entries);
    }

    private static Task ListGlobalAsync(ApiRequest request) => request.WriteListAsync([.. request.Broker.Parameters.Global.Select(static p => ListEntry.Of(ParameterJson.Write(p)))]);

    private static Task GetAsync(ApiRequest request) =>
        request.WriteAsync(ParameterJson.Write(request.Broker.Parameters.Find(KeyOf(request)) ?? throw ManagementException.NotFound()));

    private static async Task PutAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        if (!body.ContainsKey("value")) throw ManagementException.BadRequest("[{key_missing,value}]");
        var key = KeyOf(request);
        var value = ParameterJson.ToElement(body["value"]);
        // A link of this virtual host is no way into another.
        foreach (var space in request.Broker.Parameters.ReachedBy(key, value))
            if (!request.Caller.MayEnter(space)) throw ManagementException.BadRequest($"Validation failed\n\nuser \"{request.Caller.Name}\" may not connect to vhost \"{VirtualHosts.FromNamespace(space)}\"\n");
        var isNew = request.Broker.Parameters.Find(key) is null;
        ParameterJson.Succeeded(await request.Broker.Parameters.SetAsync(key, value, request.Cancellation));
        if (isNew) await request.Created();
        else await request.NoContent();
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        ParameterJson.Succeeded(await request.Broker.Parameters.RemoveAsync(KeyOf(request), request.Cancellation));
        await request.NoContent();
    }

    private static async Task PutClusterNameAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        Body.Require(body, "name");
        if (body["name"]!.GetValueKind() != JsonValueKind.String) throw ManagementException.BadRequest("name should be a string");
        ParameterJson.Succeeded(await request.Broker.Parameters.SetAsync(ParameterKey.Global(ParameterJson.ClusterNameParameter), ParameterJson.ToElement(body["name"]), request.Cancellation));
        await request.NoContent();
    }

    private static ParameterKey KeyOf(ApiRequest request) =>
        request.Value("component") is { } component ? ParameterKey.Of(request.RequiredSpace, component, request["name"]) : ParameterKey.Global(request["name"]);
}
