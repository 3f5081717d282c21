using System.Runtime.InteropServices;
using Dragoman.Storage.Log;

namespace Dragoman.Storage.Journal;

/// <summary>Maps a stretch of a commit's body to where it lies in the file.</summary>
internal static class CommitPlacement
{
    /// <summary>
    /// The position of a stretch that lies in one piece; or the pieces of one that does not, with position 0.
    /// </summary>
    /// <param name="pieces">Where the commit's fragments lie, in order.</param>
    /// <param name="start">Start of the stretch in the body.</param>
    /// <param name="length">Its length.</param>
    public static (int Position, BatchFile.Piece[]? Pieces) Locate(List<BatchFile.Piece> pieces, int start, int length)
    {
        List<BatchFile.Piece>? several = null;
        foreach (ref readonly var piece in CollectionsMarshal.AsSpan(pieces))
        {
            if (start >= piece.Length)
            {
                start -= piece.Length;
                continue;
            }
            if (several is null && start + length <= piece.Length) return (piece.Position + start, null);
            var take = Math.Min(piece.Length - start, length);
            (several ??= []).Add(new BatchFile.Piece(piece.Position + start, take));
            length -= take;
            start = 0;
            if (length == 0) return (0, [.. several]);
        }
        throw new CorruptStoreException("A batch lies outside the commit that holds it.");
    }
}
