using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log;

/// <summary>Reads the control batches that end transactions.</summary>
internal static class ControlMarker
{
    /// <summary>The marker that a control batch holds; null if it is none, or a batch of another kind.</summary>
    public static EndTransactionMarker? Read(in RecordBatchHeader header, ReadOnlySpan<byte> batch)
    {
        if (!header.IsControl) return null;
        var records = new RecordReader(header, batch[RecordBatchHeader.Size..]);
        return records.MoveNext() && EndTransactionMarker.TryRead(records.Current, out var marker) ? marker : null;
    }

    /// <summary>Whether a batch is a control batch that aborts a transaction.</summary>
    public static bool IsAbort(ReadOnlySpan<byte> batch) =>
        RecordBatchHeader.TryRead(batch, out var header) && Read(header, batch) is { Type: ControlRecordType.Abort };
}
