using System.Buffers;

namespace Dragoman.Protocols.Framing;

/// <summary>
/// One message's bytes, in one piece, without its length prefix. Whoever took it from the reader owns it, and disposes
/// of it once: the memory is pooled.
/// </summary>
public sealed class Frame : IDisposable
{
    private readonly ByteBudget _budget;
    private byte[] _buffer = [];

    internal Frame(ByteBudget budget) => _budget = budget;

    /// <summary>The bytes. They stay where they are, and may be changed, until the frame is disposed.</summary>
    public Memory<byte> Memory => _buffer.AsMemory(0, Length);

    /// <summary>Number of bytes.</summary>
    public int Length { get; private set; }

    internal int Capacity => _buffer.Length;

    /// <summary>Bytes of the budget that it holds.</summary>
    internal int Charged { get; set; }

    /// <summary>Makes room for so many bytes altogether.</summary>
    internal void Grow(int capacity)
    {
        var larger = ArrayPool<byte>.Shared.Rent(capacity);
        _buffer.AsSpan(0, Length).CopyTo(larger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    internal void Append(in ReadOnlySequence<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(Length));
        Length += (int)bytes.Length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        Length = 0;
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        if (Charged > 0) _budget.Return(Charged);
        Charged = 0;
    }
}
