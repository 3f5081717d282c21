using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Log;

/// <summary>
/// A place that holds batches of many logs in the order in which they came: a journal file, or a block of memory.
/// </summary>
internal abstract class BatchFile : IByteSource
{
    private const int ScatteredShift = 40;

    private readonly Lock _scatteredLock = new();
    private readonly List<Piece[]> _scattered = [];

    /// <summary>A part of a batch that a fragmented commit spread over several rounds.</summary>
    public readonly record struct Piece(int Position, int Length);

    /// <summary>Rises from one file to the next.</summary>
    public abstract long Number { get; }

    public abstract bool TryAcquire();

    public abstract void Release();

    /// <summary>Turns an index entry's position into one that <see cref="Read"/> takes.</summary>
    public static long Address(int position) => position >= 0 ? position : (long)~position + 1 << ScatteredShift;

    /// <summary>Notes a batch that lies in several pieces; the result stands for its position.</summary>
    public int AddScattered(Piece[] pieces)
    {
        lock (_scatteredLock)
        {
            _scattered.Add(pieces);
            return ~(_scattered.Count - 1);
        }
    }

    public void Read(long position, Span<byte> buffer)
    {
        var scattered = (int)(position >> ScatteredShift);
        if (scattered == 0)
        {
            ReadPlain((int)position, buffer);
            return;
        }
        Piece[] pieces;
        lock (_scatteredLock) pieces = _scattered[scattered - 1];
        var skip = (int)(position & ((1L << ScatteredShift) - 1));
        foreach (var piece in pieces)
        {
            if (skip >= piece.Length)
            {
                skip -= piece.Length;
                continue;
            }
            var take = Math.Min(piece.Length - skip, buffer.Length);
            ReadPlain(piece.Position + skip, buffer[..take]);
            buffer = buffer[take..];
            skip = 0;
            if (buffer.IsEmpty) return;
        }
        throw new CorruptDataException($"A scattered batch in file {Number} is shorter than its index says.");
    }

    protected abstract void ReadPlain(int position, Span<byte> buffer);
}
