using System.Runtime.InteropServices;

namespace Dragoman.Storage.Platform;

#pragma warning disable RS0030 // This is the file-system seam itself: the one place that touches the operating system's files.

/// <summary>The operating system's disk.</summary>
/// <remarks>
/// On Linux it uses <c>fdatasync</c> and <c>fallocate</c>; elsewhere what .NET offers on every platform.
/// Whatever the operating system answers arrives as an <see cref="IOException"/>, denied access included.
/// </remarks>
public sealed class OsFileSystem : IFileSystem
{
    private readonly bool _portable;

    /// <summary>Creates the file system.</summary>
    /// <param name="portable">
    /// Use only what every platform offers, even on Linux. Slower; it lets tests prove the fallback where it is not needed.
    /// </param>
    public OsFileSystem(bool portable = false)
    {
        _portable = portable;
    }

    /// <inheritdoc/>
    public void CreateDirectory(string path) => Guard(() =>
    {
        // A directory is durable once its parent is synced, so each missing ancestor is created and synced in turn.
        var missing = new Stack<string>();
        for (string? at = Path.TrimEndingDirectorySeparator(path); at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at))
        {
            missing.Push(at);
        }

        while (missing.TryPop(out string? directory))
        {
            Directory.CreateDirectory(directory);
            if (Path.GetDirectoryName(directory) is { Length: > 0 } parent)
            {
                SyncDirectory(parent);
            }
        }
    });

    /// <inheritdoc/>
    public IReadOnlyList<string> ListFiles(string directory) => Guard(() =>
    {
        var names = new List<string>();
        foreach (string path in Directory.EnumerateFiles(directory))
        {
            names.Add(Path.GetFileName(path));
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    });

    /// <inheritdoc/>
    public bool FileExists(string path) => File.Exists(path);

    /// <inheritdoc/>
    public IStorageFile Open(string path, FileOpenMode mode) => Guard(() =>
    {
        // FileShare.Delete lets a segment be deleted or renamed over on Windows while readers still hold it.
        var handle = File.OpenHandle(
            path,
            mode == FileOpenMode.CreateNew ? FileMode.CreateNew : FileMode.Open,
            mode == FileOpenMode.Read ? FileAccess.Read : FileAccess.ReadWrite,
            FileShare.ReadWrite | FileShare.Delete,
            FileOptions.RandomAccess);
        return (IStorageFile)new OsStorageFile(path, handle, writable: mode != FileOpenMode.Read, _portable);
    });

    /// <inheritdoc/>
    public void Delete(string path) => Guard(() => File.Delete(path));

    /// <inheritdoc/>
    public void Rename(string from, string to) => Guard(() => File.Move(from, to, overwrite: true));

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        // Windows writes directory changes through its own metadata log and has no call for this.
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var directory = Libc.OpenReadOnly(path);
        if (!OperatingSystem.IsLinux())
        {
            Guard(() => RandomAccess.FlushToDisk(directory));
            return;
        }

        while (Libc.FSync(directory) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != Libc.EINTR)
            {
                throw Libc.Error(error, $"Cannot sync directory '{path}'");
            }
        }
    }

    /// <inheritdoc/>
    public long FreeBytes(string directory) => Guard(() =>
    {
        // On Unix DriveInfo answers for the volume of any directory; on Windows it wants the root.
        string root = OperatingSystem.IsWindows() ? Path.GetPathRoot(Path.GetFullPath(directory))! : directory;
        return new DriveInfo(root).AvailableFreeSpace;
    });

    /// <inheritdoc/>
    public IDisposable LockDirectory(string directory) => Guard(() => OsDirectoryLock.Take(directory));

    private static void Guard(Action action) => Guard(() =>
    {
        action();
        return true;
    });

    private static T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (UnauthorizedAccessException denied)
        {
            throw new IOException(denied.Message, denied);
        }
    }
}
