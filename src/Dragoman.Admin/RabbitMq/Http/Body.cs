using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dragoman.Admin.RabbitMq.Http;

/// <summary>Members of a request's body, with RabbitMQ's leniency: numbers and truth values may be texts.</summary>
internal static class Body
{
    /// <summary>Refuses a body without members that it must have.</summary>
    public static void Require(JsonObject body, params ReadOnlySpan<string> names)
    {
        List<string>? missing = null;
        foreach (var name in names)
            if (body[name] is null) (missing ??= []).Add($"{{key_missing,{name}}}");
        if (missing is not null) throw ManagementException.BadRequest($"[{string.Join(',', missing)}]");
    }

    /// <summary>A text; the fallback if it is missing.</summary>
    public static string Text(JsonObject body, string name, string fallback = "")
    {
        var value = body[name];
        if (value is null) return fallback;
        return value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : throw ManagementException.BadRequest($"{name} is {value.ToJsonString()}; it should be a string");
    }

    /// <summary>A truth value; the fallback if it is missing.</summary>
    public static bool Flag(JsonObject body, string name, bool fallback = false)
    {
        var value = body[name];
        return value?.GetValueKind() switch
        {
            null => fallback,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String when value.GetValue<string>() is "true" => true,
            JsonValueKind.String when value.GetValue<string>() is "false" or "" => false,
            _ => throw ManagementException.BadTerm("not_boolean", Plain(value)),
        };
    }

    /// <summary>A whole number.</summary>
    public static long Number(JsonObject body, string name) => Number(body[name], name);

    /// <inheritdoc cref="Number(JsonObject, string)"/>
    public static long Number(JsonNode? value, string name)
    {
        if (value is JsonValue number)
        {
            if (number.TryGetValue(out long whole)) return whole;
            if (number.TryGetValue(out string? text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out whole)) return whole;
        }
        throw ManagementException.BadTerm("not_integer", value is null ? name : Plain(value));
    }

    private static string Plain(JsonNode value) => value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();

    /// <summary>An object; an empty one if it is missing, or is the empty list that Erlang takes for one.</summary>
    public static JsonObject Table(JsonObject body, string name) => body[name] switch
    {
        null => [],
        JsonArray { Count: 0 } => [],
        JsonObject table => table,
        var other => throw ManagementException.BadRequest($"{name} is {other.ToJsonString()}; it should be an object"),
    };
}
