using System.Buffers.Binary;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log;

/// <summary>Tells the control batches that end transactions apart.</summary>
internal static class ControlMarker
{
    private const short Abort = 0;

    /// <summary>
    /// Whether a batch is a control batch that aborts. Its one record's key is an int16 version and an int16 type,
    /// 0 for abort and 1 for commit (KIP-98, "Control messages").
    /// </summary>
    public static bool IsAbort(ReadOnlySpan<byte> batch)
    {
        if (!RecordBatchHeader.TryRead(batch, out var header) || !header.IsControl) return false;
        var record = batch[RecordBatchHeader.Size..];
        // Record length, attributes, timestamp delta, offset delta, key length; then the key.
        if (!SkipVarint(ref record)) return false;
        record = record[1..];
        if (!SkipVarint(ref record) || !SkipVarint(ref record) || !SkipVarint(ref record)) return false;
        return record.Length >= 4 && BinaryPrimitives.ReadInt16BigEndian(record[2..]) == Abort;
    }

    private static bool SkipVarint(ref ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length - 1 && i < 10; i++)
        {
            if ((bytes[i] & 0x80) != 0) continue;
            bytes = bytes[(i + 1)..];
            return true;
        }
        return false;
    }
}
