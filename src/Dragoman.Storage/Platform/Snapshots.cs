using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Dragoman.Storage.Platform;

/// <summary>Writes the plain, versioned, little-endian encoding that snapshots and events use.</summary>
public readonly ref struct SnapshotWriter(IBufferWriter<byte> target)
{
    private readonly IBufferWriter<byte> _target = target;

    /// <summary>Writes one byte.</summary>
    public void Byte(byte value)
    {
        _target.GetSpan(1)[0] = value;
        _target.Advance(1);
    }

    /// <summary>Writes one byte, 0 or 1.</summary>
    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    /// <summary>Writes four bytes.</summary>
    public void Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_target.GetSpan(4), value);
        _target.Advance(4);
    }

    /// <summary>Writes eight bytes.</summary>
    public void Int64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_target.GetSpan(8), value);
        _target.Advance(8);
    }

    /// <summary>Writes a 16-byte id.</summary>
    public void Guid(Guid value)
    {
        value.TryWriteBytes(_target.GetSpan(16));
        _target.Advance(16);
    }

    /// <summary>Writes a length and that many bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        Int32(value.Length);
        _target.Write(value);
    }

    /// <summary>Writes a UTF-8 text behind its length.</summary>
    public void Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Int32(length);
        Encoding.UTF8.GetBytes(value, _target.GetSpan(Math.Max(length, 1)));
        _target.Advance(length);
    }
}

/// <summary>Reads what <see cref="SnapshotWriter"/> wrote.</summary>
/// <remarks>Every member throws <see cref="CorruptDataException"/> where the bytes end too early.</remarks>
public ref struct SnapshotReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    /// <summary>Whether nothing is left.</summary>
    public readonly bool AtEnd => _rest.IsEmpty;

    /// <summary>Reads one byte.</summary>
    public byte Byte() => Take(1)[0];

    /// <summary>Reads one byte, 0 or 1.</summary>
    public bool Bool() => Byte() != 0;

    /// <summary>Reads four bytes.</summary>
    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    /// <summary>Reads eight bytes.</summary>
    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    /// <summary>
    /// Reads how many items follow. As each takes a byte at least, there are no more than bytes are left, so what is made for
    /// them is bounded by what was read.
    /// </summary>
    public int Count()
    {
        var count = Int32();
        if ((uint)count > (uint)_rest.Length)
            throw new CorruptDataException($"A count of {count} goes beyond the {_rest.Length} bytes that are left.");
        return count;
    }

    /// <summary>As <see cref="Count"/>, with -1 for no items at all, which is something else than 0 of them.</summary>
    public int OptionalCount()
    {
        var rest = _rest;
        var count = Int32();
        if (count == -1) return -1;
        _rest = rest;
        return Count();
    }

    /// <summary>Reads a 16-byte id.</summary>
    public Guid Guid() => new(Take(16));

    /// <summary>Reads a length and that many bytes.</summary>
    public ReadOnlySpan<byte> Bytes() => Take(Int32());

    /// <summary>Reads a UTF-8 text.</summary>
    public string Text() => Encoding.UTF8.GetString(Bytes());

    /// <summary>Reads a version byte and refuses one that this release does not know.</summary>
    /// <exception cref="CorruptDataException">The version is newer than <paramref name="newest"/>.</exception>
    public byte Version(byte newest, string what)
    {
        var version = Byte();
        if (version == 0 || version > newest)
            throw new CorruptDataException($"The {what} has format {version}; this release reads up to {newest}. Run the release that wrote it, or a newer one.");
        return version;
    }

    /// <summary>Checks that all was read.</summary>
    public readonly void End(string what)
    {
        if (!_rest.IsEmpty) throw new CorruptDataException($"{_rest.Length} bytes follow the end of the {what}.");
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if ((uint)length > (uint)_rest.Length)
            throw new CorruptDataException($"A length of {length} goes beyond the {_rest.Length} bytes that are left.");
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
