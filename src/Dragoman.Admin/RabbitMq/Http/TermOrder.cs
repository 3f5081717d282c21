using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dragoman.Admin.RabbitMq.Http;

/// <summary>Orders values as RabbitMQ does: numbers, truth values, objects, lists, texts; what is missing counts as zero.</summary>
internal sealed class TermOrder : IComparer<JsonNode?>
{
    /// <summary>The order.</summary>
    public static TermOrder Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(JsonNode? x, JsonNode? y)
    {
        var (left, right) = (Rank(x), Rank(y));
        if (left != right) return left.CompareTo(right);
        return left switch
        {
            0 => Number(x).CompareTo(Number(y)),
            1 => x!.GetValue<bool>().CompareTo(y!.GetValue<bool>()),
            4 => string.CompareOrdinal(x!.GetValue<string>(), y!.GetValue<string>()),
            _ => 0,
        };
    }

    /// <summary>The value at a path such as <c>message_stats.publish</c>; null if there is none.</summary>
    public static JsonNode? Find(JsonObject item, string path)
    {
        JsonNode? found = item;
        foreach (var name in path.Split('.', StringSplitOptions.RemoveEmptyEntries)) found = found is JsonObject inner ? inner[name] : null;
        return found;
    }

    private static int Rank(JsonNode? value) => value?.GetValueKind() switch
    {
        null or JsonValueKind.Null or JsonValueKind.Undefined or JsonValueKind.Number => 0,
        JsonValueKind.True or JsonValueKind.False => 1,
        JsonValueKind.Object => 2,
        JsonValueKind.Array => 3,
        _ => 4,
    };

    private static double Number(JsonNode? value)
    {
        if (value is not JsonValue number) return 0;
        if (number.TryGetValue(out long whole)) return whole;
        if (number.TryGetValue(out int small)) return small;
        return number.TryGetValue(out double real) ? real : 0;
    }
}
