using Dragoman.Storage.Platform;

namespace Dragoman.Faults.Disks;

/// <summary>The real disk, with syncs that take longer, or do not come back at all until told to.</summary>
internal sealed class SlowDisk : IFileSystem
{
    private readonly OsFileSystem _disk = new();
    private volatile TaskCompletionSource? _stall;
    private int _syncs;

    /// <summary>How much longer each sync takes.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Syncs done.</summary>
    public int Syncs => Volatile.Read(ref _syncs);

    /// <summary>Lets no sync come back.</summary>
    public void Stall() => _stall = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets them come back again.</summary>
    public void Resume()
    {
        var stall = _stall;
        _stall = null;
        stall?.TrySetResult();
    }

    public void CreateDirectory(string path) => _disk.CreateDirectory(path);

    public IReadOnlyList<string> ListFiles(string directory) => _disk.ListFiles(directory);

    public bool FileExists(string path) => _disk.FileExists(path);

    public IStorageFile Open(string path, FileOpenMode mode) => new SlowFile(this, _disk.Open(path, mode));

    public void Delete(string path) => _disk.Delete(path);

    public void Rename(string from, string to) => _disk.Rename(from, to);

    public void SyncDirectory(string path) => _disk.SyncDirectory(path);

    public long FreeBytes(string directory) => _disk.FreeBytes(directory);

    public IDisposable LockDirectory(string directory) => _disk.LockDirectory(directory);

    private sealed class SlowFile(SlowDisk disk, IStorageFile file) : IStorageFile
    {
        public long Length => file.Length;

        public int Read(long position, Span<byte> buffer) => file.Read(position, buffer);

        public ValueTask WriteAsync(long position, ReadOnlyMemory<byte> bytes) => file.WriteAsync(position, bytes);

        public async ValueTask SyncAsync()
        {
            if (disk.Delay > TimeSpan.Zero) await Task.Delay(disk.Delay);
            if (disk._stall is { } stall) await stall.Task;
            await file.SyncAsync();
            Interlocked.Increment(ref disk._syncs);
        }

        public ValueTask CheckWrittenAsync() => file.CheckWrittenAsync();

        public void Preallocate(long length) => file.Preallocate(length);

        public void Truncate(long length) => file.Truncate(length);

        public void Dispose() => file.Dispose();
    }
}
