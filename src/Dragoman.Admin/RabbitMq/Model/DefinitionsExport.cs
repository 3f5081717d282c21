using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Resources;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Routing;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>
/// Writes definitions: what somebody declared or configured, and nothing that is there by itself. What another RabbitMQ
/// imports of it becomes what it was here.
/// </summary>
internal sealed class DefinitionsExport(AdminNode node, IAmqpTopology topology)
{
    private Broker.Broker Broker => node.Broker;

    /// <summary>Writes the definitions of a virtual host, or of all.</summary>
    public JsonObject Write(NamespaceName? only)
    {
        var isWhole = only is null;
        var document = new JsonObject { ["rabbit_version"] = node.RabbitMqVersion, ["rabbitmq_version"] = node.RabbitMqVersion, ["product_name"] = "Dragoman", ["product_version"] = node.Version };
        if (isWhole)
        {
            document["rabbitmq_definition_format"] = "cluster";
            document["original_cluster_name"] = ParameterJson.ClusterName(node);
            document["users"] = List(Broker.Accounts.Users, UserOf);
            document["vhosts"] = List(Broker.Namespaces.List(), VhostOf);
            document["permissions"] = List(PermissionRules.List(Broker.Accounts), static p => p.ToJson());
            document["topic_permissions"] = List(Broker.Accounts.TopicPermissions, PermissionRules.ToJson);
            document["global_parameters"] = List(Broker.Parameters.Global, ParameterJson.Write);
        }
        else
        {
            document["rabbitmq_definition_format"] = "single_virtual_host";
            document["original_vhost_name"] = VirtualHosts.FromNamespace(only!);
            document["metadata"] = VhostJson.Write(Broker.Namespaces.Find(only!)!)["metadata"]!.DeepClone();
            document["limits"] = Limits.ToJson(Broker.Limits.Of(only!));
        }
        // Operator policies are parameters to RabbitMQ, and in definitions stand among them.
        var parameters = List(Broker.Parameters.List(space: only), p => Without(ParameterJson.Write(p), only));
        foreach (var policy in Broker.Policies.List(isOperator: true, only)) parameters.Add(Without(OperatorPolicy(policy), only));
        document["parameters"] = parameters;
        document["policies"] = List(Broker.Policies.List(isOperator: false, only), p => Without(PolicyJson.Write(p), only));
        document["queues"] = Queues(only);
        document["exchanges"] = Exchanges(only);
        document["bindings"] = Bindings(only);
        return document;
    }

    private static JsonArray List<T>(IEnumerable<T> items, Func<T, JsonObject> write) => new([.. items.Select(i => (JsonNode)write(i))]);

    private static JsonObject OperatorPolicy(Broker.Policies.Policy policy) => new()
    {
        ["value"] = PolicyJson.Value(policy),
        ["vhost"] = VirtualHosts.FromNamespace(policy.Namespace),
        ["component"] = PolicyJson.OperatorComponent,
        ["name"] = policy.Name,
    };

    private JsonObject UserOf(Broker.Security.User user)
    {
        var json = UserRules.ToJson(user);
        json["limits"] = Limits.ToJson(Broker.Limits.OfUser(user.Name));
        return json;
    }

    private static JsonObject VhostOf(NamespaceEntry entry)
    {
        var json = VhostJson.Write(entry);
        json.Remove("protected_from_deletion");
        if ((string?)json["default_queue_type"] == "undefined") json.Remove("default_queue_type");
        return json;
    }

    private JsonArray Queues(NamespaceName? only)
    {
        var list = new JsonArray();
        foreach (var queue in Broker.Queues.List())
        {
            if (only is not null && queue.Name.Namespace != only) continue;
            var declared = topology.Describe(queue.Settings);
            // What belongs to a connection is there by that connection alone.
            if (!declared.IsExclusive) list.Add(Things.ToJson(queue, declared, withVhost: only is null));
        }
        return list;
    }

    private JsonArray Exchanges(NamespaceName? only)
    {
        var list = new JsonArray();
        foreach (var exchange in Broker.Routing.List())
            if ((only is null || exchange.Name.Namespace == only) && IsDeclared(exchange)) list.Add(Things.ToJson(topology, exchange, withVhost: only is null));
        return list;
    }

    private JsonArray Bindings(NamespaceName? only)
    {
        var list = new JsonArray();
        var exclusive = Broker.Queues.List().Where(q => topology.Describe(q.Settings).IsExclusive).Select(static q => q.Id).ToHashSet();
        foreach (var route in Resources.Bindings.All(Broker, space => only is null || space == only))
        {
            if (exclusive.Contains(route.Target.Id)) continue;
            var json = Without(Things.ToJson(topology, route), only);
            json.Remove("properties_key");
            list.Add(json);
        }
        return list;
    }

    private static bool IsDeclared(RoutingTopic exchange) => exchange.IsDeclared && !exchange.Name.Name.StartsWith("amq.", StringComparison.Ordinal);

    /// <summary>In the definitions of one virtual host nothing names it.</summary>
    private static JsonObject Without(JsonObject json, NamespaceName? only)
    {
        if (only is not null) json.Remove("vhost");
        return json;
    }
}
