using System.Buffers;

namespace Dragoman.Redis.Sessions;

/// <summary>
/// Bytes that wait to be sent, in pieces out of a pool: what a slow client lets gather is not copied when it grows, and
/// what is sent goes back at once. Not safe for concurrent use.
/// </summary>
internal sealed class ByteQueue
{
    private const int PieceBytes = 4096;
    private const int MaxKept = 4096;
    private const int LargestPiece = 64 << 10;

    private static readonly Lock PoolLock = new();
    private static readonly Stack<Piece> Pool = new();

    [ThreadStatic]
    private static Piece? _spare;

    private Piece? _first;
    private Piece? _last;
    private int _taken;

    private sealed class Piece(byte[] bytes)
    {
        public byte[] Bytes { get; } = bytes;

        public int Length { get; set; }

        public Piece? Next { get; set; }
    }

    /// <summary>Bytes in it.</summary>
    public long Length { get; private set; }

    /// <summary>Adds bytes.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        if (_last is { } last && last.Bytes.Length - last.Length >= bytes.Length)
        {
            bytes.CopyTo(last.Bytes.AsSpan(last.Length));
            last.Length += bytes.Length;
            return;
        }
        while (!bytes.IsEmpty)
        {
            var piece = _last;
            if (piece is null || piece.Length == piece.Bytes.Length)
            {
                piece = Rent(bytes.Length);
                if (_last is null) _first = piece;
                else _last.Next = piece;
                _last = piece;
            }
            var part = bytes[..Math.Min(bytes.Length, piece.Bytes.Length - piece.Length)];
            part.CopyTo(piece.Bytes.AsSpan(piece.Length));
            piece.Length += part.Length;
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>Takes bytes out, up to a number, and writes them.</summary>
    /// <returns>How many.</returns>
    public int MoveTo(IBufferWriter<byte> target, int most)
    {
        var moved = 0;
        while (_first is { } piece && moved < most)
        {
            var part = piece.Bytes.AsSpan(_taken, Math.Min(piece.Length - _taken, most - moved));
            target.Write(part);
            moved += part.Length;
            _taken += part.Length;
            if (_taken < piece.Length) break;
            _taken = 0;
            _first = piece.Next;
            if (_first is null) _last = null;
            Return(piece);
        }
        Length -= moved;
        return moved;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        while (_first is { } piece)
        {
            _first = piece.Next;
            Return(piece);
        }
        _last = null;
        _taken = 0;
        Length = 0;
    }

    private static Piece Rent(int bytes)
    {
        if (bytes > PieceBytes) return new Piece(ArrayPool<byte>.Shared.Rent(Math.Min(bytes, LargestPiece)));
        if (_spare is { } spare)
        {
            _spare = null;
            return spare;
        }
        lock (PoolLock)
        {
            if (Pool.TryPop(out var piece)) return piece;
        }
        return new Piece(new byte[PieceBytes]);
    }

    private static void Return(Piece piece)
    {
        piece.Next = null;
        piece.Length = 0;
        if (piece.Bytes.Length != PieceBytes)
        {
            ArrayPool<byte>.Shared.Return(piece.Bytes);
            return;
        }
        if (_spare is null)
        {
            _spare = piece;
            return;
        }
        lock (PoolLock)
        {
            if (Pool.Count < MaxKept) Pool.Push(piece);
        }
    }
}
