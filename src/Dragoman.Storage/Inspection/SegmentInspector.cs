using System.Buffers.Binary;
using System.IO.Hashing;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Inspection;

/// <summary>Reads a segment file and compares all that it says with what is there.</summary>
internal sealed class SegmentInspector(IFileSystem files, string path, long number, List<InspectionFinding> findings)
{
    public SegmentInspection Inspect(bool isReferenced, bool verify, Action<long> advance, CancellationToken cancellation)
    {
        using var file = files.Open(path, FileOpenMode.Read);
        var window = new FileWindow(file);
        var shares = new List<LogShare>();
        if (CheckHeader(window) && ReadTable(window, file.Length) is { } regions)
        {
            foreach (var region in regions)
            {
                cancellation.ThrowIfCancellationRequested();
                shares.Add(verify ? Walk(window, region, file.Length) : new LogShare(region.LogId, -1, -1, region.Length, region.BaseOffset, region.EndOffset));
                advance(region.Length);
            }
        }
        return new SegmentInspection(number, path, file.Length, isReferenced, shares);
    }

    private bool CheckHeader(FileWindow window)
    {
        var header = window.At(0, SegmentWriter.HeaderSize);
        if (header.Length < SegmentWriter.HeaderSize
            || BinaryPrimitives.ReadUInt64LittleEndian(header) != SegmentWriter.Magic
            || BinaryPrimitives.ReadUInt64LittleEndian(header[24..]) != XxHash3.HashToUInt64(header[..24]))
            return Damage(0, "The file has no valid segment header.");
        var version = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        if (version > SegmentWriter.FormatVersion) return Damage(8, $"The file has format {version}; this release reads up to {SegmentWriter.FormatVersion}.");
        var named = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
        return named == number || Damage(16, $"The header says that this is file {named}.");
    }

    private List<SegmentRegion>? ReadTable(FileWindow window, long length)
    {
        var at = length - SegmentWriter.TrailerSize;
        var trailer = at < SegmentWriter.HeaderSize ? default : window.At(at, SegmentWriter.TrailerSize);
        if (trailer.Length < SegmentWriter.TrailerSize || BinaryPrimitives.ReadUInt64LittleEndian(trailer[24..]) != SegmentWriter.Magic)
        {
            Damage(Math.Max(at, 0), "The file has no valid trailer: it was cut short, or never finished.");
            return null;
        }
        var table = BinaryPrimitives.ReadInt64LittleEndian(trailer);
        var count = BinaryPrimitives.ReadInt32LittleEndian(trailer[8..]);
        var hash = BinaryPrimitives.ReadUInt64LittleEndian(trailer[16..]);
        if (table < SegmentWriter.HeaderSize || count < 0 || table + (long)count * SegmentWriter.TableEntrySize != at)
        {
            Damage(at, "The trailer does not say where the table of regions is.");
            return null;
        }
        var bytes = window.At(table, count * SegmentWriter.TableEntrySize);
        if (XxHash3.HashToUInt64(bytes) != hash)
        {
            Damage(table, "The table of regions is damaged: its checksum is wrong.");
            return null;
        }
        var regions = new List<SegmentRegion>(count);
        for (var i = 0; i < count; i++) regions.Add(SegmentWriter.ReadTableEntry(bytes[(i * SegmentWriter.TableEntrySize)..]));
        return regions;
    }

    /// <summary>Reads all batches of a region.</summary>
    private LogShare Walk(FileWindow window, SegmentRegion region, long fileLength)
    {
        long batches = 0, records = 0;
        var next = region.BaseOffset;
        for (var at = region.Position; at < region.Position + region.Length;)
        {
            var bytes = window.At(at, RecordBatchHeader.Size);
            if (!RecordBatchHeader.TryRead(bytes, out var header) || header.BatchLength < RecordBatchHeader.MinBatchLength
                || at + header.TotalSize > Math.Min(fileLength, region.Position + region.Length) || header.TotalSize > int.MaxValue)
            {
                Damage(at, $"Where a batch of log {region.LogId} should begin, after offset {next - 1}, is none.");
                break;
            }
            var (size, baseOffset, last, count) = ((int)header.TotalSize, header.BaseOffset, header.LastOffset, header.RecordCount);
            var batch = window.At(at, size);
            if (RecordBatch.ComputeCrc(batch) != BinaryPrimitives.ReadUInt32BigEndian(batch[RecordBatchHeader.CrcOffset..]))
                Damage(at, $"The batch of log {region.LogId} with offsets {baseOffset} to {last} is damaged: its checksum is wrong.");
            if (baseOffset < next) Damage(at, $"The batch of log {region.LogId} at offset {baseOffset} follows offset {next - 1}.");
            next = last + 1;
            batches++;
            records += count;
            at += size;
        }
        if (next != region.EndOffset) Damage(region.Position, $"The region of log {region.LogId} ends before offset {next}; its table entry says {region.EndOffset}.");
        return new LogShare(region.LogId, batches, records, region.Length, region.BaseOffset, region.EndOffset);
    }

    private bool Damage(long position, string message)
    {
        findings.Add(new InspectionFinding(true, path, position, message));
        return false;
    }
}
