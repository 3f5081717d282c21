namespace Dragoman.Storage.Platform;

/// <summary>
/// Everything storage asks of a disk. One implementation is the operating system's; the simulator has another
/// that tears writes, forgets what was not synced, fills up, slows down and fails.
/// </summary>
/// <remarks>
/// Paths are full paths with <c>/</c> as separator. All members may throw <see cref="IOException"/>;
/// <see cref="DiskFullException"/> is the one error that callers handle, and only from <see cref="IStorageFile.Preallocate"/>.
/// Every other failure of a write or a sync is fail-stop for the store that met it.
/// </remarks>
public interface IFileSystem
{
    /// <summary>Creates the directory and its parents if they are missing. They are durable on return.</summary>
    void CreateDirectory(string path);

    /// <summary>Names (not paths) of the files directly inside a directory, in ordinal order, the lock file included.</summary>
    IReadOnlyList<string> ListFiles(string directory);

    /// <summary>Whether a file of that path exists.</summary>
    bool FileExists(string path);

    /// <summary>Opens a file. A file opened for writing may be read through the same handle.</summary>
    IStorageFile Open(string path, FileOpenMode mode);

    /// <summary>
    /// Removes a file. Handles that are open keep working. A file that is missing is no error.
    /// Durable after <see cref="SyncDirectory"/>.
    /// </summary>
    void Delete(string path);

    /// <summary>
    /// Renames a file over <paramref name="to"/>, atomically. Durable after <see cref="SyncDirectory"/>, of both
    /// directories where they differ.
    /// </summary>
    void Rename(string from, string to);

    /// <summary>Makes creations, deletions and renames inside a directory durable.</summary>
    void SyncDirectory(string path);

    /// <summary>Bytes that can still be allocated on the volume that holds the directory.</summary>
    long FreeBytes(string directory);

    /// <summary>
    /// Takes the exclusive lock of a data directory for as long as the result is not disposed.
    /// </summary>
    /// <exception cref="DirectoryInUseException">Another process, or another store of this one, holds it.</exception>
    IDisposable LockDirectory(string directory);
}

/// <summary>How <see cref="IFileSystem.Open"/> opens a file.</summary>
public enum FileOpenMode
{
    /// <summary>The file must exist and is only read.</summary>
    Read,

    /// <summary>The file must exist; it is read and written.</summary>
    ReadWrite,

    /// <summary>The file must not exist; it is created empty.</summary>
    CreateNew,
}

/// <summary>
/// An open file. Positioned reads may run concurrently with each other and with one writer.
/// </summary>
public interface IStorageFile : IDisposable
{
    /// <summary>The length in bytes, preallocated space included.</summary>
    long Length { get; }

    /// <summary>
    /// Reads up to <c>buffer.Length</c> bytes at a position; fewer only at the end of the file.
    /// </summary>
    int Read(long position, Span<byte> buffer);

    /// <summary>
    /// Hands bytes to the operating system. They survive the process from here on, and power loss after
    /// <see cref="SyncAsync"/>. Completes synchronously on a real disk. The bytes must not change before it completes.
    /// </summary>
    ValueTask WriteAsync(long position, ReadOnlyMemory<byte> bytes);

    /// <summary>Makes all bytes written before the call durable. Never retried after a failure.</summary>
    ValueTask SyncAsync();

    /// <summary>
    /// Tells whether the operating system has failed to carry out an earlier write; makes nothing durable. It is for
    /// files that will never be synced, because their content lives elsewhere.
    /// </summary>
    ValueTask CheckWrittenAsync();

    /// <summary>
    /// Reserves space, zero-filled, so that later writes below <paramref name="length"/> cannot run out of it.
    /// Never shortens the file. The new length is durable after <see cref="SyncAsync"/>.
    /// </summary>
    /// <exception cref="DiskFullException">There is not enough space; the file keeps its former length.</exception>
    void Preallocate(long length);

    /// <summary>Cuts the file to a length, which is at most its present one. Durable after <see cref="SyncAsync"/>.</summary>
    void Truncate(long length);
}

/// <summary>The volume has no room for a reservation. Publishers are refused with a retriable error.</summary>
public sealed class DiskFullException : IOException
{
    /// <summary>Creates the exception.</summary>
    public DiskFullException(string message) : base(message) { }

    /// <summary>Creates the exception with the operating system's own error.</summary>
    public DiskFullException(string message, Exception inner) : base(message, inner) { }

    /// <summary>Creates the exception.</summary>
    public DiskFullException() { }
}

/// <summary>The data directory belongs to another running store.</summary>
public sealed class DirectoryInUseException : IOException
{
    /// <summary>Creates the exception.</summary>
    public DirectoryInUseException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public DirectoryInUseException(string message, Exception inner) : base(message, inner) { }

    /// <summary>Creates the exception.</summary>
    public DirectoryInUseException() { }
}
