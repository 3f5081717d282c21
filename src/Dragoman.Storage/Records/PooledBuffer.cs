using System.Buffers;

namespace Dragoman.Storage.Records;

/// <summary>
/// A growing byte buffer over pooled arrays. It has one owner, who disposes of it; spans and memories taken from it are
/// valid until the next write, <see cref="Clear"/> or <see cref="Dispose"/>. Not safe for concurrent use.
/// </summary>
/// <remarks>
/// Disposing gives the array back; the buffer is then empty and may be used again, and disposing twice is harmless, so
/// that the object itself can be kept and reused.
/// </remarks>
public sealed class PooledBuffer : IBufferWriter<byte>, IDisposable
{
    private const int MinCapacity = 512;

    // The pool keeps what it is given, in several places; a rare large array is better given back to the collector.
    private const int MostPooled = 16 << 20;

    private byte[] _array = [];
    private int _length;

    /// <summary>Bytes written.</summary>
    public int Length => _length;

    /// <summary>Bytes that fit without renting a larger array.</summary>
    public int Capacity => _array.Length;

    /// <summary>The bytes written.</summary>
    public ReadOnlySpan<byte> WrittenSpan => _array.AsSpan(0, _length);

    /// <summary>The bytes written.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _array.AsMemory(0, _length);

    /// <summary>The bytes written, to be changed in place.</summary>
    public Span<byte> WritableSpan => _array.AsSpan(0, _length);

    /// <summary>The bytes written, to be changed in place.</summary>
    public Memory<byte> WritableMemory => _array.AsMemory(0, _length);

    /// <summary>Forgets the content and keeps the array.</summary>
    public void Clear() => _length = 0;

    /// <summary>Forgets what was written behind a length, which must not exceed <see cref="Length"/>.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _length);
        _length = length;
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _array.Length - _length);
        _length += count;
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _array.AsSpan(_length);
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _array.AsMemory(_length);
    }

    /// <summary>Appends bytes.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>Gives the array back.</summary>
    public void Dispose()
    {
        byte[] array = _array;
        _array = [];
        _length = 0;
        Return(array);
    }

    private static byte[] Rent(int length) => length > MostPooled ? GC.AllocateUninitializedArray<byte>(length) : ArrayPool<byte>.Shared.Rent(length);

    private static void Return(byte[] array)
    {
        if (array.Length is > 0 and <= MostPooled)
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private void EnsureRoom(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        int wanted = Math.Max(sizeHint, 1);
        if (_array.Length - _length >= wanted)
        {
            return;
        }

        long needed = (long)_length + wanted;
        if (needed > Array.MaxLength)
        {
            throw new InvalidOperationException("A pooled buffer cannot grow beyond the largest array.");
        }

        long doubled = Math.Min(2L * _array.Length, Array.MaxLength);
        byte[] larger = Rent((int)Math.Max(Math.Max(needed, doubled), MinCapacity));
        _array.AsSpan(0, _length).CopyTo(larger);
        Return(_array);

        _array = larger;
    }
}
