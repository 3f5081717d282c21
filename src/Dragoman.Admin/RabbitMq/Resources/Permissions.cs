using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Model;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/permissions</c> and <c>/api/topic-permissions</c>: what users may do in virtual hosts.</summary>
internal sealed class Permissions : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/permissions").Get(ListAsync, Access.Administrator);
        table.Map("/permissions/:vhost/:user").Get(GetAsync, Access.Administrator).Put(PutAsync, Access.Administrator).Delete(DeleteAsync, Access.Administrator);
        table.Map("/topic-permissions").Get(ListTopicsAsync, Access.Administrator);
        table.Map("/topic-permissions/:vhost/:user").Get(GetTopicsAsync, Access.Administrator).Put(PutTopicAsync, Access.Administrator).Delete(DeleteTopicsAsync, Access.Administrator);
        table.Map("/topic-permissions/:vhost/:user/:exchange").Get(GetTopicsAsync, Access.Administrator).Delete(DeleteTopicsAsync, Access.Administrator);
    }

    private static Task ListAsync(ApiRequest request) =>
        request.WriteListAsync([.. PermissionRules.List(request.Broker.Accounts).Select(static p => ListEntry.Of(p.ToJson(), "user"))]);

    private static Task GetAsync(ApiRequest request) => request.WriteAsync(Find(request).ToJson());

    private static async Task PutAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        Body.Require(body, "configure", "write", "read");
        var triple = new PermissionTriple(Body.Text(body, "configure"), Body.Text(body, "write"), Body.Text(body, "read"));
        RequireEnds(request);
        var isNew = PermissionRules.Find(request.Broker.Accounts, request["user"], request.RequiredSpace) is null;
        await PermissionRules.PutAsync(request.Broker.Accounts, request["user"], request.RequiredSpace, triple);
        if (isNew) await request.Created();
        else await request.NoContent();
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        var found = Find(request);
        await PermissionRules.DeleteAsync(request.Broker.Accounts, found.User, found.Space);
        await request.NoContent();
    }

    private static Task ListTopicsAsync(ApiRequest request) =>
        request.WriteListAsync([.. request.Broker.Accounts.TopicPermissions.Select(static p => ListEntry.Of(PermissionRules.ToJson(p), "user"))]);

    private static Task GetTopicsAsync(ApiRequest request) =>
        request.WriteListAsync([.. FindTopics(request).Select(static p => ListEntry.Of(PermissionRules.ToJson(p), "user"))]);

    private static async Task PutTopicAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        Body.Require(body, "exchange", "write", "read");
        RequireEnds(request);
        var permission = new TopicPermission(request["user"], new TopicName(request.RequiredSpace, Body.Text(body, "exchange")), PermissionRules.Pattern(Body.Text(body, "write")).Text, PermissionRules.Pattern(Body.Text(body, "read")).Text);
        var isNew = !request.Broker.Accounts.TopicPermissions.Any(p => p.User == permission.User && p.Topic == permission.Topic);
        UserRules.Succeeded(await request.Broker.Accounts.PutTopicPermissionAsync(permission, request.Cancellation));
        if (isNew) await request.Created();
        else await request.NoContent();
    }

    private static async Task DeleteTopicsAsync(ApiRequest request)
    {
        var found = FindTopics(request);
        UserRules.Succeeded(await request.Broker.Accounts.RemoveTopicPermissionsAsync(found.Contains, request.Cancellation));
        await request.NoContent();
    }

    private static List<TopicPermission> FindTopics(ApiRequest request)
    {
        var exchange = request.Value("exchange");
        var found = request.Broker.Accounts.TopicPermissions.Where(p => p.User == request["user"] && p.Topic.Namespace == request.Space && (exchange is null || p.Topic.Name == exchange)).ToList();
        return found.Count > 0 ? found : throw ManagementException.NotFound();
    }

    private static VhostPermission Find(ApiRequest request) =>
        request.Space is { } space && PermissionRules.Find(request.Broker.Accounts, request["user"], space) is { } found ? found : throw ManagementException.NotFound();

    private static void RequireEnds(ApiRequest request)
    {
        if (request.Space is null || request.Broker.Accounts.Find(request["user"]) is null) throw ManagementException.BadRequest("vhost_or_user_not_found");
    }
}
