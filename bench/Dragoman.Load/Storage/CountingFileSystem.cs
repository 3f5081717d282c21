using System.Collections.Concurrent;
using System.Diagnostics;
using Dragoman.Storage.Platform;

namespace Dragoman.Load.Storage;

/// <summary>The disk, with an account of what a store does to it: that is the write amplification and where time goes.</summary>
internal sealed class CountingFileSystem(IFileSystem inner) : IFileSystem
{
    private readonly ConcurrentDictionary<string, Account> _accounts = new();

    /// <summary>What was done to the files of one extension.</summary>
    public sealed class Account
    {
        private long _writtenBytes, _readBytes, _writes, _reads, _syncs, _writeTicks, _readTicks, _syncTicks, _created, _deleted;

        public long WrittenBytes => Volatile.Read(ref _writtenBytes);
        public long ReadBytes => Volatile.Read(ref _readBytes);
        public long Writes => Volatile.Read(ref _writes);
        public long Reads => Volatile.Read(ref _reads);
        public long Syncs => Volatile.Read(ref _syncs);
        public long Created => Volatile.Read(ref _created);
        public long Deleted => Volatile.Read(ref _deleted);
        public double WriteSeconds => Volatile.Read(ref _writeTicks) / (double)Stopwatch.Frequency;
        public double ReadSeconds => Volatile.Read(ref _readTicks) / (double)Stopwatch.Frequency;
        public double SyncSeconds => Volatile.Read(ref _syncTicks) / (double)Stopwatch.Frequency;

        public void Wrote(int bytes, long ticks)
        {
            Interlocked.Add(ref _writtenBytes, bytes);
            Interlocked.Increment(ref _writes);
            Interlocked.Add(ref _writeTicks, ticks);
        }

        public void DidRead(int bytes, long ticks)
        {
            Interlocked.Add(ref _readBytes, bytes);
            Interlocked.Increment(ref _reads);
            Interlocked.Add(ref _readTicks, ticks);
        }

        public void Synced(long ticks)
        {
            Interlocked.Increment(ref _syncs);
            Interlocked.Add(ref _syncTicks, ticks);
        }

        public void WasCreated() => Interlocked.Increment(ref _created);

        public void WasDeleted() => Interlocked.Increment(ref _deleted);
    }

    public IReadOnlyDictionary<string, Account> Accounts => _accounts;

    private Account Of(string path)
    {
        var extension = Path.GetExtension(path);
        return _accounts.GetOrAdd(extension is ".jnl" or ".seg" or ".idx" ? extension : "other", static _ => new Account());
    }

    public void CreateDirectory(string path) => inner.CreateDirectory(path);

    public IReadOnlyList<string> ListFiles(string directory) => inner.ListFiles(directory);

    public bool FileExists(string path) => inner.FileExists(path);

    public IStorageFile Open(string path, FileOpenMode mode)
    {
        var account = Of(path);
        if (mode == FileOpenMode.CreateNew) account.WasCreated();
        return new CountingFile(inner.Open(path, mode), account);
    }

    public void Delete(string path)
    {
        Of(path).WasDeleted();
        inner.Delete(path);
    }

    public void Rename(string from, string to) => inner.Rename(from, to);

    public void SyncDirectory(string path)
    {
        var start = Stopwatch.GetTimestamp();
        inner.SyncDirectory(path);
        Of("").Synced(Stopwatch.GetTimestamp() - start);
    }

    public long FreeBytes(string directory) => inner.FreeBytes(directory);

    public IDisposable LockDirectory(string directory) => inner.LockDirectory(directory);

    private sealed class CountingFile(IStorageFile file, Account account) : IStorageFile
    {
        public long Length => file.Length;

        public int Read(long position, Span<byte> buffer)
        {
            var start = Stopwatch.GetTimestamp();
            var count = file.Read(position, buffer);
            account.DidRead(count, Stopwatch.GetTimestamp() - start);
            return count;
        }

        // The real disk completes both on the calling thread, so the time until they return is the time they take.
        public ValueTask WriteAsync(long position, ReadOnlyMemory<byte> bytes)
        {
            var start = Stopwatch.GetTimestamp();
            var done = file.WriteAsync(position, bytes);
            account.Wrote(bytes.Length, Stopwatch.GetTimestamp() - start);
            return done;
        }

        public ValueTask SyncAsync()
        {
            var start = Stopwatch.GetTimestamp();
            var done = file.SyncAsync();
            account.Synced(Stopwatch.GetTimestamp() - start);
            return done;
        }

        public ValueTask CheckWrittenAsync() => file.CheckWrittenAsync();

        public void Preallocate(long length) => file.Preallocate(length);

        public void Truncate(long length) => file.Truncate(length);

        public void Dispose() => file.Dispose();
    }
}
