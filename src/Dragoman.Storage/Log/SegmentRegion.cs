namespace Dragoman.Storage.Log;

/// <summary>The part of a segment that holds one log's batches, one behind the other.</summary>
/// <param name="LogId">Whose batches.</param>
/// <param name="Position">Where they start in the file.</param>
/// <param name="Length">How many bytes they are.</param>
/// <param name="BaseOffset">Base offset of the first.</param>
/// <param name="EndOffset">The offset after the last.</param>
/// <param name="MaxTimestamp">Largest timestamp, in milliseconds since 1970.</param>
/// <param name="IndexPosition">Where the region's sparse index starts in the file.</param>
/// <param name="IndexCount">Entries of the index.</param>
internal sealed record SegmentRegion(
    long LogId, long Position, int Length, long BaseOffset, long EndOffset, long MaxTimestamp, long IndexPosition, int IndexCount);
