using Dragoman.Kafka.Wire;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Kafka.Handlers;

/// <summary>Batches that were found in a log and go into a response from there.</summary>
internal sealed class StoredRecords : IRecordsSource
{
    /// <summary>What was found.</summary>
    public LogRead Read { get; } = new();

    public int Length => Read.TotalBytes;

    public void WriteTo(ref KafkaWriter writer)
    {
        for (var done = 0; done < Length;)
        {
            var target = writer.GetSpan();
            if (target.Length > Length - done) target = target[..(Length - done)];
            var count = Read.CopyTo(done, target);
            if (count == 0) throw new IOException($"The log has {done} bytes where {Length} were found.");
            writer.Advance(count);
            done += count;
        }
    }

    /// <summary>Copies bytes from a position on.</summary>
    public int CopyTo(int from, Span<byte> target) => Read.CopyTo(from, target);

    /// <summary>Whether a batch is compressed with zstd, which old clients cannot read and do not always notice.</summary>
    public bool HasZstd()
    {
        Span<byte> bytes = stackalloc byte[RecordBatchHeader.Size];
        for (var at = 0L; at < Length;)
        {
            if (!RecordBatchHeader.TryRead(bytes[..Read.CopyTo((int)at, bytes)], out var header)) return false;
            if (header.Codec == CompressionCodec.Zstd) return true;
            at += header.TotalSize;
        }
        return false;
    }
}
