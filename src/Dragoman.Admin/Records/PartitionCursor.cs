using System.Buffers;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Admin.Records;

/// <summary>Reads a partition from an offset on, a stretch of batches at a time, without what readers must not see.</summary>
internal sealed class PartitionCursor(IPartitionHandle partition, long position, long end) : IDisposable
{
    private const int ReadBytes = 512 * 1024;

    private readonly LogRead _read = new();
    private readonly RecordBatchReader _reader = new();
    private readonly List<AbortedTransaction> _aborted = [];

    /// <summary>Takes a record; false to stop.</summary>
    public delegate bool Visitor(int partition, in RecordView record);

    /// <summary>The partition.</summary>
    public IPartitionHandle Partition { get; } = partition;

    /// <summary>The next offset to read.</summary>
    public long Position { get; private set; } = position;

    /// <summary>The offset at which reading ends.</summary>
    public long End { get; } = end;

    /// <summary>Whether nothing is left, now or ever.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Visits the next stretch; false if there is nothing to read at present.</summary>
    /// <exception cref="IOException">The disk failed, or does not hold what it should.</exception>
    public async ValueTask<bool> ReadAsync(Visitor visit)
    {
        if (IsDone || Position >= End) return !(IsDone = true);
        var status = await Partition.ReadStableAsync(Position, ReadBytes, _read, _aborted);
        using (_read)
        {
            switch (status)
            {
                case PartitionStatus.Ok when _read.TotalBytes == 0:
                    return false;
                case PartitionStatus.Ok:
                    Visit(visit);
                    return true;
                case PartitionStatus.OffsetOutOfRange when Partition.TryGetOffsets(out var offsets) && offsets.Start > Position:
                    // Retention was faster.
                    Position = offsets.Start;
                    return true;
                case PartitionStatus.NotFound or PartitionStatus.Moved:
                    IsDone = true;
                    return false;
                default:
                    throw new IOException($"Partition {Partition.Index} cannot be read at offset {Position}: {status}.");
            }
        }
    }

    private void Visit(Visitor visit)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(_read.TotalBytes);
        try
        {
            var length = _read.TotalBytes;
            _read.CopyTo(bytes.AsSpan(0, length));
            for (var at = 0; at < length;)
            {
                var error = _reader.Open(bytes.AsMemory(at, length - at));
                if (error != BatchError.None) throw new IOException($"The batch at offset {Position} of partition {Partition.Index} cannot be read: {error}.");
                var header = _reader.Header;
                at += (int)header.TotalSize;
                if (!IsHidden(header) && !VisitBatch(visit)) return;
                Position = Math.Max(Position, header.LastOffset + 1);
            }
        }
        finally
        {
            _reader.Close();
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private bool VisitBatch(Visitor visit)
    {
        var records = _reader.Records;
        while (records.MoveNext())
        {
            ref readonly var record = ref records.Current;
            if (record.Offset < Position) continue;
            if (record.Offset >= End)
            {
                IsDone = true;
                return false;
            }
            Position = record.Offset + 1;
            if (!visit(Partition.Index, record))
            {
                IsDone = true;
                return false;
            }
        }
        return records.Error == BatchError.None ? true : throw new IOException($"The batch before offset {Position} of partition {Partition.Index} is damaged: {records.Error}.");
    }

    private bool IsHidden(in RecordBatchHeader header)
    {
        if (header.IsControl) return true;
        if (!header.IsTransactional) return false;
        foreach (var aborted in _aborted)
            if (aborted.ProducerId == header.ProducerId && header.BaseOffset >= aborted.FirstOffset && header.BaseOffset <= aborted.LastOffset) return true;
        return false;
    }

    public void Dispose()
    {
        _read.Dispose();
        _reader.Dispose();
    }
}
