using System.Diagnostics;
using Dragoman.Load.Reporting;
using Dragoman.Storage.Platform;

namespace Dragoman.Load.Storage;

/// <summary>What the disk does without a store: the measure that the store's figures are divided by.</summary>
internal static class RawDisk
{
    public const int WriteBytes = 64 * 1024;

    /// <summary>Page-cache writes of 64 KiB each to a new file, without a sync; bytes per second.</summary>
    public static Task<double> PageCacheWritesAsync(string directory, long bytes) => Task.Run(() =>
    {
        var path = Path.Join(directory, "raw.tmp");
        try
        {
            return WriteFile(path, bytes, Noise(WriteBytes));
        }
        finally
        {
            File.Delete(path);
        }
    });

    /// <summary>
    /// As <see cref="PageCacheWritesAsync"/>, but to files of 64 MiB of which only the newest are kept: what retention
    /// leaves of so many bytes, without a store around it.
    /// </summary>
    public static Task<double> RollingWritesAsync(string directory, long bytes, long kept, IProgress<Step> progress) => Task.Run(() =>
    {
        const int FileBytes = 64 << 20;
        var buffer = Noise(WriteBytes);
        var files = new Queue<string>();
        var start = Stopwatch.GetTimestamp();
        try
        {
            for (var done = 0L; done < bytes; done += FileBytes)
            {
                progress.Report(new Step(done / (double)bytes, ""));
                var path = Path.Join(directory, $"raw-{done}.tmp");
                files.Enqueue(path);
                WriteFile(path, FileBytes, buffer);
                if (files.Count * (long)FileBytes > kept) File.Delete(files.Dequeue());
            }
            return bytes / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        finally
        {
            foreach (var file in files) File.Delete(file);
        }
    });

    private static byte[] Noise(int bytes)
    {
        var buffer = new byte[bytes];
        new Random(1).NextBytes(buffer);
        return buffer;
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
        var buffer = Noise(batchBytes);
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
