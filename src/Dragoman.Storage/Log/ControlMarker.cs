using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log;

/// <summary>Tells the control batches that end transactions apart.</summary>
internal static class ControlMarker
{
    /// <summary>Whether a batch is a control batch that aborts a transaction.</summary>
    public static bool IsAbort(ReadOnlySpan<byte> batch)
    {
        if (!RecordBatchHeader.TryRead(batch, out var header) || !header.IsControl) return false;
        var records = new RecordReader(header, batch[RecordBatchHeader.Size..]);
        return records.MoveNext()
            && EndTransactionMarker.TryReadType(records.Current, out var type)
            && type == ControlRecordType.Abort;
    }
}
