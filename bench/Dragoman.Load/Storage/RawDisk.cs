using System.Diagnostics;
using Dragoman.Load.Reporting;
using Dragoman.Storage.Platform;

namespace Dragoman.Load.Storage;

/// <summary>What the disk does without a store: the measure that the store's figures are divided by.</summary>
internal static class RawDisk
{
    public const int WriteBytes = 64 * 1024;

    /// <summary>Page-cache writes of 64 KiB each to a new file, without a sync; bytes per second of each run.</summary>
    public static async Task<double[]> PageCacheWritesAsync(string directory, long bytes, int runs, IProgress<Step> progress)
    {
        var buffer = new byte[WriteBytes];
        new Random(1).NextBytes(buffer);
        var rates = new double[runs];
        for (var run = 0; run < runs; run++)
        {
            var path = Path.Join(directory, "raw.tmp");
            progress.Report(new Step(run / (double)runs, run == 0 ? "" : Sizes.Rate(rates[run - 1])));
            rates[run] = await Task.Run(() => WriteFile(path, bytes, buffer));
            File.Delete(path);
        }
        return rates;
    }

    private static double WriteFile(string path, long bytes, byte[] buffer)
    {
        using var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        var start = Stopwatch.GetTimestamp();
        for (var at = 0L; at < bytes; at += buffer.Length) RandomAccess.Write(handle, buffer, at);
        return bytes / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>
    /// One sync per batch: each is written behind the one before, to a preallocated file as the journal's are, and
    /// synced before the next; batches per second.
    /// </summary>
    public static async Task<double> SyncedWritesAsync(string directory, int batchBytes, TimeSpan time, int fileBytes)
    {
        var path = Path.Join(directory, "sync.tmp");
        var buffer = new byte[batchBytes];
        new Random(1).NextBytes(buffer);
        using (var file = new OsFileSystem().Open(path, FileOpenMode.CreateNew))
        {
            file.Preallocate(fileBytes);
            await file.SyncAsync();
            var count = 0L;
            var at = 0L;
            var start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start) < time)
            {
                await file.WriteAsync(at, buffer);
                await file.SyncAsync();
                count++;
                at = at + batchBytes > fileBytes - batchBytes ? 0 : at + batchBytes;
            }
            var rate = count / Stopwatch.GetElapsedTime(start).TotalSeconds;
            File.Delete(path);
            return rate;
        }
    }
}
