using System.Text.Json.Nodes;
using Dragoman.Broker.Policies;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>Policies as the API shows them.</summary>
internal static class PolicyJson
{
    /// <summary>The component under which RabbitMQ's definitions hold operator policies.</summary>
    public const string OperatorComponent = "operator_policy";

    /// <summary>A policy as lists and definitions show it.</summary>
    public static JsonObject Write(Policy policy)
    {
        var json = Value(policy);
        json["vhost"] = VirtualHosts.FromNamespace(policy.Namespace);
        json["name"] = policy.Name;
        return json;
    }

    /// <summary>A policy without its name and virtual host.</summary>
    public static JsonObject Value(Policy policy) => new()
    {
        ["pattern"] = policy.Pattern,
        ["apply-to"] = PolicyTargets.NameOf(policy.ApplyTo),
        ["definition"] = JsonNode.Parse(policy.Definition),
        ["priority"] = policy.Priority,
    };

    /// <summary>What policies say of something, in one object.</summary>
    public static JsonObject Definition(PolicyMatch match) => new(match.Definition.Select(static d => KeyValuePair.Create(d.Key, JsonNode.Parse(d.Value.GetRawText()))));
}
