using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Dragoman.Kafka.Wire;

/// <summary>
/// Reads the primitive types of the Kafka protocol from one frame. Every read is checked against the end of the frame
/// before anything is allocated for it, and everything wrong is a <see cref="KafkaWireException"/>.
/// </summary>
/// <remarks>
/// Types as in the Kafka protocol guide, "Protocol Primitive Types", and KIP-482 for the compact forms: a compact
/// length is an unsigned varint of the length plus one, and 0 is null.
/// </remarks>
public ref struct KafkaReader
{
    /// <summary>
    /// The most array elements that one message may hold in all its arrays together. An element of three bytes can
    /// become an object of a hundred, so the frame's length alone does not bound what decoding allocates.
    /// </summary>
    public const int MaxElements = 1 << 18;

    private SequenceReader<byte> _reader;
    private long _end;
    private int _elements;

    /// <summary>Reads from the start of a frame, its length prefix not included.</summary>
    public KafkaReader(ReadOnlySequence<byte> frame)
    {
        _reader = new SequenceReader<byte>(frame);
        _end = frame.Length;
    }

    /// <summary>Bytes not read yet: of the frame, or of the tagged field that is being read.</summary>
    public readonly long Remaining => _end - _reader.Consumed;

    /// <summary>Reads a bool: 0 is false and anything else true.</summary>
    public bool ReadBool() => ReadByte() != 0;

    /// <summary>Reads an int8.</summary>
    public sbyte ReadInt8() => (sbyte)ReadByte();

    /// <summary>Reads an int16.</summary>
    public short ReadInt16()
    {
        Require(sizeof(short));
        _reader.TryReadBigEndian(out short value);
        return value;
    }

    /// <summary>Reads a uint16.</summary>
    public ushort ReadUInt16() => (ushort)ReadInt16();

    /// <summary>Reads an int32.</summary>
    public int ReadInt32()
    {
        Require(sizeof(int));
        _reader.TryReadBigEndian(out int value);
        return value;
    }

    /// <summary>Reads a uint32.</summary>
    public uint ReadUInt32() => (uint)ReadInt32();

    /// <summary>Reads an int64.</summary>
    public long ReadInt64()
    {
        Require(sizeof(long));
        _reader.TryReadBigEndian(out long value);
        return value;
    }

    /// <summary>Reads a uint64.</summary>
    public ulong ReadUInt64() => (ulong)ReadInt64();

    /// <summary>Reads a float64.</summary>
    public double ReadFloat64() => BitConverter.Int64BitsToDouble(ReadInt64());

    /// <summary>Reads a uuid, most significant byte first.</summary>
    public Guid ReadUuid()
    {
        Require(16);
        Span<byte> bytes = stackalloc byte[16];
        _reader.TryCopyTo(bytes);
        _reader.Advance(16);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>Reads an unsigned varint of at most 32 bits.</summary>
    public uint ReadUnsignedVarint()
    {
        uint value = 0;
        for (int shift = 0; shift < 35; shift += 7)
        {
            byte next = ReadByte();
            if (shift == 28 && (next & 0xF0) != 0)
                break;
            value |= (uint)(next & 0x7F) << shift;
            if ((next & 0x80) == 0)
                return value;
        }

        throw Malformed("a varint of more than 32 bits");
    }

    /// <summary>Reads a string that is not null. Bytes that are no UTF-8 become U+FFFD, as in Kafka's own broker.</summary>
    public string ReadString(bool flexible) => ReadString(flexible, nullable: false)!;

    /// <summary>Reads a string, null only where the version allows it.</summary>
    public string? ReadString(bool flexible, bool nullable)
    {
        int length = flexible ? ReadCompactLength() : ReadInt16();
        if (!CheckLength(length, nullable))
            return null;
        if (length > short.MaxValue)
            throw Malformed("a string of more than 32,767 bytes");
        if (length == 0)
            return "";

        if (_reader.UnreadSpan.Length >= length)
        {
            string value = Encoding.UTF8.GetString(_reader.UnreadSpan[..length]);
            _reader.Advance(length);
            return value;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(length);
        Span<byte> bytes = rented.AsSpan(0, length);
        _reader.TryCopyTo(bytes);
        _reader.Advance(length);
        string joined = Encoding.UTF8.GetString(bytes);
        ArrayPool<byte>.Shared.Return(rented);
        return joined;
    }

    /// <summary>Reads bytes that are not null, as a copy that outlives the frame.</summary>
    public byte[] ReadBytes(bool flexible) => ReadBytes(flexible, nullable: false)!;

    /// <summary>Reads bytes, null only where the version allows it, as a copy that outlives the frame.</summary>
    public byte[]? ReadBytes(bool flexible, bool nullable)
    {
        int length = flexible ? ReadCompactLength() : ReadInt32();
        if (!CheckLength(length, nullable))
            return null;
        if (length == 0)
            return [];
        byte[] value = new byte[length];
        _reader.TryCopyTo(value);
        _reader.Advance(length);
        return value;
    }

    /// <summary>Reads a records field as a view on the frame.</summary>
    public Records ReadRecords(bool flexible, bool nullable)
    {
        int length = flexible ? ReadCompactLength() : ReadInt32();
        if (!CheckLength(length, nullable))
            return default;
        _reader.TryReadExact(length, out ReadOnlySequence<byte> bytes);
        return new Records(bytes);
    }

    /// <summary>
    /// Reads an array's count; -1 is null. A count that the rest of the frame cannot hold is refused here, before the
    /// caller allocates for it.
    /// </summary>
    public int ReadArrayLength(bool flexible, bool nullable, int minimumElementSize)
    {
        int count = flexible ? ReadCompactLength() : ReadInt32();
        if (count < 0)
        {
            CheckLength(count, nullable);
            return -1;
        }

        if (count > Remaining / Math.Max(1, minimumElementSize))
            throw Truncated($"an array of {count} elements");
        if (count > MaxElements - _elements)
            throw Malformed($"more than {MaxElements} array elements");
        _elements += count;
        return count;
    }

    /// <summary>Reads the marker in front of a nullable structure: negative, and so true, when it is null.</summary>
    public bool ReadNullMarker() => ReadInt8() < 0;

    /// <summary>Reads the number of tagged fields that follow.</summary>
    public uint ReadTagCount()
    {
        uint count = ReadUnsignedVarint();
        if (count > Remaining / 2)
            throw Truncated($"a section of {count} tagged fields");
        return count;
    }

    /// <summary>Enters a tagged field, so that reads end with it. Returns what to give to <see cref="LeaveTaggedField"/>.</summary>
    public long EnterTaggedField(out uint tag)
    {
        tag = ReadUnsignedVarint();
        uint size = ReadUnsignedVarint();
        if (size > Remaining)
            throw Truncated($"a tagged field of {size} bytes");
        long outerEnd = _end;
        _end = _reader.Consumed + size;
        return outerEnd;
    }

    /// <summary>Skips a tagged field that the reading side does not know.</summary>
    public void SkipTaggedField() => _reader.Advance(Remaining);

    /// <summary>Leaves a tagged field, which must have been read to its end.</summary>
    public void LeaveTaggedField(long outerEnd)
    {
        if (Remaining != 0)
            throw Malformed($"{Remaining} more bytes than its value in a tagged field");
        _end = outerEnd;
    }

    /// <summary>Skips a whole section of tagged fields.</summary>
    public void SkipTaggedFields()
    {
        for (uint left = ReadTagCount(); left > 0; left--)
        {
            long outerEnd = EnterTaggedField(out _);
            SkipTaggedField();
            LeaveTaggedField(outerEnd);
        }
    }

    /// <summary>Refuses bytes behind the end of a message.</summary>
    public readonly void ExpectEnd()
    {
        if (Remaining != 0)
            throw Malformed($"{Remaining} bytes behind its end");
    }

    private byte ReadByte()
    {
        Require(1);
        _reader.TryRead(out byte value);
        return value;
    }

    private int ReadCompactLength()
    {
        uint encoded = ReadUnsignedVarint();
        if (encoded > int.MaxValue)
            throw Malformed($"a length of {encoded}");
        return (int)encoded - 1;
    }

    /// <summary>False when the length says null.</summary>
    private readonly bool CheckLength(int length, bool nullable)
    {
        if (length > Remaining)
            throw Truncated($"a value of {length} bytes");
        if (length >= 0)
            return true;
        if (length != -1)
            throw Malformed($"a length of {length}");
        if (!nullable)
            throw Malformed("null in a field that is not nullable");
        return false;
    }

    private readonly void Require(int count)
    {
        if (Remaining < count)
            ThrowTruncated(count);
    }

    [DoesNotReturn]
    private readonly void ThrowTruncated(int count) => throw Truncated($"a value of {count} bytes");

    private readonly KafkaWireException Truncated(string what) => new(
        KafkaWireError.Truncated, $"The message has {what} at byte {_reader.Consumed} and only {Remaining} bytes left.");

    private readonly KafkaWireException Malformed(string what) => new(
        KafkaWireError.Malformed, $"The message has {what} at byte {_reader.Consumed}.");
}
