namespace Dragoman.Storage.Records;

/// <summary>
/// Bytes that may be absent: a record's key or value, or a header's value, where null and empty mean different things.
/// The default is null.
/// </summary>
public readonly ref struct NullableBytes
{
    private readonly ReadOnlySpan<byte> _span;
    private readonly bool _present;

    /// <summary>Bytes that are present, even if there are none of them.</summary>
    public NullableBytes(ReadOnlySpan<byte> span)
    {
        _span = span;
        _present = true;
    }

    /// <summary>Absent bytes.</summary>
    public static NullableBytes Null => default;

    /// <summary>Whether the bytes are absent.</summary>
    public bool IsNull => !_present;

    /// <summary>The bytes; empty if they are absent.</summary>
    public ReadOnlySpan<byte> Span => _span;

    /// <summary>How many bytes there are; 0 if they are absent.</summary>
    public int Length => _span.Length;

    /// <summary>Wraps bytes that are present.</summary>
    public static implicit operator NullableBytes(ReadOnlySpan<byte> span) => new(span);

    /// <summary>Wraps bytes that are present.</summary>
    public static implicit operator NullableBytes(Span<byte> span) => new(span);

    /// <summary>Wraps an array; null is absent.</summary>
    public static implicit operator NullableBytes(byte[]? array) => array is null ? default : new(array);

    /// <summary>The bytes as an array, or null.</summary>
    public byte[]? ToArray() => _present ? _span.ToArray() : null;
}
