using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dragoman.Clients.Tests.Kafka;

/// <summary>A record as it goes to and comes from the scripts that drive clients of other languages.</summary>
/// <param name="Key">The key; null is not empty.</param>
/// <param name="Value">The value; null is not empty.</param>
internal sealed record KafkaRecord(byte[]? Key, byte[]? Value)
{
    public int? Partition { get; init; }

    public long Offset { get; init; } = -1;

    /// <summary>In milliseconds since 1970; null for now.</summary>
    public long? Timestamp { get; init; }

    /// <summary>0 where the producer set the time, 1 where the broker did; null from a client that does not tell.</summary>
    public int? TimestampType { get; init; }

    public IReadOnlyList<(string Name, byte[]? Value)> Headers { get; init; } = [];

    public string Text => Value is null ? "(null)" : Encoding.UTF8.GetString(Value);

    public static KafkaRecord Of(string? key, string? value) =>
        new(key is null ? null : Encoding.UTF8.GetBytes(key), value is null ? null : Encoding.UTF8.GetBytes(value));

    public static KafkaRecord Parse(string line)
    {
        var json = JsonNode.Parse(line)!;
        return new KafkaRecord(Bytes(json["key"]), Bytes(json["value"]))
        {
            Partition = (int)json["partition"]!,
            Offset = (long)json["offset"]!,
            Timestamp = (long)json["timestamp"]!,
            TimestampType = (int?)json["timestampType"],
            Headers = [.. json["headers"]!.AsArray().Select(h => ((string)h![0]!, Bytes(h[1])))],
        };
    }

    public string ToLine() => JsonSerializer.Serialize(new
    {
        key = Text64(Key),
        value = Text64(Value),
        partition = Partition,
        timestamp = Timestamp,
        headers = Headers.Select(h => new[] { h.Name, Text64(h.Value) }),
    });

    private static byte[]? Bytes(JsonNode? node) => node is null ? null : Convert.FromBase64String((string)node!);

    private static string? Text64(byte[]? bytes) => bytes is null ? null : Convert.ToBase64String(bytes);
}
