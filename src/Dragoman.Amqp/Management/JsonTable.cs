using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Wire;

namespace Dragoman.Amqp.Management;

/// <summary>
/// Tables from JSON and to it. JSON has fewer types, so a value gets the one that RabbitMQ gives it
/// (<c>rabbit_misc:to_amqp_table</c>): whole numbers are 64 bits wide, others are doubles.
/// </summary>
internal static class JsonTable
{
    /// <summary>The table that an object is.</summary>
    /// <exception cref="ChannelException">A name is too long.</exception>
    public static FieldTable Read(JsonObject json)
    {
        var fields = new List<KeyValuePair<string, FieldValue>>(json.Count);
        foreach (var (name, value) in json)
        {
            if (System.Text.Encoding.UTF8.GetByteCount(name) > byte.MaxValue) throw Errors.Precondition($"the name of an argument is longer than {byte.MaxValue} bytes");
            fields.Add(new(name, ReadValue(value)));
        }
        // RabbitMQ keeps tables in the order of their names.
        fields.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return new FieldTable(fields);
    }

    /// <summary>A table as an object.</summary>
    public static JsonObject Write(FieldTable table) => table.Count == 0 ? [] : JsonNode.Parse(FieldJson.Write(table))!.AsObject();

    private static FieldValue ReadValue(JsonNode? value) => value switch
    {
        null => FieldValue.OfBits(FieldType.Void, 0),
        JsonObject table => FieldValue.OfTable(Read(table)),
        JsonArray list => FieldValue.OfArray([.. list.Select(ReadValue)]),
        _ => value.GetValueKind() switch
        {
            JsonValueKind.True => FieldValue.OfBoolean(true),
            JsonValueKind.False => FieldValue.OfBoolean(false),
            JsonValueKind.Number => long.TryParse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture, out var whole)
                ? FieldValue.OfInt64(whole)
                : FieldValue.OfDouble(double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture)),
            _ => FieldValue.OfText(value.GetValue<string>()),
        },
    };
}
