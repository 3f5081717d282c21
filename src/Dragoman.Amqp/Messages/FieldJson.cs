using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dragoman.Amqp.Wire;

namespace Dragoman.Amqp.Messages;

/// <summary>Tables as JSON, as RabbitMQ's management shows them: types that JSON has no word for become numbers or texts.</summary>
internal static class FieldJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a table as an object.</summary>
    public static string Write(FieldTable table)
    {
        if (table.Count == 0) return "{}";
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Options)) Write(writer, table);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, FieldTable table)
    {
        writer.WriteStartObject();
        HashSet<string>? names = null;
        foreach (var (name, value) in table.Fields)
        {
            // Of several with one name the first counts.
            if (!(names ??= new HashSet<string>(StringComparer.Ordinal)).Add(name)) continue;
            writer.WritePropertyName(name);
            Write(writer, value);
        }
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, FieldValue value)
    {
        switch (value.Type)
        {
            case FieldType.Void:
                writer.WriteNullValue();
                break;
            case FieldType.Boolean:
                writer.WriteBooleanValue(value.Bits != 0);
                break;
            case FieldType.Float or FieldType.Double when double.IsFinite(value.Real):
                writer.WriteNumberValue(value.Real);
                break;
            case FieldType.Float or FieldType.Double:
                writer.WriteStringValue(value.Real.ToString(System.Globalization.CultureInfo.InvariantCulture));
                break;
            case FieldType.Decimal:
                writer.WriteNumberValue((double)((uint)value.Bits / Math.Pow(10, value.Bits >> 32)));
                break;
            case FieldType.LongString or FieldType.Bytes:
                writer.WriteStringValue(value.Text);
                break;
            case FieldType.Array:
                writer.WriteStartArray();
                foreach (var item in value.Items) Write(writer, item);
                writer.WriteEndArray();
                break;
            case FieldType.Table:
                Write(writer, value.Table);
                break;
            default:
                writer.WriteNumberValue(value.Bits);
                break;
        }
    }
}
