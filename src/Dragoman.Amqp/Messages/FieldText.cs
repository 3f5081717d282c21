using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using Dragoman.Amqp.Wire;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Messages;

/// <summary>Values of a headers table as text that any protocol can read, and back. Tables and arrays stay encoded.</summary>
internal static class FieldText
{
    /// <summary>Writes an encoded value as text.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="value">Its bytes, checked.</param>
    /// <param name="scratch">Where the text goes if it is not the bytes themselves.</param>
    /// <returns>The text; null for a value that is nothing.</returns>
    public static NullableBytes Write(FieldType type, ReadOnlySpan<byte> value, PooledBuffer scratch)
    {
        switch (type)
        {
            case FieldType.Void:
                return default;
            case FieldType.Boolean:
                return value[0] != 0 ? "true"u8 : "false"u8;
            case FieldType.Int8:
                return Number(scratch, (sbyte)value[0]);
            case FieldType.UInt8:
                return Number(scratch, value[0]);
            case FieldType.Int16:
                return Number(scratch, BinaryPrimitives.ReadInt16BigEndian(value));
            case FieldType.UInt16:
                return Number(scratch, BinaryPrimitives.ReadUInt16BigEndian(value));
            case FieldType.Int32:
                return Number(scratch, BinaryPrimitives.ReadInt32BigEndian(value));
            case FieldType.UInt32:
                return Number(scratch, BinaryPrimitives.ReadUInt32BigEndian(value));
            case FieldType.Int64 or FieldType.Timestamp or (FieldType)'L':
                return Number(scratch, BinaryPrimitives.ReadInt64BigEndian(value));
            case FieldType.Float:
                return Real(scratch, BinaryPrimitives.ReadSingleBigEndian(value));
            case FieldType.Double:
                return Real(scratch, BinaryPrimitives.ReadDoubleBigEndian(value));
            case FieldType.Decimal:
                return Decimal(scratch, value[0], BinaryPrimitives.ReadUInt32BigEndian(value[1..]));
            default:
                return value;
        }
    }

    /// <summary>Writes a text as a field's value, behind its type's letter.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="type">The type; anything unknown, and a text that is not of the type, becomes a string.</param>
    /// <param name="text">The text; null is nothing.</param>
    public static void Read(scoped WireWriter writer, ReadOnlySpan<byte> type, NullableBytes text)
    {
        if (text.IsNull)
        {
            writer.Octet((byte)FieldType.Void);
            return;
        }
        var span = text.Span;
        var field = type.Length == 1 ? (FieldType)type[0] : FieldType.LongString;
        switch (field)
        {
            case FieldType.Boolean when span.SequenceEqual("true"u8) || span.SequenceEqual("false"u8):
                writer.Octet(type[0]);
                writer.Octet(span.Length == 4 ? (byte)1 : (byte)0);
                return;
            case FieldType.Int8 or FieldType.UInt8 when TryNumber(span, out var number):
                writer.Octet(type[0]);
                writer.Octet((byte)number);
                return;
            case FieldType.Int16 or FieldType.UInt16 when TryNumber(span, out var number):
                writer.Octet(type[0]);
                writer.Short((ushort)number);
                return;
            case FieldType.Int32 or FieldType.UInt32 when TryNumber(span, out var number):
                writer.Octet(type[0]);
                writer.Long((uint)number);
                return;
            case FieldType.Int64 or FieldType.Timestamp when TryNumber(span, out var number):
                writer.Octet(type[0]);
                writer.LongLong((ulong)number);
                return;
            case FieldType.Float when float.TryParse(span, NumberStyles.Float, CultureInfo.InvariantCulture, out var real):
                writer.Octet(type[0]);
                writer.Long(BitConverter.SingleToUInt32Bits(real));
                return;
            case FieldType.Double when double.TryParse(span, NumberStyles.Float, CultureInfo.InvariantCulture, out var real):
                writer.Octet(type[0]);
                writer.LongLong(BitConverter.DoubleToUInt64Bits(real));
                return;
            case FieldType.Decimal when TryDecimal(span, out var scale, out var digits):
                writer.Octet(type[0]);
                writer.Octet(scale);
                writer.Long(digits);
                return;
            case FieldType.Bytes or FieldType.Table or FieldType.Array:
                writer.Octet(type[0]);
                writer.LongString(span);
                return;
            default:
                // What is no text in another protocol is no text here either.
                writer.Octet((byte)(System.Text.Unicode.Utf8.IsValid(span) ? FieldType.LongString : FieldType.Bytes));
                writer.LongString(span);
                return;
        }
    }

    private static NullableBytes Number(PooledBuffer scratch, long number)
    {
        Utf8Formatter.TryFormat(number, scratch.GetSpan(20), out var length);
        scratch.Advance(length);
        return scratch.WrittenSpan;
    }

    private static NullableBytes Real<T>(PooledBuffer scratch, T number)
        where T : IUtf8SpanFormattable
    {
        // The shortest text that reads back as the same number.
        number.TryFormat(scratch.GetSpan(64), out var length, default, CultureInfo.InvariantCulture);
        scratch.Advance(length);
        return scratch.WrittenSpan;
    }

    /// <summary>A decimal as its digits and a power of ten, so that the number of digits behind the point is kept.</summary>
    private static NullableBytes Decimal(PooledBuffer scratch, byte scale, uint digits)
    {
        Number(scratch, digits);
        scratch.Write("e-"u8);
        return Number(scratch, scale);
    }

    private static bool TryDecimal(ReadOnlySpan<byte> text, out byte scale, out uint digits)
    {
        scale = 0;
        digits = 0;
        var at = text.IndexOf("e-"u8);
        return at > 0 && Utf8Parser.TryParse(text[..at], out digits, out var used) && used == at
            && Utf8Parser.TryParse(text[(at + 2)..], out scale, out used) && used == text.Length - at - 2;
    }

    private static bool TryNumber(ReadOnlySpan<byte> text, out long number) => Utf8Parser.TryParse(text, out number, out var used) && used == text.Length;
}
