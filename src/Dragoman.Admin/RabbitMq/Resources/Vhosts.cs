using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Model;
using Dragoman.Admin.RabbitMq.Statistics;
using Dragoman.Broker.Namespaces;
using Dragoman.Protocols.RabbitMq;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/vhosts</c>: virtual hosts, which are the broker's namespaces.</summary>
internal sealed class Vhosts : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/vhosts").Get(ListAsync);
        table.Map("/vhosts/:vhost").Get(GetAsync, Access.Visible).Put(PutAsync, Access.Administrator).Delete(DeleteAsync, Access.Administrator);
        table.Map("/vhosts/:vhost/start/:node").Post(StartAsync, Access.Administrator);
        table.Map("/vhosts/:vhost/deletion/protection").Post(r => ProtectAsync(r, true), Access.Administrator).Delete(r => ProtectAsync(r, false), Access.Administrator);
        table.Map("/vhosts/:vhost/permissions").Get(PermissionsAsync, Access.Administrator);
        table.Map("/vhosts/:vhost/topic-permissions").Get(TopicPermissionsAsync, Access.Administrator);
    }

    /// <summary>Makes a virtual host, or changes what is said of it.</summary>
    /// <returns>Whether it was made now.</returns>
    /// <exception cref="ManagementException">It cannot be.</exception>
    public static async Task<bool> PutAsync(ApiRequest request, string vhost, JsonObject body)
    {
        var space = VirtualHosts.ToNamespace(vhost) ?? throw ManagementException.BadRequest($"'{vhost}' is not a name for a virtual host");
        var entry = VhostJson.Read(body);
        var made = false;
        if (!request.Broker.Namespaces.Exists(space))
        {
            var answer = await request.Broker.Namespaces.CreateAsync(space, entry.Description, request.Cancellation);
            made = answer.Status == NamespaceStatus.Ok;
            if (!made && answer.Status != NamespaceStatus.AlreadyExists) throw Failed(answer);
        }
        var changed = await request.Broker.Namespaces.ChangeAsync(space, e => e with { Description = entry.Description, Attributes = entry.Attributes }, request.Cancellation);
        if (changed.Status != NamespaceStatus.Ok) throw Failed(changed);
        // Whoever makes a virtual host may use it.
        if (made && request.Caller.Identity.User is { } user) await PermissionRules.PutAsync(request.Broker.Accounts, user, space, new PermissionTriple(".*", ".*", ".*"));
        return made;
    }

    private static Task ListAsync(ApiRequest request)
    {
        var statistics = StatisticsWriter.Of(request);
        var entries = new List<ListEntry>();
        foreach (var entry in request.Broker.Namespaces.List())
        {
            if (!request.Caller.Sees(entry.Name)) continue;
            var name = VirtualHosts.FromNamespace(entry.Name);
            entries.Add(new ListEntry("", name, () => ValueTask.FromResult(Describe(request, entry, statistics))));
        }
        return request.WriteListAsync(entries);
    }

    private static Task GetAsync(ApiRequest request) => request.WriteAsync(Describe(request, Find(request), StatisticsWriter.Of(request)));

    private static JsonObject Describe(ApiRequest request, NamespaceEntry entry, StatisticsWriter statistics)
    {
        var json = VhostJson.Write(entry);
        json["tracing"] = entry.Attributes.GetValueOrDefault(VhostJson.Tracing) == "true";
        json["cluster_state"] = new JsonObject { [request.Node.RabbitMqName] = "running" };
        statistics.Add(json, entry.Name);
        return json;
    }

    private static async Task PutAsync(ApiRequest request)
    {
        if (await PutAsync(request, request.Vhost, await request.ReadAsync())) await request.Created();
        else await request.NoContent();
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        var entry = Find(request);
        var space = entry.Name;
        if (space == NamespaceName.Default) throw new ManagementException(StatusCodes.Status412PreconditionFailed, "precondition_failed", $"Virtual host '{request.Vhost}' is always there.");
        if (entry.Attributes.GetValueOrDefault(VhostJson.Protected) == "true")
            throw new ManagementException(StatusCodes.Status412PreconditionFailed, "precondition_failed", $"Refusing to delete virtual host '{request.Vhost}' because it is protected from deletion");
        if (request.Broker.Topics.List().FirstOrDefault(t => t.Name.Namespace == space) is { } topic)
            throw new ManagementException(StatusCodes.Status412PreconditionFailed, "precondition_failed", $"Virtual host '{request.Vhost}' holds the log of topic '{topic.Name.Name}', which is not AMQP's: delete it first");
        foreach (var connection in request.Node.Connections.All)
            if (connection.Namespace == space) connection.Close($"vhost '{request.Vhost}' is deleted");
        foreach (var exchange in request.Broker.Routing.List())
            if (exchange.Name.Namespace == space) await request.Broker.Routing.DeleteAsync(exchange.Name, cancellation: request.Cancellation);
        foreach (var queue in request.Broker.Queues.List())
            if (queue.Name.Namespace == space) await request.Broker.Queues.DeleteAsync(queue, cancellation: request.Cancellation);
        var accounts = request.Broker.Accounts;
        await accounts.RemovePermissionsAsync(p => p.Namespace == space, request.Cancellation);
        await accounts.RemoveTopicPermissionsAsync(p => p.Topic.Namespace == space, request.Cancellation);
        await request.Broker.Policies.RemoveAllAsync(space, request.Cancellation);
        await request.Broker.Parameters.RemoveAllAsync(space, request.Cancellation);
        var answer = await request.Broker.Namespaces.DeleteAsync(space, request.Cancellation);
        if (answer.Status is not (NamespaceStatus.Ok or NamespaceStatus.NotFound)) throw Failed(answer);
        await request.NoContent();
    }

    /// <summary>A virtual host that is there runs.</summary>
    private static Task StartAsync(ApiRequest request)
    {
        Find(request);
        if (request["node"] != request.Node.RabbitMqName) throw ManagementException.NotFound();
        return request.NoContent();
    }

    private static async Task ProtectAsync(ApiRequest request, bool isProtected)
    {
        var answer = await request.Broker.Namespaces.ChangeAsync(
            Find(request).Name, e => e with { Attributes = isProtected ? e.Attributes.SetItem(VhostJson.Protected, "true") : e.Attributes.Remove(VhostJson.Protected) }, request.Cancellation);
        if (answer.Status != NamespaceStatus.Ok) throw Failed(answer);
        await request.NoContent();
    }

    private static Task PermissionsAsync(ApiRequest request)
    {
        var space = Find(request).Name;
        return request.WriteListAsync([.. PermissionRules.List(request.Broker.Accounts).Where(p => p.Space == space).Select(static p => ListEntry.Of(p.ToJson(), "user"))]);
    }

    private static Task TopicPermissionsAsync(ApiRequest request)
    {
        var space = Find(request).Name;
        return request.WriteListAsync([.. request.Broker.Accounts.TopicPermissions.Where(p => p.Topic.Namespace == space).Select(static p => ListEntry.Of(PermissionRules.ToJson(p), "user"))]);
    }

    private static NamespaceEntry Find(ApiRequest request) =>
        request.Space is { } space && request.Broker.Namespaces.Find(space) is { } entry ? entry : throw ManagementException.NotFound();

    private static ManagementException Failed(NamespaceAnswer answer) => answer.Status switch
    {
        NamespaceStatus.NotFound => ManagementException.NotFound(),
        NamespaceStatus.Full or NamespaceStatus.StorageError => ManagementException.Unavailable(answer.Message ?? "The disk is full, or has failed."),
        _ => ManagementException.BadRequest(answer.Message ?? answer.Status.ToString()),
    };
}
