using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Model;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/vhost-limits</c> and <c>/api/user-limits</c>: how much virtual hosts and users may have at one time.</summary>
internal sealed class Limits : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/vhost-limits").Get(ListAsync);
        table.Map("/vhost-limits/:vhost").Get(ListAsync, Access.Visible);
        table.Map("/vhost-limits/:vhost/:name").Put(PutAsync, Access.Administrator).Delete(DeleteAsync, Access.Administrator);
        table.Map("/user-limits").Get(ListUsersAsync, Access.Administrator);
        table.Map("/user-limits/:user").Get(ListUsersAsync, Access.Administrator);
        table.Map("/user-limits/:user/:name").Put(PutUserAsync, Access.Administrator).Delete(DeleteUserAsync, Access.Administrator);
    }

    /// <summary>Limits as an object.</summary>
    public static JsonObject ToJson(IReadOnlyDictionary<string, long> limits) => new(limits.Select(static l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value)));

    private static Task ListAsync(ApiRequest request)
    {
        var limits = request.Broker.Limits;
        return request.WriteListAsync([.. limits.Namespaces.Where(request.Wants).Select(space => ListEntry.Of(
            new JsonObject { ["vhost"] = VirtualHosts.FromNamespace(space), ["value"] = ToJson(limits.Of(space)) }))]);
    }

    private static async Task PutAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        if (request.Space is not { } space) throw ManagementException.NotFound("vhost_not_found");
        Body.Require(body, "value");
        ParameterJson.Succeeded(await request.Broker.Limits.SetAsync(space, request["name"], Body.Number(body, "value"), request.Cancellation));
        await request.NoContent();
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        if (request.Space is not { } space) throw ManagementException.NotFound("vhost_not_found");
        // That there is none is what was asked for.
        if (request.Broker.Limits.Of(space).ContainsKey(request["name"])) ParameterJson.Succeeded(await request.Broker.Limits.RemoveAsync(space, request["name"], request.Cancellation));
        await request.NoContent();
    }

    private static Task ListUsersAsync(ApiRequest request)
    {
        var only = request.Value("user") is null ? null : UserOf(request);
        var limits = request.Broker.Limits;
        return request.WriteListAsync([.. limits.Users.Where(user => only is null || user == only).Select(user => ListEntry.Of(
            new JsonObject { ["user"] = user, ["value"] = ToJson(limits.OfUser(user)) }, "user"))]);
    }

    private static async Task PutUserAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        var user = UserOf(request);
        Body.Require(body, "value");
        ParameterJson.Succeeded(await request.Broker.Limits.SetUserAsync(user, request["name"], Body.Number(body, "value"), request.Cancellation));
        await request.NoContent();
    }

    private static async Task DeleteUserAsync(ApiRequest request)
    {
        var user = UserOf(request);
        if (request.Broker.Limits.OfUser(user).ContainsKey(request["name"])) ParameterJson.Succeeded(await request.Broker.Limits.RemoveUserAsync(user, request["name"], request.Cancellation));
        await request.NoContent();
    }

    private static string UserOf(ApiRequest request) => (request.Broker.Accounts.Find(request["user"]) ?? throw ManagementException.NotFound()).Name;
}
