using System.Buffers;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// A body that comes in several frames, gathered in pooled blocks: one that grows large is never moved, and leaves nothing
/// behind for the garbage collector.
/// </summary>
internal sealed class GatheredBody : IDisposable
{
    private const int FirstBlock = 64 << 10;

    // The pool keeps a few of each size; larger ones would be kept for the rare message that needs them.
    private const int LargestBlock = 1 << 20;

    private Block? _first;
    private Block? _last;

    /// <summary>Bytes gathered.</summary>
    public long Length => _last is null ? 0 : _last.RunningIndex + _last.Length;

    /// <summary>All of it, valid until it is disposed of.</summary>
    public ReadOnlySequence<byte> Bytes => _first is null ? default : new ReadOnlySequence<byte>(_first, 0, _last!, _last!.Length);

    /// <summary>Adds what has come.</summary>
    public void Add(in ReadOnlySequence<byte> bytes)
    {
        foreach (var part in bytes) Add(part.Span);
    }

    /// <summary>Gives the blocks back; it is empty then and can be used again.</summary>
    public void Dispose()
    {
        for (var block = _first; block is not null; block = block.Following) ArrayPool<byte>.Shared.Return(block.Array);
        _first = _last = null;
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_last is null || _last.Room == 0)
            {
                _last = new Block(_last is null ? FirstBlock : Math.Min(2 * _last.Array.Length, LargestBlock), _last);
                _first ??= _last;
            }
            bytes = bytes[_last.Take(bytes)..];
        }
    }

    private sealed class Block : ReadOnlySequenceSegment<byte>
    {
        public Block(int bytes, Block? previous)
        {
            Array = ArrayPool<byte>.Shared.Rent(bytes);
            if (previous is null) return;
            RunningIndex = previous.RunningIndex + previous.Length;
            previous.Next = this;
        }

        public byte[] Array { get; }

        public int Length { get; private set; }

        public int Room => Array.Length - Length;

        public Block? Following => (Block?)Next;

        /// <summary>Takes what there is room for, and says how much that is.</summary>
        public int Take(ReadOnlySpan<byte> bytes)
        {
            var taken = Math.Min(Room, bytes.Length);
            bytes[..taken].CopyTo(Array.AsSpan(Length));
            Length += taken;
            Memory = Array.AsMemory(0, Length);
            return taken;
        }
    }
}
