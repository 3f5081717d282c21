using System.Buffers;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Routing;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Topology;

/// <summary>AMQP tables in the forms in which the broker keeps them.</summary>
internal static class Attributes
{
    /// <summary>A table as text.</summary>
    public static string WriteTable(FieldTable table)
    {
        var buffer = new ArrayBufferWriter<byte>();
        new WireWriter(buffer).Fields(table);
        return Convert.ToBase64String(buffer.WrittenSpan);
    }

    /// <summary>The table that a text is.</summary>
    public static FieldTable ReadTable(string? text) => string.IsNullOrEmpty(text) ? FieldTable.Empty : new WireReader(Convert.FromBase64String(text)).Fields();

    /// <summary>A binding's arguments as the broker matches headers with them.</summary>
    public static List<RouteArgument> ToArguments(FieldTable table)
    {
        var arguments = new List<RouteArgument>(table.Count);
        using var scratch = new PooledBuffer();
        var buffer = new ArrayBufferWriter<byte>();
        foreach (var (name, value) in table.Fields)
        {
            buffer.ResetWrittenCount();
            new WireWriter(buffer).Value(value);
            var reader = new WireReader(buffer.WrittenSpan[1..]);
            scratch.Clear();
            var text = FieldText.Write(value.Type, reader.SkipValue(value.Type), scratch);
            var type = value.Type == FieldType.LongString ? "" : ((char)value.Type).ToString();
            arguments.Add(new RouteArgument(name, type, text.Span.ToArray()));
        }
        return arguments;
    }

    /// <summary>The arguments of a binding that the broker keeps.</summary>
    public static FieldTable ToTable(IReadOnlyList<RouteArgument> arguments)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(buffer);
        foreach (var argument in arguments)
        {
            writer.ShortString(argument.Name);
            var isNothing = argument.Type == "V";
            FieldText.Read(writer, System.Text.Encoding.ASCII.GetBytes(argument.Type), isNothing ? default : (NullableBytes)argument.Value.Span);
        }
        return new WireReader(buffer.WrittenSpan).Fields();
    }
}
