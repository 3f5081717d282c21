using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log.Compaction;

/// <summary>
/// One pass over a log: learns the newest offset of each key in what is dirty, as far as memory allows, and writes
/// what stays of everything up to there.
/// </summary>
internal sealed class CompactionPass : IDisposable
{
    private const int BatchesAtATime = 256;
    private const long MaxRegionBytes = 1L << 30;

    private readonly Store _store;
    private readonly DirtyLog _dirty;
    private readonly Throttle _throttle;
    private readonly CancellationToken _stop;
    private readonly KeyOffsets _keys;
    private readonly Dictionary<long, ProducerEnd> _producers;
    private readonly CompactedTransactions _transactions;
    private readonly List<Located> _located = [];
    private readonly RecordBatchReader _reader = new();
    private byte[] _buffer = [];

    private readonly record struct Located(long BaseOffset, long EndOffset, IByteSource Source, long Position, int Length);

    public CompactionPass(Store store, DirtyLog dirty, Throttle throttle, CancellationToken stop)
    {
        _store = store;
        _dirty = dirty;
        _throttle = throttle;
        _stop = stop;
        _keys = new KeyOffsets(store.Options.CompactionKeyBytes, BitConverter.ToInt64(store.Id.ToByteArray()));
        lock (dirty.Log.Lock)
        {
            _producers = dirty.Log.ProducersOrNull?.Ends() ?? [];
            _transactions = new CompactedTransactions(dirty.Log.ProducersOrNull?.Aborted ?? []);
        }
    }

    /// <summary>Does the pass; null if there turned out to be nothing to do.</summary>
    /// <param name="output">Where to write to; one that several logs share.</param>
    /// <param name="indexes">For the new segments.</param>
    /// <exception cref="CorruptDataException">The log cannot be read.</exception>
    /// <exception cref="DiskFullException">There is no room.</exception>
    public async Task<Replacement?> RunAsync(SegmentOutput output, SparseIndexCache indexes)
    {
        var end = await LearnKeysAsync();
        if (end <= _dirty.DirtyFrom) return null;
        var input = _dirty.Stored.FindAll(c => c.BaseOffset < end);
        using var cleaner = new BatchCleaner(
            _keys, end, _transactions, _producers, _store.Time.GetUtcNow().ToUnixTimeMilliseconds(), _dirty.Settings.TombstoneRetentionMs);
        var replacement = new Replacement { Log = _dirty.Log, Before = [.. input], CleanUpTo = end, DroppedMarkers = cleaner.DroppedMarkers };
        var regionBase = -1L;
        var regionBytes = 0L;
        foreach (var chunk in input)
        {
            await ForEachAsync(chunk, _dirty.Start, long.MaxValue, async (batch, bytes) =>
            {
                var kept = cleaner.Clean(bytes);
                if (kept.IsEmpty) return true;
                if (regionBase >= 0 && (regionBytes + kept.Length > MaxRegionBytes || batch.EndOffset - regionBase > int.MaxValue))
                {
                    replacement.After.Add(new SegmentChunk(output.File, await output.Writer.EndRegionAsync(), indexes));
                    regionBase = -1;
                }
                if (regionBase < 0)
                {
                    output.Writer.BeginRegion(_dirty.Log.Id);
                    (regionBase, regionBytes) = (batch.BaseOffset, 0);
                }
                output.Reserve(kept.Length);
                await output.Writer.AddAsync(kept);
                regionBytes += kept.Length;
                await _throttle.SpendAsync(kept.Length, _stop);
                return true;
            });
        }
        if (regionBase >= 0) replacement.After.Add(new SegmentChunk(output.File, await output.Writer.EndRegionAsync(), indexes));
        return replacement;
    }

    /// <summary>Goes through what is dirty; the offset that was reached: its end, or where memory was full.</summary>
    private async Task<long> LearnKeysAsync()
    {
        var reached = _dirty.DirtyFrom;
        foreach (var chunk in _dirty.Stored)
        {
            if (chunk.EndOffset <= _dirty.DirtyFrom) continue;
            if (chunk.BaseOffset >= _dirty.DirtyTo) break;
            var full = false;
            await ForEachAsync(chunk, _dirty.DirtyFrom, _dirty.DirtyTo, (batch, bytes) =>
            {
                full = !Learn(bytes, ref reached);
                return ValueTask.FromResult(!full);
            });
            if (full) return reached;
        }
        return _dirty.DirtyTo;
    }

    private bool Learn(ReadOnlyMemory<byte> batch, ref long reached)
    {
        RecordBatchHeader.TryRead(batch.Span, out var header);
        var hasKeys = !header.IsControl && header.RecordCount > 0 && !(header.IsTransactional && _transactions.IsAborted(header.ProducerId, header.BaseOffset));
        if (hasKeys)
        {
            var error = _reader.Open(batch, int.MaxValue);
            if (error != BatchError.None) throw new CorruptDataException($"The batch at offset {header.BaseOffset} cannot be read: {error}.");
            var records = _reader.Records;
            while (records.MoveNext())
            {
                var record = records.Current;
                if (record.Offset < _dirty.DirtyFrom) continue;
                reached = record.Offset;
                if (!record.Key.IsNull && !_keys.TryPut(record.Key.Span, record.Offset)) return false;
            }
            if (records.Error != BatchError.None) throw new CorruptDataException($"The batch at offset {header.BaseOffset} cannot be read: {records.Error}.");
        }
        reached = header.LastOffset + 1;
        return true;
    }

    /// <summary>Reads the batches of a chunk that lie between two offsets, a few at a time, until one is enough.</summary>
    private async Task ForEachAsync(Chunk chunk, long from, long to, Func<Located, ReadOnlyMemory<byte>, ValueTask<bool>> visit)
    {
        for (var next = from; next < Math.Min(to, chunk.EndOffset);)
        {
            Locate(chunk, next, to);
            if (_located.Count == 0) return;
            foreach (var batch in _located)
            {
                _stop.ThrowIfCancellationRequested();
                if (!await visit(batch, Read(batch))) return;
                await _throttle.SpendAsync(batch.Length, _stop);
            }
            next = _located[^1].EndOffset;
        }
    }

    private void Locate(Chunk chunk, long from, long to)
    {
        _located.Clear();
        chunk.Visit(from, (baseOffset, source, position, length, bytes) =>
        {
            RecordBatchHeader.TryRead(bytes, out var header);
            if (baseOffset >= to) return false;
            var end = baseOffset + header.LastOffsetDelta + 1;
            if (end > from) _located.Add(new Located(baseOffset, end, source, position, length));
            return _located.Count < BatchesAtATime;
        });
    }

    private ReadOnlyMemory<byte> Read(in Located batch)
    {
        if (_buffer.Length < batch.Length)
        {
            if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(batch.Length);
        }
        var bytes = _buffer.AsMemory(0, batch.Length);
        batch.Source.Read(batch.Position, bytes.Span);
        RecordBatch.SetBaseOffset(bytes.Span, batch.BaseOffset);
        if (RecordBatches.Measure(bytes.Span, out var size) != BatchError.None || size != batch.Length)
            throw new CorruptDataException($"There is no batch at offset {batch.BaseOffset} of log {_dirty.Log.Id}.");
        return bytes;
    }

    public void Dispose()
    {
        _reader.Dispose();
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }
}
