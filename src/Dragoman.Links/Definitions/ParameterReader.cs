using System.Text.Json;

namespace Dragoman.Links.Definitions;

/// <summary>
/// Reads the value of a runtime parameter, and says what is wrong with it in RabbitMQ's words (rabbit_parameter_validation).
/// </summary>
internal sealed class ParameterReader(string name, JsonElement value, List<string> problems)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>A text; null if it is not there.</summary>
    public string? Text(string key)
    {
        if (!TryTake(key, out var found)) return null;
        if (found.ValueKind == JsonValueKind.String) return found.GetString();
        problems.Add($"{key} should be binary, actually was {Term(found)}");
        return null;
    }

    /// <summary>A number; null if it is not there.</summary>
    public double? Number(string key)
    {
        if (!TryTake(key, out var found)) return null;
        if (found.ValueKind == JsonValueKind.Number) return found.GetDouble();
        problems.Add($"{key} should be a number, actually was {Term(found)}");
        return null;
    }

    /// <summary>A truth value; null if it is not there.</summary>
    public bool? Flag(string key)
    {
        if (!TryTake(key, out var found)) return null;
        if (found.ValueKind is JsonValueKind.True or JsonValueKind.False) return found.GetBoolean();
        problems.Add($"{key} should be boolean, actually was {Term(found)}");
        return null;
    }

    /// <summary>One of some words; null if it is not there.</summary>
    public string? Choice(string key, params IReadOnlyList<string> options)
    {
        if (!TryTake(key, out var found)) return null;
        if (found.ValueKind != JsonValueKind.String) problems.Add($"{key} should be binary, actually was {Term(found)}");
        else if (options.Contains(found.GetString(), StringComparer.Ordinal)) return found.GetString();
        else problems.Add($"{key} should be one of [{string.Join(',', options.Select(o => $"<<\"{o}\">>"))}], actually was {Term(found)}");
        return null;
    }

    /// <summary>Names and values; null if it is not there.</summary>
    public IReadOnlyList<KeyValuePair<string, JsonElement>>? Table(string key)
    {
        if (!TryTake(key, out var found)) return null;
        if (found.ValueKind == JsonValueKind.Object) return [.. found.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value.Clone()))];
        // An empty list is what PHP and Erlang make of an empty table.
        if (found.ValueKind == JsonValueKind.Array && found.GetArrayLength() == 0) return [];
        problems.Add($"{key} should be a map, actually was {Term(found)}");
        return null;
    }

    /// <summary>Addresses: one, or a list to choose from.</summary>
    public IReadOnlyList<AmqpUri> Uris(string key)
    {
        if (!TryTake(key, out var found))
        {
            problems.Add($"Key \"{key}\" not found in {name}");
            return [];
        }
        var uris = new List<AmqpUri>();
        if (found.ValueKind is not (JsonValueKind.String or JsonValueKind.Array))
        {
            problems.Add($"{key} should be list, actually was {Term(found)}");
            return uris;
        }
        foreach (var item in found.ValueKind == JsonValueKind.Array ? [.. found.EnumerateArray()] : new[] { found })
        {
            if (item.ValueKind != JsonValueKind.String) problems.Add($"{key} should be list, actually was {Term(item)}");
            else if (AmqpUri.Parse(item.GetString()!, out var problem) is { } uri) uris.Add(uri);
            else problems.Add($"\"{item.GetString()}\" not a valid URI: {problem}");
        }
        if (found.ValueKind == JsonValueKind.Array && found.GetArrayLength() == 0) problems.Add($"{key} should not be an empty list");
        return uris;
    }

    /// <summary>The value itself; null if it is not there.</summary>
    public JsonElement? Any(string key) => TryTake(key, out var found) ? found : null;

    /// <summary>Complains of what nobody asked for.</summary>
    public void End()
    {
        var others = value.EnumerateObject().Where(p => !_known.Contains(p.Name)).Select(p => $"{{<<\"{p.Name}\">>,{Term(p.Value)}}}").ToList();
        if (others.Count > 0) problems.Add($"Unrecognised terms [{string.Join(',', others)}] in {name}");
    }

    /// <summary>A value as Erlang prints it.</summary>
    public static string Term(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => $"<<\"{element.GetString()}\">>",
        JsonValueKind.Array => $"[{string.Join(',', element.EnumerateArray().Select(Term))}]",
        JsonValueKind.Object => $"#{{{string.Join(',', element.EnumerateObject().Select(p => $"<<\"{p.Name}\">> => {Term(p.Value)}"))}}}",
        _ => element.GetRawText(),
    };

    private bool TryTake(string key, out JsonElement found)
    {
        _known.Add(key);
        return value.TryGetProperty(key, out found) && found.ValueKind != JsonValueKind.Null;
    }
}
