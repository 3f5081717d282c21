using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Parameters;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>Runtime parameters as the API shows them.</summary>
internal static class ParameterJson
{
    /// <summary>The global parameter that names the cluster.</summary>
    public const string ClusterNameParameter = "cluster_name";

    /// <summary>A parameter as lists show it.</summary>
    public static JsonObject Write(Parameter parameter)
    {
        var json = new JsonObject { ["value"] = JsonNode.Parse(parameter.Value) };
        if (parameter.Key.Namespace is { } space)
        {
            json["vhost"] = VirtualHosts.FromNamespace(space);
            json["component"] = parameter.Key.Component;
        }
        json["name"] = parameter.Key.Name;
        return json;
    }

    /// <summary>The cluster's name: as somebody named it, or else as the node is called.</summary>
    public static string ClusterName(AdminNode node) =>
        node.Broker.Parameters.Find(ParameterKey.Global(ClusterNameParameter)) is { } named && JsonNode.Parse(named.Value) is JsonValue value && value.TryGetValue(out string? name) ? name : node.RabbitMqName;

    /// <summary>A value as it is set.</summary>
    public static JsonElement ToElement(JsonNode? value)
    {
        using var document = JsonDocument.Parse(value?.ToJsonString() ?? "null");
        return document.RootElement.Clone();
    }

    /// <exception cref="ManagementException">The change was not made.</exception>
    public static void Succeeded(in ParameterAnswer answer)
    {
        if (answer.Status == ParameterStatus.Ok) return;
        throw answer.Status switch
        {
            ParameterStatus.NotFound => ManagementException.NotFound(),
            ParameterStatus.Invalid => ManagementException.BadRequest(answer.Message ?? "Validation failed"),
            _ => ManagementException.Unavailable(answer.Message ?? "The disk is full, or has failed."),
        };
    }
}
