using CsCheck;
using Dragoman.Amqp.Wire;

namespace Dragoman.Amqp.Tests.Wire;

/// <summary>Tables with values of all types.</summary>
internal static class FieldTables
{
    private static readonly FieldType[] Numbers =
    [
        FieldType.Int8, FieldType.UInt8, FieldType.Int16, FieldType.UInt16, FieldType.Int32, FieldType.UInt32, FieldType.Int64, FieldType.Timestamp, FieldType.Boolean,
    ];

    private static readonly Gen<FieldValue> Scalars = CsCheck.Gen.OneOf(
        CsCheck.Gen.String[CsCheck.Gen.Char.AlphaNumeric, 0, 30].Select(FieldValue.OfText),
        CsCheck.Gen.Byte.Array[0, 30].Select(b => FieldValue.OfBytes(FieldType.Bytes, b)),
        CsCheck.Gen.Select(CsCheck.Gen.Int[0, Numbers.Length - 1].Select(i => Numbers[i]), CsCheck.Gen.Long).Select((type, bits) => FieldValue.OfBits(type, Fit(type, bits))),
        CsCheck.Gen.Double.Select(FieldValue.OfDouble),
        CsCheck.Gen.Float.Select(f => FieldValue.OfBits(FieldType.Float, BitConverter.SingleToUInt32Bits(f))),
        CsCheck.Gen.Select(CsCheck.Gen.Byte, CsCheck.Gen.UInt).Select((scale, digits) => FieldValue.OfBits(FieldType.Decimal, (long)scale << 32 | digits)),
        CsCheck.Gen.Const(FieldValue.OfBits(FieldType.Void, 0)));

    /// <summary>Tables, nested ones among them.</summary>
    public static Gen<FieldTable> Gen { get; } = Tables(2);

    /// <summary>A table with one value of every type.</summary>
    public static FieldTable OfEveryType() => new(
        KeyValuePair.Create("t", FieldValue.OfBoolean(true)),
        KeyValuePair.Create("b", FieldValue.OfBits(FieldType.Int8, -3)),
        KeyValuePair.Create("B", FieldValue.OfBits(FieldType.UInt8, 200)),
        KeyValuePair.Create("s", FieldValue.OfBits(FieldType.Int16, -300)),
        KeyValuePair.Create("u", FieldValue.OfBits(FieldType.UInt16, 60000)),
        KeyValuePair.Create("I", FieldValue.OfInt32(-70000)),
        KeyValuePair.Create("i", FieldValue.OfBits(FieldType.UInt32, 4_000_000_000)),
        KeyValuePair.Create("l", FieldValue.OfInt64(long.MinValue)),
        KeyValuePair.Create("f", FieldValue.OfBits(FieldType.Float, BitConverter.SingleToUInt32Bits(1.5f))),
        KeyValuePair.Create("d", FieldValue.OfDouble(-2.25)),
        KeyValuePair.Create("D", FieldValue.OfBits(FieldType.Decimal, 2L << 32 | 314)),
        KeyValuePair.Create("S", FieldValue.OfText("text")),
        KeyValuePair.Create("A", FieldValue.OfArray([FieldValue.OfText("in"), FieldValue.OfInt32(1)])),
        KeyValuePair.Create("T", FieldValue.OfTimestamp(1_700_000_000)),
        KeyValuePair.Create("F", FieldValue.OfTable(new FieldTable(KeyValuePair.Create("x", FieldValue.OfText("y"))))),
        KeyValuePair.Create("V", FieldValue.OfBits(FieldType.Void, 0)),
        KeyValuePair.Create("x", FieldValue.OfBytes(FieldType.Bytes, [0, 255, 1])));

    private static Gen<FieldTable> Tables(int depth)
    {
        var values = depth == 0 ? Scalars : CsCheck.Gen.Frequency(
            (6, Scalars),
            (1, Tables(depth - 1).Select(FieldValue.OfTable)),
            (1, Scalars.List[0, 4].Select(items => FieldValue.OfArray(items))));
        return CsCheck.Gen.Select(CsCheck.Gen.String[CsCheck.Gen.Char.AlphaNumeric, 1, 20], values).List[0, 6]
            .Select(fields => new FieldTable(fields.DistinctBy(f => f.Item1).Select(f => KeyValuePair.Create(f.Item1, f.Item2))));
    }

    private static long Fit(FieldType type, long bits) => type switch
    {
        FieldType.Int8 => (sbyte)bits,
        FieldType.UInt8 => (byte)bits,
        FieldType.Int16 => (short)bits,
        FieldType.UInt16 => (ushort)bits,
        FieldType.Int32 => (int)bits,
        FieldType.UInt32 => (uint)bits,
        FieldType.Boolean => bits & 1,
        _ => bits,
    };
}
