using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Dragoman.Amqp.Wire;

/// <summary>Writes AMQP's primitive types (AMQP 0-9-1, section 4.2.5).</summary>
internal ref struct WireWriter(IBufferWriter<byte> target) : IFieldVisitor
{
    private readonly IBufferWriter<byte> _target = target;
    private byte _bits;
    private byte _bitCount;

    public readonly void Octet(byte value)
    {
        _target.GetSpan(1)[0] = value;
        _target.Advance(1);
    }

    public readonly void Short(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_target.GetSpan(2), value);
        _target.Advance(2);
    }

    public readonly void Long(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_target.GetSpan(4), value);
        _target.Advance(4);
    }

    public readonly void LongLong(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_target.GetSpan(8), value);
        _target.Advance(8);
    }

    /// <summary>Writes a string of at most 255 bytes; longer ones are cut, at a whole character.</summary>
    public readonly void ShortString(string value)
    {
        Span<byte> bytes = stackalloc byte[byte.MaxValue];
        Encoding.UTF8.GetEncoder().Convert(value, bytes, flush: true, out _, out var length, out _);
        ShortString(bytes[..length]);
    }

    public readonly void ShortString(ReadOnlySpan<byte> value)
    {
        Octet((byte)value.Length);
        _target.Write(value);
    }

    public readonly void LongString(ReadOnlySpan<byte> value)
    {
        Long((uint)value.Length);
        _target.Write(value);
    }

    public readonly void Table(FieldTable table)
    {
        if (table.Count == 0)
        {
            Long(0);
            return;
        }
        var inner = new ArrayBufferWriter<byte>(256);
        new WireWriter(inner).Fields(table);
        LongString(inner.WrittenSpan);
    }

    /// <summary>Writes the fields of a table without its length.</summary>
    public readonly void Fields(FieldTable table)
    {
        foreach (var (name, value) in table.Fields)
        {
            ShortString(name);
            Value(value);
        }
    }

    /// <summary>Writes a value behind its type's letter.</summary>
    public readonly void Value(in FieldValue value)
    {
        Octet((byte)value.Type);
        switch (value.Type)
        {
            case FieldType.Boolean or FieldType.Int8 or FieldType.UInt8:
                Octet((byte)value.Bits);
                break;
            case FieldType.Int16 or FieldType.UInt16:
                Short((ushort)value.Bits);
                break;
            case FieldType.Int32 or FieldType.UInt32 or FieldType.Float:
                Long((uint)value.Bits);
                break;
            case FieldType.Int64 or FieldType.Double or FieldType.Timestamp:
                LongLong((ulong)value.Bits);
                break;
            case FieldType.Decimal:
                Octet((byte)(value.Bits >> 32));
                Long((uint)value.Bits);
                break;
            case FieldType.LongString or FieldType.Bytes:
                LongString(value.Bytes.Span);
                break;
            case FieldType.Table:
                Table(value.Table);
                break;
            case FieldType.Array:
                var inner = new ArrayBufferWriter<byte>(256);
                var items = new WireWriter(inner);
                foreach (var item in value.Items) items.Value(item);
                LongString(inner.WrittenSpan);
                break;
        }
    }

    void IFieldVisitor.Octet(ref byte value)
    {
        EndBits();
        Octet(value);
    }

    void IFieldVisitor.Short(ref ushort value)
    {
        EndBits();
        Short(value);
    }

    void IFieldVisitor.Long(ref uint value)
    {
        EndBits();
        Long(value);
    }

    void IFieldVisitor.LongLong(ref ulong value)
    {
        EndBits();
        LongLong(value);
    }

    void IFieldVisitor.ShortString(ref string value)
    {
        EndBits();
        ShortString(value ?? "");
    }

    void IFieldVisitor.LongString(ref byte[] value)
    {
        EndBits();
        LongString(value ?? []);
    }

    void IFieldVisitor.Table(ref FieldTable value)
    {
        EndBits();
        Table(value ?? FieldTable.Empty);
    }

    void IFieldVisitor.Bit(ref bool value)
    {
        if (value) _bits |= (byte)(1 << _bitCount);
        if (++_bitCount == 8) EndBits();
    }

    /// <summary>Writes the bits that wait for an octet of theirs to be full.</summary>
    public void EndBits()
    {
        if (_bitCount == 0) return;
        Octet(_bits);
        _bits = 0;
        _bitCount = 0;
    }
}
