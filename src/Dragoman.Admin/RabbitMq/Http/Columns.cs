using System.Text.Json.Nodes;

namespace Dragoman.Admin.RabbitMq.Http;

/// <summary>Which members of objects a request asks for: <c>columns=name,message_stats.publish</c>.</summary>
internal sealed class Columns
{
    private readonly Dictionary<string, Columns?> _wanted = new(StringComparer.Ordinal);

    /// <summary>Whether an object is wanted as it is.</summary>
    public bool IsAll { get; private init; }

    /// <summary>The columns that a request's query names.</summary>
    public static Columns Of(ApiRequest request)
    {
        if (request.Query("columns") is not { } text) return new Columns { IsAll = true };
        var columns = new Columns();
        foreach (var column in text.Split(',', StringSplitOptions.RemoveEmptyEntries)) columns.Add(column.Split('.', StringSplitOptions.RemoveEmptyEntries));
        return columns;
    }

    /// <summary>What is wanted of a value.</summary>
    public JsonNode Pick(JsonNode value)
    {
        if (IsAll) return value;
        switch (value)
        {
            case JsonObject whole:
                var part = new JsonObject();
                foreach (var (name, member) in whole)
                    if (_wanted.TryGetValue(name, out var inner)) part[name] = member is null ? null : inner is null ? member.DeepClone() : inner.Pick(member);
                return part;
            case JsonArray list:
                var picked = new JsonArray();
                foreach (var item in list) picked.Add(item is null ? null : Pick(item));
                return picked;
            default:
                return value.DeepClone();
        }
    }

    private void Add(ReadOnlySpan<string> path)
    {
        if (path.IsEmpty) return;
        if (path.Length == 1)
        {
            _wanted[path[0]] = null;
            return;
        }
        if (!_wanted.TryGetValue(path[0], out var inner)) _wanted[path[0]] = inner = new Columns();
        inner?.Add(path[1..]);
    }
}
