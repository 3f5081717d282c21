using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log;

/// <summary>The batches of a log in a segment file: contiguous, immutable, found through a sparse index that is read when needed.</summary>
internal sealed class SegmentChunk : Chunk
{
    private readonly SparseIndexCache _indexes;

    public SegmentChunk(StoreFile file, SegmentRegion region, SparseIndexCache indexes)
    {
        File = file;
        Region = region;
        _indexes = indexes;
        BaseOffset = region.BaseOffset;
        EndOffset = region.EndOffset;
        DataBytes = region.Length;
        MaxTimestamp = region.MaxTimestamp;
    }

    public StoreFile File { get; }

    public SegmentRegion Region { get; }

    private SparseIndex Index => _indexes.Get(File, Region.IndexPosition, Region.IndexCount);

    public override bool TryAcquire() => File.TryAcquire();

    public override void Release() => File.Release();

    public override void Close() => File.Close();

    public override bool Collect(long offset, long endOffset, int budget, LogRead read)
    {
        var start = offset <= BaseOffset ? 0 : PositionOf(offset);
        if (start < 0) return true;
        var wanted = Math.Max(budget - read.TotalBytes, 0);
        int stop;
        long next;
        if (EndOffset <= endOffset && Region.Length - start <= wanted)
        {
            stop = Region.Length;
            next = EndOffset;
        }
        else
        {
            (stop, next) = LastBoundary(start, endOffset, wanted, atLeastOne: read.TotalBytes == 0);
            if (stop == start) return false;
        }
        if (read.FirstOffset < 0) read.FirstOffset = offset <= BaseOffset ? BaseOffset : BaseOffsetAt(start);
        Invariant.Check(File.TryAcquire(), "the caller keeps the file");
        read.Add(File, Region.Position + start, stop - start, -1);
        read.NextOffset = next;
        return stop == Region.Length;
    }

    private long BaseOffsetAt(int position)
    {
        Span<byte> bytes = stackalloc byte[RecordBatchHeader.Size];
        File.Read(Region.Position + position, bytes);
        RecordBatchHeader.TryRead(bytes, out var header);
        return header.BaseOffset;
    }

    /// <summary>Position in the region of the batch that contains an offset, or of the first after it; -1 if there is none.</summary>
    private int PositionOf(long offset)
    {
        var walk = new BatchWalk(this, Index.AtOffset(offset - BaseOffset).Position);
        try
        {
            while (walk.MoveNext(out var header))
                if (header.LastOffset >= offset) return walk.Position;
            return -1;
        }
        finally
        {
            walk.Dispose();
        }
    }

    /// <summary>
    /// Where the last batch ends that is within the bytes wanted and before the end offset, and the offset after it.
    /// </summary>
    private (int Stop, long Next) LastBoundary(int start, long endOffset, int wanted, bool atLeastOne)
    {
        var index = Index;
        var near = Math.Min(index.AtPosition((long)start + wanted).Position, endOffset < EndOffset ? index.AtOffset(endOffset - BaseOffset).Position : int.MaxValue);
        var stop = Math.Max(start, near);
        var next = -1L;
        var walk = new BatchWalk(this, stop);
        try
        {
            while (walk.MoveNext(out var header))
            {
                next = header.BaseOffset;
                var fits = walk.Position + header.TotalSize - start <= wanted || (atLeastOne && walk.Position == start);
                if (!fits || header.LastOffset >= endOffset) break;
                stop = (int)(walk.Position + header.TotalSize);
                next = header.LastOffset + 1;
            }
        }
        finally
        {
            walk.Dispose();
        }
        return (stop, next);
    }

    public override void Visit(long fromOffset, BatchVisitor visitor)
    {
        var start = fromOffset <= BaseOffset ? 0 : PositionOf(fromOffset);
        if (start < 0) return;
        var walk = new BatchWalk(this, start);
        try
        {
            while (walk.MoveNext(out var header))
                if (!visitor(header.BaseOffset, File, Region.Position + walk.Position, (int)header.TotalSize, walk.Header)) return;
        }
        finally
        {
            walk.Dispose();
        }
    }

    public override long SeekTime(long timestamp) => BaseOffset + Index.BeforeTime(timestamp).OffsetDelta;

    public override long OffsetKeeping(long bytes) =>
        bytes >= Region.Length ? BaseOffset : BaseOffset + Index.AtPosition(Region.Length - bytes).OffsetDelta;

    public override long BytesFrom(long offset)
    {
        if (offset <= BaseOffset) return Region.Length;
        if (offset >= EndOffset) return 0;
        return Region.Length - Index.AtOffset(offset - BaseOffset).Position;
    }

    /// <summary>Walks batch headers from a position of the region on, reading a few kilobytes at a time.</summary>
    private ref struct BatchWalk(SegmentChunk chunk, int start)
    {
        private const int WindowBytes = 4096;

        private readonly byte[] _window = ArrayPool<byte>.Shared.Rent(WindowBytes);
        private int _windowStart;
        private int _windowLength;
        private int _next = start;

        /// <summary>Position of the batch in the region.</summary>
        public int Position { get; private set; }

        public readonly ReadOnlySpan<byte> Header => _window.AsSpan(Position - _windowStart, RecordBatchHeader.Size);

        public bool MoveNext(out RecordBatchHeader header)
        {
            header = default;
            var region = chunk.Region;
            if (_next >= region.Length) return false;
            if (_next < _windowStart || _next + RecordBatchHeader.Size > _windowStart + _windowLength)
            {
                _windowStart = _next;
                _windowLength = Math.Min(_window.Length, region.Length - _next);
                chunk.File.Read(region.Position + _next, _window.AsSpan(0, _windowLength));
            }
            Position = _next;
            if (!RecordBatchHeader.TryRead(_window.AsSpan(_next - _windowStart, Math.Min(RecordBatchHeader.Size, _windowLength - (_next - _windowStart))), out header)
                || header.BatchLength < RecordBatchHeader.MinBatchLength || header.TotalSize > region.Length - _next)
                throw new CorruptDataException($"{chunk.File.Path} does not hold a batch at {region.Position + _next}, where one of log {region.LogId} should start.");
            _next += (int)header.TotalSize;
            return true;
        }

        public readonly void Dispose() => ArrayPool<byte>.Shared.Return(_window);
    }
}
