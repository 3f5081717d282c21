using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Model;
using Dragoman.Broker.Security;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/users</c>: who may log in.</summary>
internal sealed class Users : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/users").Get(r => ListAsync(r, static _ => true), Access.Administrator);
        table.Map("/users/without-permissions").Get(WithoutPermissionsAsync, Access.Administrator);
        table.Map("/users/bulk-delete").Post(BulkDeleteAsync, Access.Administrator);
        table.Map("/users/:user").Get(GetAsync, Access.Administrator).Put(PutAsync, Access.Administrator).Delete(DeleteAsync, Access.Administrator);
        table.Map("/users/:user/permissions").Get(PermissionsAsync, Access.Administrator);
        table.Map("/users/:user/topic-permissions").Get(TopicPermissionsAsync, Access.Administrator);
    }

    private static Task ListAsync(ApiRequest request, Predicate<User> picked) =>
        request.WriteListAsync([.. request.Broker.Accounts.Users.Where(u => picked(u)).Select(u => ListEntry.Of(Describe(request, u)))]);

    private static Task WithoutPermissionsAsync(ApiRequest request)
    {
        var with = PermissionRules.List(request.Broker.Accounts).Select(static p => p.User).ToHashSet(StringComparer.Ordinal);
        return ListAsync(request, u => !with.Contains(u.Name));
    }

    private static Task GetAsync(ApiRequest request) => request.WriteAsync(Describe(request, Find(request)));

    private static async Task PutAsync(ApiRequest request)
    {
        if (await UserRules.PutAsync(request.Broker.Accounts, request["user"], await request.ReadAsync())) await request.Created();
        else await request.NoContent();
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        UserRules.Succeeded(await request.Broker.Accounts.DeleteUserAsync(Find(request).Name, request.Cancellation));
        await request.NoContent();
    }

    private static async Task BulkDeleteAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        Body.Require(body, "users");
        if (body["users"] is not JsonArray users) throw ManagementException.BadRequest("users should be a list");
        var names = new List<string>();
        foreach (var user in users) names.Add(user?.GetValueKind() == JsonValueKind.String ? user.GetValue<string>() : throw ManagementException.BadRequest("users should be a list of names"));
        // RabbitMQ deletes all or, where one is not there, none.
        if (names.Find(name => request.Broker.Accounts.Find(name) is null) is { } missing) throw ManagementException.BadTerm("no_such_user", missing);
        foreach (var name in names) UserRules.Succeeded(await request.Broker.Accounts.DeleteUserAsync(name, request.Cancellation));
        await request.NoContent();
    }

    private static Task PermissionsAsync(ApiRequest request)
    {
        var name = Find(request).Name;
        return request.WriteListAsync([.. PermissionRules.List(request.Broker.Accounts).Where(p => p.User == name).Select(static p => ListEntry.Of(p.ToJson(), "user"))]);
    }

    private static Task TopicPermissionsAsync(ApiRequest request)
    {
        var name = Find(request).Name;
        return request.WriteListAsync([.. request.Broker.Accounts.TopicPermissions.Where(p => p.User == name).Select(static p => ListEntry.Of(PermissionRules.ToJson(p), "user"))]);
    }

    private static JsonObject Describe(ApiRequest request, User user)
    {
        var json = UserRules.ToJson(user);
        json["limits"] = Limits.ToJson(request.Broker.Limits.OfUser(user.Name));
        return json;
    }

    private static User Find(ApiRequest request) => request.Broker.Accounts.Find(request["user"]) ?? throw ManagementException.NotFound();
}
