using System.Globalization;
using System.Text;
using System.Text.Json;
using Dragoman.Amqp.Wire;
using RabbitMQ.Client;

namespace Dragoman.Links.Messages;

/// <summary>AMQP tables as the client library has them, as the front end has them, and as JSON has them.</summary>
internal static class Fields
{
    /// <summary>A table as the client library takes it.</summary>
    public static Dictionary<string, object?> ToDictionary(FieldTable table)
    {
        var result = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, value) in table.Fields) result.TryAdd(name, ToObject(value));
        return result;
    }

    /// <summary>A table as the front end has it.</summary>
    public static FieldTable FromDictionary(IEnumerable<KeyValuePair<string, object?>> table) =>
        new(table.Select(static pair => KeyValuePair.Create(pair.Key, FromObject(pair.Value))));

    /// <summary>A table of what JSON can say: RabbitMQ's types for it.</summary>
    public static FieldTable FromJson(IEnumerable<KeyValuePair<string, JsonElement>> table) =>
        new(table.Select(static pair => KeyValuePair.Create(pair.Key, FromJson(pair.Value))));

    private static object? ToObject(in FieldValue value) => value.Type switch
    {
        FieldType.Boolean => value.Bits != 0,
        FieldType.Int8 => (sbyte)value.Bits,
        FieldType.UInt8 => (byte)value.Bits,
        FieldType.Int16 => (short)value.Bits,
        FieldType.UInt16 => (ushort)value.Bits,
        FieldType.Int32 => (int)value.Bits,
        FieldType.UInt32 => (uint)value.Bits,
        FieldType.Int64 => value.Bits,
        FieldType.Float => (float)value.Real,
        FieldType.Double => value.Real,
        FieldType.Decimal => new decimal((int)(uint)value.Bits, 0, 0, isNegative: false, (byte)Math.Min(value.Bits >> 32, 28)),
        FieldType.LongString => value.Bytes.ToArray(),
        FieldType.Array => value.Items.Select(static item => ToObject(item)).ToList(),
        FieldType.Timestamp => new AmqpTimestamp(value.Bits),
        FieldType.Table => ToDictionary(value.Table),
        FieldType.Bytes => new BinaryTableValue(value.Bytes.ToArray()),
        _ => null,
    };

    private static FieldValue FromObject(object? value) => value switch
    {
        null => FieldValue.OfBits(FieldType.Void, 0),
        bool flag => FieldValue.OfBoolean(flag),
        sbyte number => FieldValue.OfBits(FieldType.Int8, number),
        byte number => FieldValue.OfBits(FieldType.UInt8, number),
        short number => FieldValue.OfBits(FieldType.Int16, number),
        ushort number => FieldValue.OfBits(FieldType.UInt16, number),
        int number => FieldValue.OfInt32(number),
        uint number => FieldValue.OfBits(FieldType.UInt32, number),
        long number => FieldValue.OfInt64(number),
        float number => FieldValue.OfBits(FieldType.Float, (uint)BitConverter.SingleToInt32Bits(number)),
        double number => FieldValue.OfDouble(number),
        decimal number => FromDecimal(number),
        byte[] bytes => FieldValue.OfBytes(FieldType.LongString, bytes),
        string text => FieldValue.OfText(text),
        AmqpTimestamp time => FieldValue.OfTimestamp(time.UnixTime),
        BinaryTableValue binary => FieldValue.OfBytes(FieldType.Bytes, binary.Bytes),
        IEnumerable<KeyValuePair<string, object?>> table => FieldValue.OfTable(FromDictionary(table)),
        System.Collections.IEnumerable items => FieldValue.OfArray([.. items.Cast<object?>().Select(FromObject)]),
        _ => FieldValue.OfText(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""),
    };

    private static FieldValue FromDecimal(decimal number)
    {
        Span<int> parts = stackalloc int[4];
        decimal.GetBits(number, parts);
        return FieldValue.OfBits(FieldType.Decimal, (long)(parts[3] >> 16 & 0xff) << 32 | (uint)parts[0]);
    }

    private static FieldValue FromJson(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => FieldValue.OfText(value.GetString()!),
        JsonValueKind.True or JsonValueKind.False => FieldValue.OfBoolean(value.GetBoolean()),
        JsonValueKind.Number when value.TryGetInt64(out var number) => FieldValue.OfInt64(number),
        JsonValueKind.Number => FieldValue.OfDouble(value.GetDouble()),
        JsonValueKind.Array => FieldValue.OfArray([.. value.EnumerateArray().Select(FromJson)]),
        JsonValueKind.Object => FieldValue.OfTable(new FieldTable(value.EnumerateObject().Select(static p => KeyValuePair.Create(p.Name, FromJson(p.Value))))),
        _ => FieldValue.OfBits(FieldType.Void, 0),
    };

    /// <summary>The text of a value that a table of the client library holds; null if it is none.</summary>
    public static string? TextOf(object? value) => value switch
    {
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        string text => text,
        _ => null,
    };
}
