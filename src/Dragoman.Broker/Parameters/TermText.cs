using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Dragoman.Broker.Parameters;

/// <summary>
/// JSON values in the words of RabbitMQ's errors, which show values as Erlang does: clients' tools match on these texts.
/// </summary>
public static class TermText
{
    /// <summary>A value as Erlang shows it.</summary>
    public static string Of(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return Binary(value.GetString()!);
            case JsonValueKind.Array:
                return $"[{string.Join(',', value.EnumerateArray().Select(Of))}]";
            case JsonValueKind.Object:
                return $"#{{{string.Join(',', value.EnumerateObject().Select(static p => $"{Binary(p.Name)} => {Of(p.Value)}"))}}}";
            default:
                return value.GetRawText();
        }
    }

    /// <summary>A property as a pair of a list of pairs.</summary>
    public static string Pair(string name, JsonElement value) => $"{{{Binary(name)},{Of(value)}}}";

    /// <summary>A text as Erlang shows binaries.</summary>
    public static string Binary(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var isPlain = true;
        foreach (var c in text) isPlain &= c is >= ' ' and < (char)127;
        if (isPlain) return $"<<\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\">>";
        foreach (var c in text)
            if (char.IsControl(c)) return $"<<{string.Join(',', Encoding.UTF8.GetBytes(text).Select(static b => b.ToString(CultureInfo.InvariantCulture)))}>>";
        return $"<<\"{text}\"/utf8>>";
    }

    /// <summary>A value without needless white space.</summary>
    internal static string Compact(JsonElement value) => JsonSerializer.Serialize(value, CompactJson.Default.JsonElement);
}
