using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Dragoman.Kafka.Wire;

/// <summary>
/// Writes the primitive types of the Kafka protocol, or only counts them. A length that comes before its bytes is had
/// by encoding twice, first with a counting writer: nothing is buffered aside and nothing patched afterwards.
/// </summary>
public ref struct KafkaWriter
{
    private const int MinimumChunk = 256;

    private readonly IBufferWriter<byte>? _output;
    private readonly IRecordsSink? _sink;
    private Span<byte> _chunk;
    private int _used;
    private long _written;

    /// <summary>Writes to <paramref name="output"/>; call <see cref="Flush"/> at the end.</summary>
    public KafkaWriter(IBufferWriter<byte> output)
        : this(output, null)
    {
    }

    /// <summary>Writes to <paramref name="output"/>, and gives record sources to <paramref name="sink"/> if there is one.</summary>
    public KafkaWriter(IBufferWriter<byte> output, IRecordsSink? sink)
    {
        ArgumentNullException.ThrowIfNull(output);
        _output = output;
        _sink = sink;
    }

    /// <summary>A writer that only counts.</summary>
    public static KafkaWriter Counting => default;

    /// <summary>How many bytes have been written or counted.</summary>
    public readonly long Written => _written;

    /// <summary>Whether this writer only counts: a source may then add <see cref="Skip"/> bytes and write none.</summary>
    public readonly bool IsCounting => _output is null;

    /// <summary>Writes a bool.</summary>
    public void WriteBool(bool value) => WriteInt8(value ? (sbyte)1 : (sbyte)0);

    /// <summary>Writes an int8.</summary>
    public void WriteInt8(sbyte value)
    {
        if (Reserve(sizeof(sbyte), out Span<byte> place))
            place[0] = (byte)value;
    }

    /// <summary>Writes an int16.</summary>
    public void WriteInt16(short value)
    {
        if (Reserve(sizeof(short), out Span<byte> place))
            BinaryPrimitives.WriteInt16BigEndian(place, value);
    }

    /// <summary>Writes a uint16.</summary>
    public void WriteUInt16(ushort value) => WriteInt16((short)value);

    /// <summary>Writes an int32.</summary>
    public void WriteInt32(int value)
    {
        if (Reserve(sizeof(int), out Span<byte> place))
            BinaryPrimitives.WriteInt32BigEndian(place, value);
    }

    /// <summary>Writes a uint32.</summary>
    public void WriteUInt32(uint value) => WriteInt32((int)value);

    /// <summary>Writes an int64.</summary>
    public void WriteInt64(long value)
    {
        if (Reserve(sizeof(long), out Span<byte> place))
            BinaryPrimitives.WriteInt64BigEndian(place, value);
    }

    /// <summary>Writes a uint64.</summary>
    public void WriteUInt64(ulong value) => WriteInt64((long)value);

    /// <summary>Writes a float64.</summary>
    public void WriteFloat64(double value) => WriteInt64(BitConverter.DoubleToInt64Bits(value));

    /// <summary>Writes a uuid, most significant byte first.</summary>
    public void WriteUuid(Guid value)
    {
        if (Reserve(16, out Span<byte> place))
            value.TryWriteBytes(place, bigEndian: true, out _);
    }

    /// <summary>Writes an unsigned varint.</summary>
    public void WriteUnsignedVarint(uint value)
    {
        while (value >= 0x80)
        {
            WriteInt8((sbyte)(value | 0x80));
            value >>= 7;
        }

        WriteInt8((sbyte)value);
    }

    /// <summary>Writes a string, null only where the version allows it.</summary>
    public void WriteString(string? value, bool flexible, bool nullable, string field)
    {
        int length = value is null ? -1 : Encoding.UTF8.GetByteCount(value);
        if (length > short.MaxValue)
            throw new KafkaWireException(KafkaWireError.Malformed, $"{field} is longer than 32,767 bytes.");
        if (flexible)
            WriteCompactLength(length, nullable, field);
        else
            WriteInt16((short)CheckNull(length, nullable, field));
        if (length > 0 && Reserve(length, out Span<byte> place))
            Encoding.UTF8.GetBytes(value, place);
    }

    /// <summary>Writes bytes, null only where the version allows it.</summary>
    public void WriteBytes(byte[]? value, bool flexible, bool nullable, string field)
    {
        WriteLength(value is null ? -1 : value.Length, flexible, nullable, field);
        WriteRaw(value);
    }

    /// <summary>Writes a records field; a source writes its bytes straight into the output.</summary>
    public void WriteRecords(in Records value, bool flexible, bool nullable, string field)
    {
        int length = value.IsNull ? -1 : value.Length;
        WriteLength(length, flexible, nullable, field);
        if (length <= 0)
            return;
        if (IsCounting)
        {
            Skip(length);
            return;
        }

        if (_sink is not null && value.Source is { } source)
        {
            Flush();
            _sink.Defer(source);
            _written += length;
            return;
        }

        long before = _written;
        value.WriteTo(ref this);
        if (_written - before != length)
            throw new InvalidOperationException($"{field} announced {length} bytes and wrote {_written - before}.");
    }

    /// <summary>Writes an array's count; -1 is null.</summary>
    public void WriteArrayLength(int count, bool flexible, bool nullable, string field) =>
        WriteLength(count, flexible, nullable, field);

    /// <summary>Writes the marker in front of a nullable structure.</summary>
    public void WriteNullMarker(bool isNull) => WriteInt8(isNull ? (sbyte)-1 : (sbyte)1);

    /// <summary>Writes a tagged field's tag and size.</summary>
    public void WriteTag(uint tag, long size)
    {
        WriteUnsignedVarint(tag);
        WriteUnsignedVarint(checked((uint)size));
    }

    /// <summary>Writes bytes as they are.</summary>
    public void WriteRaw(ReadOnlySpan<byte> bytes)
    {
        if (_output is null)
        {
            _written += bytes.Length;
            return;
        }

        while (!bytes.IsEmpty)
        {
            Span<byte> place = GetSpan();
            int count = Math.Min(place.Length, bytes.Length);
            bytes[..count].CopyTo(place);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Writes bytes as they are.</summary>
    public void WriteRaw(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment)
        {
            WriteRaw(bytes.FirstSpan);
            return;
        }

        foreach (ReadOnlyMemory<byte> part in bytes)
            WriteRaw(part.Span);
    }

    /// <summary>
    /// Space of at least one byte in the output, for a source that reads into it; follow with <see cref="Advance"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The writer only counts.</exception>
    public Span<byte> GetSpan()
    {
        if (_used == _chunk.Length)
            NextChunk(MinimumChunk);
        return _chunk[_used..];
    }

    /// <summary>Takes the first <paramref name="count"/> bytes of what <see cref="GetSpan"/> returned as written.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_chunk.Length - _used), nameof(count));
        _used += count;
        _written += count;
    }

    /// <summary>Counts bytes without writing them.</summary>
    /// <exception cref="InvalidOperationException">The writer does write.</exception>
    public void Skip(int count)
    {
        if (!IsCounting)
            throw new InvalidOperationException("Only a counting writer can skip.");
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        _written += count;
    }

    /// <summary>Hands what is written to the output. The writer may be used further.</summary>
    public void Flush()
    {
        if (_used > 0)
            _output!.Advance(_used);
        _used = 0;
        _chunk = default;
    }

    private bool Reserve(int count, out Span<byte> place)
    {
        _written += count;
        if (_output is null)
        {
            place = default;
            return false;
        }

        if (_chunk.Length - _used < count)
            NextChunk(Math.Max(count, MinimumChunk));
        place = _chunk.Slice(_used, count);
        _used += count;
        return true;
    }

    private void NextChunk(int atLeast)
    {
        if (_output is null)
            throw new InvalidOperationException("A counting writer has no space to write to.");
        Flush();
        _chunk = _output.GetSpan(atLeast);
    }

    private void WriteLength(int length, bool flexible, bool nullable, string field)
    {
        if (flexible)
            WriteCompactLength(length, nullable, field);
        else
            WriteInt32(CheckNull(length, nullable, field));
    }

    private void WriteCompactLength(int length, bool nullable, string field) =>
        WriteUnsignedVarint((uint)CheckNull(length, nullable, field) + 1);

    private static int CheckNull(int length, bool nullable, string field) => length >= 0 || nullable
        ? length
        : throw new KafkaWireException(KafkaWireError.Malformed, $"{field} is null in a version where it may not be.");
}
