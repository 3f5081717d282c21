using System.Buffers.Binary;
using System.Text;

namespace Dragoman.Amqp.Wire;

/// <summary>
/// Reads AMQP's primitive types (AMQP 0-9-1, section 4.2.5) from the payload of one frame. Every read is checked against
/// the end of the payload before anything is allocated for it.
/// </summary>
/// <remarks>All members throw <see cref="AmqpWireException"/> where the bytes end too early.</remarks>
internal ref struct WireReader(ReadOnlySpan<byte> source) : IFieldVisitor
{
    /// <summary>How deep tables and arrays may be nested.</summary>
    public const int MaxDepth = 32;

    private ReadOnlySpan<byte> _rest = source;
    private byte _bits;
    private byte _nextBit;

    /// <summary>What was not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public byte Octet() => Take(1)[0];

    public ushort Short() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint Long() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong LongLong() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    /// <summary>The bytes of a string of at most 255.</summary>
    public ReadOnlySpan<byte> ShortString() => Take(Octet());

    /// <summary>The bytes of a string of any length.</summary>
    public ReadOnlySpan<byte> LongString() => Take(Length());

    /// <summary>A whole encoded table, its length not included.</summary>
    public ReadOnlySpan<byte> EncodedTable() => Take(Length());

    /// <summary>A decoded table.</summary>
    public FieldTable Table() => Table(0);

    /// <summary>The fields of a table whose length stands elsewhere, up to the end.</summary>
    public FieldTable Fields() => Fields(0);

    /// <summary>A value in a table or an array, behind its type's letter.</summary>
    public FieldValue Value() => Value(0);

    /// <summary>Goes past a value, and returns its bytes without the type's letter.</summary>
    public ReadOnlySpan<byte> SkipValue(FieldType type)
    {
        switch (type)
        {
            case FieldType.Boolean or FieldType.Int8 or FieldType.UInt8:
                return Take(1);
            case FieldType.Int16 or FieldType.UInt16:
                return Take(2);
            case FieldType.Int32 or FieldType.UInt32 or FieldType.Float:
                return Take(4);
            case FieldType.Int64 or FieldType.Double or FieldType.Timestamp or (FieldType)'L':
                return Take(8);
            case FieldType.Decimal:
                return Take(5);
            case FieldType.LongString or FieldType.Bytes or FieldType.Table or FieldType.Array:
                return Take(Length());
            case FieldType.Void:
                return default;
            default:
                throw Malformed($"a value of type {(byte)type}");
        }
    }

    /// <summary>Checks that everything was read.</summary>
    public readonly void End()
    {
        if (!_rest.IsEmpty) throw Malformed($"{_rest.Length} bytes too many");
    }

    void IFieldVisitor.Octet(ref byte value)
    {
        EndBits();
        value = Octet();
    }

    void IFieldVisitor.Short(ref ushort value)
    {
        EndBits();
        value = Short();
    }

    void IFieldVisitor.Long(ref uint value)
    {
        EndBits();
        value = Long();
    }

    void IFieldVisitor.LongLong(ref ulong value)
    {
        EndBits();
        value = LongLong();
    }

    void IFieldVisitor.ShortString(ref string value)
    {
        EndBits();
        value = Encoding.UTF8.GetString(ShortString());
    }

    void IFieldVisitor.LongString(ref byte[] value)
    {
        EndBits();
        value = LongString().ToArray();
    }

    void IFieldVisitor.Table(ref FieldTable value)
    {
        EndBits();
        value = Table();
    }

    void IFieldVisitor.Bit(ref bool value)
    {
        if (_nextBit == 0) _bits = Octet();
        value = (_bits >> _nextBit & 1) != 0;
        _nextBit = (byte)((_nextBit + 1) & 7);
    }

    private void EndBits() => _nextBit = 0;

    private FieldTable Table(int depth)
    {
        var inner = new WireReader(EncodedTable());
        return inner._rest.IsEmpty ? FieldTable.Empty : inner.Fields(depth);
    }

    private FieldTable Fields(int depth)
    {
        var fields = new List<KeyValuePair<string, FieldValue>>();
        while (!_rest.IsEmpty) fields.Add(new(Encoding.UTF8.GetString(ShortString()), Value(depth)));
        return new FieldTable(fields);
    }

    private FieldValue Value(int depth)
    {
        if (depth >= MaxDepth) throw Malformed($"tables nested more than {MaxDepth} deep");
        var type = (FieldType)Octet();
        switch (type)
        {
            case FieldType.Boolean:
                return FieldValue.OfBoolean(Octet() != 0);
            case FieldType.Int8:
                return FieldValue.OfBits(type, (sbyte)Octet());
            case FieldType.UInt8:
                return FieldValue.OfBits(type, Octet());
            case FieldType.Int16:
                return FieldValue.OfBits(type, (short)Short());
            case FieldType.UInt16:
                return FieldValue.OfBits(type, Short());
            case FieldType.Int32:
                return FieldValue.OfBits(type, (int)Long());
            case FieldType.UInt32:
                return FieldValue.OfBits(type, Long());
            case (FieldType)'L':
                // What the specification calls long-long-int; RabbitMQ reads both letters and writes the other.
                return FieldValue.OfBits(FieldType.Int64, (long)LongLong());
            case FieldType.Int64 or FieldType.Double or FieldType.Timestamp:
                return FieldValue.OfBits(type, (long)LongLong());
            case FieldType.Float:
                return FieldValue.OfBits(type, Long());
            case FieldType.Decimal:
                return FieldValue.OfBits(type, (long)Octet() << 32 | Long());
            case FieldType.LongString or FieldType.Bytes:
                return FieldValue.OfBytes(type, LongString().ToArray());
            case FieldType.Table:
                return FieldValue.OfTable(Table(depth + 1));
            case FieldType.Array:
                var inner = new WireReader(EncodedTable());
                var items = new List<FieldValue>();
                while (!inner._rest.IsEmpty) items.Add(inner.Value(depth + 1));
                return FieldValue.OfArray(items);
            case FieldType.Void:
                return FieldValue.OfBits(type, 0);
            default:
                throw Malformed($"a value of type {(byte)type}");
        }
    }

    private int Length()
    {
        var length = Long();
        if (length > (uint)_rest.Length) throw Malformed($"a length of {length} with {_rest.Length} bytes left");
        return (int)length;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length) throw Malformed($"{_rest.Length} bytes where {count} are needed");
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private static AmqpWireException Malformed(string what) => new(ReplyCode.SyntaxError, $"malformed field: {what}");
}
