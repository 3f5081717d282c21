using System.Globalization;
using System.Text;

namespace Dragoman.Amqp.Wire;

/// <summary>
/// The type of a value in a table, by the letter that stands for it on the wire. The letters are those that RabbitMQ and
/// its clients use, which differ from the specification's in places (its "AMQP 0-9-1 errata", section 3).
/// </summary>
internal enum FieldType : byte
{
    Boolean = (byte)'t',
    Int8 = (byte)'b',
    UInt8 = (byte)'B',
    Int16 = (byte)'s',
    UInt16 = (byte)'u',
    Int32 = (byte)'I',
    UInt32 = (byte)'i',
    Int64 = (byte)'l',
    Float = (byte)'f',
    Double = (byte)'d',
    Decimal = (byte)'D',
    LongString = (byte)'S',
    Array = (byte)'A',
    Timestamp = (byte)'T',
    Table = (byte)'F',
    Void = (byte)'V',
    Bytes = (byte)'x',
}

/// <summary>What types are alike when values are compared: RabbitMQ's type classes.</summary>
internal enum FieldClass : byte
{
    Integer,
    Real,
    Text,
    Other,
}

/// <summary>A value in a table, with its type.</summary>
internal readonly struct FieldValue : IEquatable<FieldValue>
{
    // Integers, times and truth values as they are; floating point as bits; a decimal as scale << 32 | value.
    private readonly long _bits;
    private readonly object? _object;

    private FieldValue(FieldType type, long bits, object? obj)
    {
        Type = type;
        _bits = bits;
        _object = obj;
    }

    /// <summary>The type.</summary>
    public FieldType Type { get; }

    /// <summary>The number, time or truth value; the bits of a floating-point number.</summary>
    public long Bits => _bits;

    /// <summary>The bytes of a string or a byte array.</summary>
    public ReadOnlyMemory<byte> Bytes => _object is byte[] bytes ? bytes : default;

    /// <summary>The nested table.</summary>
    public FieldTable Table => (FieldTable)_object!;

    /// <summary>The elements of an array.</summary>
    public IReadOnlyList<FieldValue> Items => (IReadOnlyList<FieldValue>)_object!;

    /// <summary>The text of a string.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes.Span);

    /// <summary>A floating-point number.</summary>
    public double Real => Type == FieldType.Float ? BitConverter.Int32BitsToSingle((int)_bits) : BitConverter.Int64BitsToDouble(_bits);

    /// <summary>What it is compared as.</summary>
    public FieldClass Class => Type switch
    {
        FieldType.Int8 or FieldType.UInt8 or FieldType.Int16 or FieldType.UInt16 or FieldType.Int32 or FieldType.UInt32 or FieldType.Int64 => FieldClass.Integer,
        FieldType.Float or FieldType.Double => FieldClass.Real,
        FieldType.LongString => FieldClass.Text,
        _ => FieldClass.Other,
    };

    /// <summary>The name of the type as RabbitMQ's messages spell it.</summary>
    public string TypeName => Type switch
    {
        FieldType.Boolean => "bool",
        FieldType.Int8 => "byte",
        FieldType.UInt8 => "unsignedbyte",
        FieldType.Int16 => "short",
        FieldType.UInt16 => "unsignedshort",
        FieldType.Int32 => "signedint",
        FieldType.UInt32 => "unsignedint",
        FieldType.Int64 => "long",
        FieldType.Float => "float",
        FieldType.Double => "double",
        FieldType.Decimal => "decimal",
        FieldType.LongString => "longstr",
        FieldType.Array => "array",
        FieldType.Timestamp => "timestamp",
        FieldType.Table => "table",
        FieldType.Void => "void",
        _ => "binary",
    };

    public static FieldValue OfText(string text) => new(FieldType.LongString, 0, Encoding.UTF8.GetBytes(text));

    public static FieldValue OfBoolean(bool value) => new(FieldType.Boolean, value ? 1 : 0, null);

    public static FieldValue OfInt32(int value) => new(FieldType.Int32, value, null);

    public static FieldValue OfInt64(long value) => new(FieldType.Int64, value, null);

    public static FieldValue OfDouble(double value) => new(FieldType.Double, BitConverter.DoubleToInt64Bits(value), null);

    public static FieldValue OfTimestamp(long seconds) => new(FieldType.Timestamp, seconds, null);

    public static FieldValue OfTable(FieldTable table) => new(FieldType.Table, 0, table);

    public static FieldValue OfArray(IReadOnlyList<FieldValue> items) => new(FieldType.Array, 0, items);

    public static FieldValue OfBytes(FieldType type, byte[] bytes) => new(type, 0, bytes);

    public static FieldValue OfBits(FieldType type, long bits) => new(type, bits, null);

    public bool Equals(FieldValue other)
    {
        if (Type != other.Type || _bits != other._bits) return false;
        return _object switch
        {
            byte[] bytes => bytes.AsSpan().SequenceEqual(other.Bytes.Span),
            FieldTable table => table.Equals(other.Table),
            IReadOnlyList<FieldValue> items => items.SequenceEqual(other.Items),
            _ => true,
        };
    }

    /// <summary>Whether it says the same, though perhaps in a type of another width.</summary>
    public bool IsEquivalentTo(in FieldValue other) => Class switch
    {
        FieldClass.Integer => other.Class == FieldClass.Integer && _bits == other._bits,
        FieldClass.Real => other.Class == FieldClass.Real && Real.Equals(other.Real),
        _ => Equals(other),
    };

    public override bool Equals(object? obj) => obj is FieldValue other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Type, _bits);

    /// <summary>The value as a person would write it.</summary>
    public override string ToString() => Type switch
    {
        FieldType.LongString => Text,
        FieldType.Bytes => $"{Bytes.Length} bytes",
        FieldType.Boolean => _bits != 0 ? "true" : "false",
        FieldType.Float or FieldType.Double => Real.ToString("R", CultureInfo.InvariantCulture),
        FieldType.Decimal => $"{{{(byte)(_bits >> 32)},{(uint)_bits}}}",
        FieldType.Void => "undefined",
        FieldType.Table => Table.ToString(),
        FieldType.Array => $"[{string.Join(',', Items)}]",
        _ => _bits.ToString(CultureInfo.InvariantCulture),
    };
}
