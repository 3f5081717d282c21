using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Log;

/// <summary>
/// Writes a segment file: a header, one region after another, each region's sparse index, and a table of the regions.
/// </summary>
/// <remarks>
/// <code>
/// header (32 bytes):  0 u64 magic  8 u32 format version  12 u32 zero  16 i64 file number  24 u64 XXH3 of bytes 0-23
/// regions:            batches in Kafka's record batch format v2, then 16-byte index entries (i32 offset delta, i32 position, i64 time)
/// table:              per region: i64 log, i64 position, i32 length, i64 base offset, i64 end offset, i64 time, i64 index position, i32 index count
/// trailer (32 bytes): 0 i64 table position  8 i32 regions  12 u32 zero  16 u64 XXH3 of the table  24 u64 magic
/// </code>
/// Little-endian, but for the batches.
/// </remarks>
internal sealed class SegmentWriter : IDisposable
{
    public const int FormatVersion = 1;
    public const int HeaderSize = 32;
    public const int TrailerSize = 32;
    public const int TableEntrySize = 56;
    public const ulong Magic = 0x474553_4E4D4752_44; // "DRGMNSEG"

    private const int BufferBytes = 1 << 20;

    private readonly IStorageFile _file;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private readonly List<SparseIndexEntry> _index = [];
    private readonly List<SegmentRegion> _regions = [];
    private int _buffered;
    private long _flushed;
    private long _regionStart;
    private long _regionLog = -1;
    private long _baseOffset;
    private long _endOffset;
    private long _maxTimestamp;
    private long _lastIndexed;

    public SegmentWriter(IStorageFile file, long number)
    {
        _file = file;
        var header = _buffer.AsSpan(0, HeaderSize);
        header.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], FormatVersion);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], number);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], XxHash3.HashToUInt64(header[..24]));
        _buffered = HeaderSize;
    }

    /// <summary>Bytes written so far.</summary>
    public long Length => _flushed + _buffered;

    public void BeginRegion(long logId)
    {
        _regionLog = logId;
        _regionStart = Length;
        _maxTimestamp = long.MinValue;
        _lastIndexed = long.MinValue / 2;
        _index.Clear();
    }

    /// <summary>Copies a batch from where it lies.</summary>
    public async ValueTask AddAsync(IByteSource source, long position, int length, long baseOffset)
    {
        var start = Length;
        for (var done = 0; done < length;)
        {
            if (_buffered == _buffer.Length) await FlushAsync();
            var take = Math.Min(length - done, _buffer.Length - _buffered);
            // The header is looked at below, so it is not split.
            if (done == 0 && take < RecordBatchHeader.Size)
            {
                await FlushAsync();
                continue;
            }
            var target = _buffer.AsSpan(_buffered, take);
            source.Read(position + done, target);
            if (done == 0) Note(target, start, baseOffset);
            _buffered += take;
            done += take;
        }
    }

    /// <summary>Adds a batch that is in memory and bears its base offset.</summary>
    public async ValueTask AddAsync(ReadOnlyMemory<byte> batch)
    {
        var start = Length;
        // The header is looked at in the buffer.
        if (_buffer.Length - _buffered < RecordBatchHeader.Size) await FlushAsync();
        for (var done = 0; done < batch.Length;)
        {
            if (_buffered == _buffer.Length) await FlushAsync();
            var take = Math.Min(batch.Length - done, _buffer.Length - _buffered);
            var target = _buffer.AsSpan(_buffered, take);
            batch.Span.Slice(done, take).CopyTo(target);
            if (done == 0)
            {
                RecordBatchHeader.TryRead(target, out var header);
                Note(target, start, header.BaseOffset);
            }
            _buffered += take;
            done += take;
        }
    }

    private void Note(Span<byte> batch, long start, long baseOffset)
    {
        RecordBatch.SetBaseOffset(batch, baseOffset);
        RecordBatchHeader.TryRead(batch, out var header);
        if (start == _regionStart) _baseOffset = baseOffset;
        _endOffset = header.LastOffset + 1;
        _maxTimestamp = Math.Max(_maxTimestamp, header.MaxTimestamp);
        if (start - _lastIndexed < SparseIndex.Interval) return;
        _index.Add(new SparseIndexEntry(checked((int)(baseOffset - _baseOffset)), (int)(start - _regionStart), _maxTimestamp));
        _lastIndexed = start;
    }

    public async ValueTask<SegmentRegion> EndRegionAsync()
    {
        var length = (int)(Length - _regionStart);
        while (Length % 8 != 0) await WriteAsync(new byte[8 - Length % 8]);
        var indexPosition = Length;
        await WriteAsync(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_index)).ToArray());
        var region = new SegmentRegion(_regionLog, _regionStart, length, _baseOffset, _endOffset, _maxTimestamp, indexPosition, _index.Count);
        _regions.Add(region);
        return region;
    }

    /// <summary>Writes the table. The file is complete then, and not yet durable.</summary>
    public async ValueTask FinishAsync()
    {
        var tablePosition = Length;
        var table = new byte[_regions.Count * TableEntrySize];
        for (var i = 0; i < _regions.Count; i++) WriteTableEntry(table.AsSpan(i * TableEntrySize), _regions[i]);
        await WriteAsync(table);
        var trailer = new byte[TrailerSize];
        BinaryPrimitives.WriteInt64LittleEndian(trailer, tablePosition);
        BinaryPrimitives.WriteInt32LittleEndian(trailer.AsSpan(8), _regions.Count);
        BinaryPrimitives.WriteUInt64LittleEndian(trailer.AsSpan(16), XxHash3.HashToUInt64(table));
        BinaryPrimitives.WriteUInt64LittleEndian(trailer.AsSpan(24), Magic);
        await WriteAsync(trailer);
        await FlushAsync();
    }

    private static void WriteTableEntry(Span<byte> target, SegmentRegion region)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, region.LogId);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], region.Position);
        BinaryPrimitives.WriteInt32LittleEndian(target[16..], region.Length);
        BinaryPrimitives.WriteInt64LittleEndian(target[20..], region.BaseOffset);
        BinaryPrimitives.WriteInt64LittleEndian(target[28..], region.EndOffset);
        BinaryPrimitives.WriteInt64LittleEndian(target[36..], region.MaxTimestamp);
        BinaryPrimitives.WriteInt64LittleEndian(target[44..], region.IndexPosition);
        BinaryPrimitives.WriteInt32LittleEndian(target[52..], region.IndexCount);
    }

    /// <summary>Reads an entry of the table of regions.</summary>
    public static SegmentRegion ReadTableEntry(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt64LittleEndian(source),
        BinaryPrimitives.ReadInt64LittleEndian(source[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[20..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[28..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[36..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[44..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[52..]));

    private async ValueTask WriteAsync(byte[] bytes)
    {
        for (var done = 0; done < bytes.Length;)
        {
            if (_buffered == _buffer.Length) await FlushAsync();
            var take = Math.Min(bytes.Length - done, _buffer.Length - _buffered);
            bytes.AsSpan(done, take).CopyTo(_buffer.AsSpan(_buffered));
            _buffered += take;
            done += take;
        }
    }

    private async ValueTask FlushAsync()
    {
        if (_buffered == 0) return;
        await _file.WriteAsync(_flushed, _buffer.AsMemory(0, _buffered));
        _flushed += _buffered;
        _buffered = 0;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _file.Dispose();
    }
}
