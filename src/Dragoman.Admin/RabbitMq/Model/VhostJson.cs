using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Namespaces;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>What RabbitMQ says of a virtual host, and where the namespace keeps it.</summary>
internal static class VhostJson
{
    /// <summary>Whether messages are traced.</summary>
    public const string Tracing = "amqp.tracing";

    /// <summary>Whether it cannot be deleted.</summary>
    public const string Protected = "amqp.protected";

    private const string Tags = "amqp.tags";
    private const string Undefined = "undefined";

    /// <summary>What a request says of a virtual host.</summary>
    public static (string Description, ImmutableSortedDictionary<string, string> Attributes) Read(JsonObject body)
    {
        // Definitions have all of it once more, below "metadata".
        var metadata = Body.Table(body, "metadata");
        var attributes = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var tags = ReadTags(body["tags"] ?? metadata["tags"]);
        if (tags.Count > 0) attributes[Tags] = tags.ToJsonString();
        var type = Text(body, metadata, "default_queue_type") ?? Text(body, metadata, "defaultqueuetype") ?? Undefined;
        if (type is not ("classic" or "quorum" or "stream" or Undefined or "")) throw ManagementException.BadRequest($"Unsupported default queue type: {type}");
        if (type is not (Undefined or "")) attributes[VirtualHosts.DefaultQueueTypeAttribute] = type;
        if (Body.Flag(body, "tracing")) attributes[Tracing] = "true";
        if (Body.Flag(body, "protected_from_deletion", Body.Flag(metadata, "protected_from_deletion"))) attributes[Protected] = "true";
        return (Text(body, metadata, "description") ?? "", attributes.ToImmutable());
    }

    /// <summary>What a list of virtual hosts says of one.</summary>
    public static JsonObject Write(NamespaceEntry entry)
    {
        var type = entry.Attributes.GetValueOrDefault(VirtualHosts.DefaultQueueTypeAttribute, Undefined);
        var metadata = new JsonObject { ["description"] = entry.Description, ["tags"] = TagsOf(entry) };
        if (type != Undefined) metadata["default_queue_type"] = type;
        return new JsonObject
        {
            ["name"] = VirtualHosts.FromNamespace(entry.Name),
            ["description"] = entry.Description,
            ["tags"] = TagsOf(entry),
            ["default_queue_type"] = type,
            ["protected_from_deletion"] = entry.Attributes.GetValueOrDefault(Protected) == "true",
            ["metadata"] = metadata,
        };
    }

    /// <summary>The tags of a virtual host.</summary>
    public static JsonArray TagsOf(NamespaceEntry entry) => entry.Attributes.TryGetValue(Tags, out var tags) ? JsonNode.Parse(tags)!.AsArray() : [];

    /// <summary>Tags from a list, or from a text with commas.</summary>
    public static JsonArray ReadTags(JsonNode? tags)
    {
        switch (tags)
        {
            case null:
                return [];
            case JsonArray list:
                foreach (var tag in list)
                    if (tag?.GetValueKind() != JsonValueKind.String) throw ManagementException.BadRequest("tags should be a list of strings");
                return (JsonArray)list.DeepClone();
            case JsonValue value when value.TryGetValue(out string? text):
                return [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(static t => (JsonNode)t)];
            default:
                throw ManagementException.BadRequest("tags should be a list of strings");
        }
    }

    private static string? Text(JsonObject body, JsonObject metadata, string name) => (body[name] ?? metadata[name]) switch
    {
        null => null,
        JsonValue value when value.TryGetValue(out string? text) => text,
        var other => throw ManagementException.BadRequest($"{name} is {other.ToJsonString()}; it should be a string"),
    };
}
