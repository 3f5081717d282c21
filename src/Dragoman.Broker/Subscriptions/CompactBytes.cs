using System.Buffers;
using System.Buffers.Binary;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Writes numbers in as few bytes as they need: base 128, least significant group first.</summary>
internal readonly ref struct CompactWriter(IBufferWriter<byte> target)
{
    private readonly IBufferWriter<byte> _target = target;

    public void Byte(byte value)
    {
        _target.GetSpan(1)[0] = value;
        _target.Advance(1);
    }

    /// <summary>A number that is not negative.</summary>
    public void Number(long value)
    {
        Invariant.Check(value >= 0, "only numbers from 0 up are written so");
        var span = _target.GetSpan(10);
        var length = 0;
        var rest = (ulong)value;
        while (rest >= 0x80)
        {
            span[length++] = (byte)(rest | 0x80);
            rest >>= 7;
        }
        span[length++] = (byte)rest;
        _target.Advance(length);
    }

    public void Hash(UInt128 value)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(_target.GetSpan(16), value);
        _target.Advance(16);
    }

    /// <summary>Ranges in rising order.</summary>
    public void Ranges(IReadOnlyList<OffsetRange> ranges)
    {
        Number(ranges.Count);
        var last = 0L;
        for (var i = 0; i < ranges.Count; i++)
        {
            Number(ranges[i].Start - last);
            Number(ranges[i].Count);
            last = ranges[i].End;
        }
    }
}

/// <summary>Reads what <see cref="CompactWriter"/> wrote.</summary>
internal ref struct CompactReader(ReadOnlySpan<byte> source)
{
    /// <summary>The largest offset that is taken for one.</summary>
    public const long MaxOffset = 1L << 62;

    private ReadOnlySpan<byte> _rest = source;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte()
    {
        if (_rest.IsEmpty) throw new CorruptDataException("A subscription's record ends too early.");
        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public long Number()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var group = Byte();
            value |= (ulong)(group & 0x7f) << shift;
            if (group >= 0x80) continue;
            return (long)value >= 0 ? (long)value : throw new CorruptDataException("A number in a subscription's record is too large.");
        }
        throw new CorruptDataException("A number in a subscription's record does not end.");
    }

    /// <summary>An offset. Logs end long before numbers do, which leaves room to reckon with offsets.</summary>
    public long Offset()
    {
        var value = Number();
        return value <= MaxOffset ? value : throw new CorruptDataException("An offset in a subscription's record is too large.");
    }

    /// <summary>A number that fits 31 bits.</summary>
    public int SmallNumber()
    {
        var value = Number();
        return value <= int.MaxValue ? (int)value : throw new CorruptDataException("A number in a subscription's record is too large.");
    }

    public UInt128 Hash()
    {
        if (_rest.Length < 16) throw new CorruptDataException("A subscription's record ends too early.");
        var value = BinaryPrimitives.ReadUInt128LittleEndian(_rest);
        _rest = _rest[16..];
        return value;
    }

    /// <summary>Begins to read ranges.</summary>
    /// <param name="maxOffsets">The most offsets that they may hold together.</param>
    public RangeReader Ranges(long maxOffsets = long.MaxValue) => new(Count(), maxOffsets);

    /// <summary>Reads a count that at least as many bytes follow.</summary>
    public int Count()
    {
        var count = Number();
        if (count > _rest.Length) throw new CorruptDataException($"A subscription's record claims {count} entries in {_rest.Length} bytes.");
        return (int)count;
    }
}

/// <summary>Reads ranges one by one.</summary>
internal struct RangeReader(int count, long maxOffsets)
{
    private int _left = count;
    private long _offsets = maxOffsets;
    private long _last;

    public bool TryRead(ref CompactReader reader, out OffsetRange range)
    {
        range = default;
        if (_left-- == 0) return false;
        var (distance, length) = (reader.Number(), reader.Number());
        if (distance > CompactReader.MaxOffset - _last || length > CompactReader.MaxOffset - _last - distance || length > _offsets)
            throw new CorruptDataException($"A range of {length} offsets in a subscription's record is too large.");
        _offsets -= length;
        range = new OffsetRange(_last + distance, _last + distance + length);
        _last = range.End;
        return true;
    }
}
