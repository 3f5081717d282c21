using Dragoman.Storage.Platform;

namespace Dragoman.Kafka.Tests.Handlers;

/// <summary>The real disk, whose syncs a test can hold up, and which a test can declare full.</summary>
internal sealed class GatedDisk : IFileSystem
{
    private readonly OsFileSystem _disk = new();
    private volatile TaskCompletionSource? _gate;
    private int _syncs;

    public bool IsFull { get; set; }

    /// <summary>Syncs begun.</summary>
    public int Syncs => Volatile.Read(ref _syncs);

    public void Close() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open()
    {
        _gate?.TrySetResult();
        _gate = null;
    }

    public void CreateDirectory(string path) => _disk.CreateDirectory(path);

    public IReadOnlyList<string> ListFiles(string directory) => _disk.ListFiles(directory);

    public bool FileExists(string path) => _disk.FileExists(path);

    public IStorageFile Open(string path, FileOpenMode mode) => new GatedFile(this, _disk.Open(path, mode));

    public void Delete(string path) => _disk.Delete(path);

    public void Rename(string from, string to) => _disk.Rename(from, to);

    public void SyncDirectory(string path) => _disk.SyncDirectory(path);

    public long FreeBytes(string directory) => IsFull ? 0 : _disk.FreeBytes(directory);

    public IDisposable LockDirectory(string directory) => _disk.LockDirectory(directory);

    private sealed class GatedFile(GatedDisk disk, IStorageFile file) : IStorageFile
    {
        public long Length => file.Length;

        public int Read(long position, Span<byte> buffer) => file.Read(position, buffer);

        public ValueTask WriteAsync(long position, ReadOnlyMemory<byte> bytes) => file.WriteAsync(position, bytes);

        public async ValueTask SyncAsync()
        {
            Interlocked.Increment(ref disk._syncs);
            if (disk._gate is { } gate) await gate.Task;
            await file.SyncAsync();
        }

        public ValueTask CheckWrittenAsync() => file.CheckWrittenAsync();

        public void Preallocate(long length)
        {
            if (disk.IsFull) throw new DiskFullException("The test says so.");
            file.Preallocate(length);
        }

        public void Truncate(long length) => file.Truncate(length);

        public void Dispose() => file.Dispose();
    }
}
