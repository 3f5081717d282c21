using System.Runtime.InteropServices;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Journal;

/// <summary>Writes the segments that a checkpoint's plan asks for.</summary>
internal sealed class CheckpointWriter(Store store, SparseIndexCache indexes, CheckpointPlan plan)
{
    private const long MaxSharedBytes = 256L << 20;
    private const int Overhead = 4096;

    private readonly List<StoreFile> _written = [];

    private IFileSystem Files => store.Table.Files;

    private string Directory => store.Options.Directory;

    public static string SegmentPath(string directory, long number) => $"{directory}/{number:D20}.seg";

    public static string IndexPath(string directory, long number) => $"{directory}/{number:D20}.idx";

    public async Task WriteAsync()
    {
        var shared = new List<(CheckpointPlan.LogPlan Log, CheckpointPlan.Step Step)>();
        var sharedBytes = 0L;
        foreach (var log in plan.Logs)
        {
            foreach (var step in log.Steps)
            {
                if (step.Adopt is { } adopted)
                {
                    step.Result = await AdoptAsync(log, adopted);
                }
                else if (step.Bytes >= store.Options.OwnSegmentBytes)
                {
                    await WriteSegmentAsync([(log, step)]);
                }
                else
                {
                    shared.Add((log, step));
                    sharedBytes += step.Bytes;
                }
            }
            if (sharedBytes < MaxSharedBytes) continue;
            await WriteSegmentAsync(shared);
            shared.Clear();
            sharedBytes = 0;
        }
        if (shared.Count > 0) await WriteSegmentAsync(shared);
        if (_written.Count > 0) Files.SyncDirectory(Directory);
    }

    private async Task WriteSegmentAsync(List<(CheckpointPlan.LogPlan Log, CheckpointPlan.Step Step)> steps)
    {
        var estimate = 0L;
        foreach (var (_, step) in steps) estimate += step.Bytes + step.Bytes / 128 + Overhead;
        using var output = SegmentOutput.Create(store, estimate, headroom: 0, _written);
        var writer = output.Writer;
        foreach (var (log, step) in steps)
        {
            writer.BeginRegion(log.Log.Id);
            foreach (var chunk in step.Copied)
            {
                foreach (var batch in Batches(chunk, log.Start))
                    await writer.AddAsync(batch.Source, batch.Position, batch.Length, batch.BaseOffset);
            }
            step.Result = new SegmentChunk(output.File, await writer.EndRegionAsync(), indexes);
        }
        await output.FinishAsync();
    }

    private readonly record struct Batch(IByteSource Source, long Position, int Length, long BaseOffset);

    private static List<Batch> Batches(Chunk chunk, long start)
    {
        var batches = new List<Batch>();
        chunk.Visit(start, (baseOffset, source, position, length, _) =>
        {
            batches.Add(new Batch(source, position, length, baseOffset));
            return true;
        });
        return batches;
    }

    private async Task<Chunk> AdoptAsync(CheckpointPlan.LogPlan log, JournalChunk chunk)
    {
        var file = (JournalFile)chunk.File;
        var index = store.Table.Add(file.Number, IndexPath(Directory, file.Number));
        var entries = chunk.Entries.ToArray();
        var bytes = MemoryMarshal.AsBytes(entries.AsSpan()).ToArray();
        using (var handle = Create(index, bytes.Length))
        {
            await handle.WriteAsync(0, bytes);
            await handle.SyncAsync();
        }
        var region = new AdoptedRegion(log.Log.Id, chunk.BaseOffset, chunk.EndOffset, chunk.DataBytes, chunk.MaxTimestamp, chunk.BaseTimestamp, entries.Length);
        return new AdoptedChunk(file, index, indexes, region);
    }

    private IStorageFile Create(StoreFile file, long length)
    {
        var handle = Files.Open(file.Path, FileOpenMode.CreateNew);
        _written.Add(file);
        try
        {
            if (Files.FreeBytes(Directory) < length) throw new DiskFullException($"A checkpoint needs {length} bytes.");
            handle.Preallocate(length);
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Removes what was written for a checkpoint that cannot be finished.</summary>
    public void Discard()
    {
        foreach (var file in _written)
        {
            file.Close();
            Files.Delete(file.Path);
        }
    }
}
