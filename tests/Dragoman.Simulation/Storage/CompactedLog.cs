using System.Text;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Simulation.Storage;

/// <summary>What must hold of a compacted log, whenever one looks.</summary>
internal static class CompactedLog
{
    private sealed record Record(long Offset, string Key, string? Value);

    /// <summary>Checks that what is left of a batch is a part of what was sent, at the same offsets.</summary>
    public static void CheckIsPart(byte[] now, byte[] sent, long baseOffset)
    {
        RecordBatchHeader.TryRead(now, out var after);
        RecordBatchHeader.TryRead(sent, out var before);
        var same = after.LastOffsetDelta == before.LastOffsetDelta && after.ProducerId == before.ProducerId && after.ProducerEpoch == before.ProducerEpoch
            && after.BaseSequence == before.BaseSequence && after.IsControl == before.IsControl && after.IsTransactional == before.IsTransactional
            && (after.RecordCount == 0 || after.Codec == before.Codec);
        StorageRun.Check(same, $"what is left of the batch at {baseOffset} is still that batch");
        StorageRun.Check(RecordBatchValidator.Validate(now, new BatchLimits(), out _) == BatchError.None, $"what is left of the batch at {baseOffset} is whole");
        if (after.IsControl) return;
        var all = Records(sent, baseOffset).ToHashSet();
        foreach (var record in Records(now, baseOffset)) StorageRun.Check(all.Contains(record), $"the record at {record.Offset} is what was sent");
    }

    /// <summary>
    /// Reads as a read-committed consumer does, and compares the table that it builds with that of all that was sent.
    /// </summary>
    public static void Verify(PartitionLog real, StorageModel.Log log, List<byte[]> found)
    {
        var (start, stable) = (real.StartOffset, real.LastStableOffset);
        StorageRun.Check(real.CleanUpTo <= real.HighWatermark, $"log {log.Id} is compacted up to {real.CleanUpTo}, beyond its end");
        List<AbortedTransaction> aborted;
        // Those that ended before where reading begins are none of the reader's business.
        lock (real.Lock) aborted = [.. real.Producers.Aborted.Where(t => t.LastOffset >= start)];
        aborted.Sort(static (a, b) => a.FirstOffset.CompareTo(b.FirstOffset));
        var skipping = new HashSet<long>();
        var table = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        foreach (var batch in found)
        {
            RecordBatchHeader.TryRead(batch, out var header);
            // The start may lie within a batch of an open transaction; that batch is not stable then.
            if (header.LastOffset >= stable) break;
            while (aborted.Count > 0 && aborted[0].FirstOffset <= header.LastOffset)
            {
                skipping.Add(aborted[0].ProducerId);
                aborted.RemoveAt(0);
            }
            if (header.IsControl)
            {
                if (ControlMarker.IsAbort(batch)) skipping.Remove(header.ProducerId);
                continue;
            }
            if (header.IsTransactional && skipping.Contains(header.ProducerId)) continue;
            foreach (var record in Records(batch, header.BaseOffset))
                if (record.Offset >= start) table[record.Key] = record.Value;
        }
        var expected = Expected(log, start, stable);
        foreach (var (key, value) in expected) StorageRun.Check(table.GetValueOrDefault(key) == value, $"the newest value of key {key} in log {log.Id} is there");
        // A value whose tombstone lies before the start may come back; nothing else may.
        foreach (var (key, value) in table) StorageRun.Check(value is null || expected.ContainsKey(key), $"key {key} in log {log.Id} has the value that was last given to it");
    }

    private static Dictionary<string, string> Expected(StorageModel.Log log, long start, long stable)
    {
        var ends = new Dictionary<long, bool>();
        var counted = new List<StorageModel.Batch>();
        // Backwards, the end of a transaction comes before its records.
        foreach (var batch in log.Batches.Values.Reverse())
        {
            if (batch.Marker is { } marker) ends[batch.Producer] = marker == ControlRecordType.Commit;
            else if (batch.BaseOffset + batch.Records <= stable && (batch.Producer < 0 || ends.GetValueOrDefault(batch.Producer))) counted.Add(batch);
        }
        var expected = new Dictionary<string, string>();
        foreach (var batch in Enumerable.Reverse(counted))
        {
            foreach (var record in Records(batch.Bytes, batch.BaseOffset))
            {
                if (record.Offset < start) continue;
                if (record.Value is null) expected.Remove(record.Key);
                else expected[record.Key] = record.Value;
            }
        }
        return expected;
    }

    private static List<Record> Records(byte[] batch, long baseOffset)
    {
        using var reader = new RecordBatchReader();
        StorageRun.Check(reader.Open(batch) == BatchError.None, "a batch can be read");
        var records = new List<Record>();
        var walk = reader.Records;
        while (walk.MoveNext())
        {
            var value = walk.Current.Value.IsNull ? null : Encoding.Latin1.GetString(walk.Current.Value.Span);
            records.Add(new Record(baseOffset + walk.Current.OffsetDelta, Convert.ToHexString(walk.Current.Key.Span), value));
        }
        return records;
    }
}
