using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Resources;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>
/// Takes definitions in, in the order in which things depend on each other. Queues and exchanges that are there stay as they
/// are; what is said of users, virtual hosts, permissions, parameters and policies replaces what was said. The first thing
/// that cannot be taken in ends it, and what came before stays.
/// </summary>
internal sealed class DefinitionsImport(ApiRequest request)
{
    private Broker.Broker Broker => request.Broker;

    /// <summary>Takes definitions in.</summary>
    /// <param name="document">The definitions.</param>
    /// <param name="only">The virtual host that all of them are for; null where each says.</param>
    /// <exception cref="ManagementException">Something cannot be taken in.</exception>
    public async Task RunAsync(JsonObject document, NamespaceName? only)
    {
        if (only is null)
        {
            // The first user has to be an administrator: from then on somebody has to let the others in.
            foreach (var user in Items(document, "users").OrderBy(static u => IsAdministrator(u) ? 0 : 1)) await About("user", user, () => UserAsync(user));
            foreach (var vhost in Items(document, "vhosts")) await About("vhost", vhost, () => VhostAsync(vhost));
            foreach (var permission in Items(document, "permissions")) await About("permission", permission, () => PermissionAsync(permission));
            foreach (var permission in Items(document, "topic_permissions")) await About("topic permission", permission, () => TopicPermissionAsync(permission));
            foreach (var parameter in Items(document, "global_parameters"))
                await About("global parameter", parameter, async () => ParameterJson.Succeeded(await Broker.Parameters.SetAsync(ParameterKey.Global(Name(parameter)), ParameterJson.ToElement(parameter["value"]), request.Cancellation)));
        }
        foreach (var parameter in Items(document, "parameters")) await About("parameter", parameter, () => ParameterAsync(parameter, only));
        foreach (var policy in Items(document, "policies")) await About("policy", policy, () => PolicyAsync(SpaceOf(policy, only), isOperator: false, Name(policy), policy));
        foreach (var queue in Items(document, "queues")) await About("queue", queue, () => QueueAsync(queue, SpaceOf(queue, only)));
        foreach (var exchange in Items(document, "exchanges")) await About("exchange", exchange, () => ExchangeAsync(exchange, SpaceOf(exchange, only)));
        foreach (var binding in Items(document, "bindings")) await About("binding", binding, () => BindingAsync(binding, SpaceOf(binding, only)));
    }

    private static IEnumerable<JsonObject> Items(JsonObject document, string name) => document[name] switch
    {
        null => [],
        JsonArray list => list.Select(item => item as JsonObject ?? throw ManagementException.BadRequest($"{name} should be a list of objects")),
        _ => throw ManagementException.BadRequest($"{name} should be a list of objects"),
    };

    /// <summary>Does something, and says what it was about if it fails.</summary>
    private static async Task About(string kind, JsonObject item, Func<Task> act)
    {
        var name = item["name"] ?? item["source"] ?? item["user"];
        var text = name?.GetValueKind() == JsonValueKind.String ? $"{kind} '{name.GetValue<string>()}'" : kind;
        try
        {
            await act();
        }
        catch (ManagementException failure) when (failure.Status < 500)
        {
            throw ManagementException.BadRequest($"{text}: {failure.Detail?.ToJsonString() ?? failure.Message}");
        }
        catch (AmqpRefusalException refused)
        {
            throw ManagementException.BadRequest($"{text}: {refused.Message}");
        }
    }

    private static bool IsAdministrator(JsonObject user) => VhostJson.ReadTags(user["tags"]).Any(static t => t!.GetValue<string>() == User.AdministratorTag);

    private static string Name(JsonObject item)
    {
        Body.Require(item, "name");
        return Body.Text(item, "name");
    }

    private NamespaceName SpaceOf(JsonObject item, NamespaceName? only)
    {
        if (only is not null) return only;
        Body.Require(item, "vhost");
        var vhost = Body.Text(item, "vhost");
        return VirtualHosts.ToNamespace(vhost) is { } space && Broker.Namespaces.Exists(space) ? space : throw ManagementException.BadRequest($"vhost '{vhost}' does not exist");
    }

    /// <summary>
    /// Who declares. An administrator asked for this, but the document may have brought the broker's first users, of whom
    /// that one is none: then one of the document's administrators stands in.
    /// </summary>
    private AmqpCaller CallerIn(NamespaceName space)
    {
        var caller = request.CallerIn(space);
        var accounts = Broker.Accounts;
        if (!accounts.IsEnabled || (caller.Identity.User is { } user && accounts.Find(user) is { IsAdministrator: true })) return caller;
        var administrator = accounts.Users.First(static u => u.IsAdministrator).Name;
        return caller with { Identity = new ClientIdentity(accounts, administrator, caller.Identity.Host), User = administrator };
    }

    private async Task UserAsync(JsonObject user)
    {
        var name = Name(user);
        await UserRules.PutAsync(Broker.Accounts, name, user);
        foreach (var (limit, value) in Body.Table(user, "limits")) ParameterJson.Succeeded(await Broker.Limits.SetUserAsync(name, limit, Body.Number(value, limit), request.Cancellation));
    }

    private async Task VhostAsync(JsonObject vhost)
    {
        var name = Name(vhost);
        // Of a virtual host that is there, a document that only names it says nothing.
        if (vhost.Count == 1 && VirtualHosts.ToNamespace(name) is { } space && Broker.Namespaces.Exists(space)) return;
        await Vhosts.PutAsync(request, name, vhost);
    }

    private async Task PermissionAsync(JsonObject permission)
    {
        Body.Require(permission, "user", "configure", "write", "read");
        var user = Body.Text(permission, "user");
        if (Broker.Accounts.Find(user) is null) throw ManagementException.BadRequest($"user '{user}' does not exist");
        await PermissionRules.PutAsync(Broker.Accounts, user, SpaceOf(permission, null), new PermissionTriple(Body.Text(permission, "configure"), Body.Text(permission, "write"), Body.Text(permission, "read")));
    }

    private async Task TopicPermissionAsync(JsonObject permission)
    {
        Body.Require(permission, "user", "exchange", "write", "read");
        var (write, read) = (PermissionRules.Pattern(Body.Text(permission, "write")), PermissionRules.Pattern(Body.Text(permission, "read")));
        UserRules.Succeeded(await Broker.Accounts.PutTopicPermissionAsync(
            new TopicPermission(Body.Text(permission, "user"), new TopicName(SpaceOf(permission, null), Body.Text(permission, "exchange")), write.Text, read.Text), request.Cancellation));
    }

    private async Task ParameterAsync(JsonObject parameter, NamespaceName? only)
    {
        Body.Require(parameter, "component");
        var (component, space) = (Body.Text(parameter, "component"), SpaceOf(parameter, only));
        // Erlang does not tell an empty object from an empty list.
        var value = parameter["value"] is JsonArray { Count: 0 } ? new JsonObject() : parameter["value"];
        if (component == PolicyJson.OperatorComponent) await PolicyAsync(space, isOperator: true, Name(parameter), Body.Table(parameter, "value"));
        else ParameterJson.Succeeded(await Broker.Parameters.SetAsync(ParameterKey.Of(space, component, Name(parameter)), ParameterJson.ToElement(value), request.Cancellation));
    }

    private async Task PolicyAsync(NamespaceName space, bool isOperator, string name, JsonObject policy)
    {
        var value = new JsonObject();
        foreach (var key in (ReadOnlySpan<string>)["pattern", "apply-to", "definition", "priority"])
            if (policy[key] is { } member) value[key] = member.DeepClone();
        ParameterJson.Succeeded(await Broker.Policies.SetAsync(space, isOperator, name, ParameterJson.ToElement(value), request.Cancellation));
    }

    private async Task QueueAsync(JsonObject queue, NamespaceName space)
    {
        var name = Name(queue);
        if (Broker.Queues.Find(new QueueName(space, name)) is null) await Queues.DeclareAsync(request, CallerIn(space), name, queue);
    }

    private async Task ExchangeAsync(JsonObject exchange, NamespaceName space)
    {
        var name = Name(exchange);
        if (Broker.Routing.Find(new TopicName(space, name)) is not { IsDeclared: true }) await Exchanges.DeclareAsync(request, CallerIn(space), name, exchange);
    }

    private async Task BindingAsync(JsonObject binding, NamespaceName space)
    {
        Body.Require(binding, "source", "destination", "destination_type");
        var kind = Body.Text(binding, "destination_type") switch
        {
            "queue" => RouteTargetKind.Queue,
            "exchange" => RouteTargetKind.Topic,
            var other => throw ManagementException.BadRequest($"destination_type is '{other}'; it should be queue or exchange"),
        };
        await request.Topology.BindAsync(CallerIn(space), Body.Text(binding, "source"), kind, Body.Text(binding, "destination"), Body.Text(binding, "routing_key"), Body.Table(binding, "arguments"));
    }
}
