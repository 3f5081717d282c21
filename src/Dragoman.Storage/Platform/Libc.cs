using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Dragoman.Storage.Platform;

/// <summary>The calls of the C library that .NET does not offer. Constants are Linux's unless a name says otherwise.</summary>
internal static partial class Libc
{
    /// <summary>Interrupted by a signal before anything happened.</summary>
    public const int EINTR = 4;

    /// <summary>No space left on device; the same number on Linux and macOS.</summary>
    public const int ENOSPC = 28;

    /// <summary>Disk quota exceeded.</summary>
    public const int EDQUOT = 122;

    /// <summary>Disk quota exceeded, as macOS numbers it.</summary>
    public const int EDQUOTMac = 69;

    /// <summary>The file system cannot do this.</summary>
    public const int EOPNOTSUPP = 95;

    /// <summary>The kernel has no such call.</summary>
    public const int ENOSYS = 38;

    /// <summary>The lock is held through another open file description.</summary>
    public const int EWOULDBLOCK = 11;

    /// <summary>As <see cref="EWOULDBLOCK"/>, as macOS numbers it.</summary>
    public const int EWOULDBLOCKMac = 35;

    /// <summary>flock: exclusive.</summary>
    public const int LOCK_EX = 2;

    /// <summary>flock: fail rather than wait.</summary>
    public const int LOCK_NB = 4;

    /// <summary>sync_file_range: wait for writes that are under way.</summary>
    public const uint SYNC_FILE_RANGE_WAIT_BEFORE = 1;

    /// <summary>open: for reading, and not inherited by child processes.</summary>
    private static int OpenReadOnlyFlags => OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;

    /// <summary>Opens a file or a directory for reading without taking the advisory lock that .NET takes.</summary>
    [UnsupportedOSPlatform("windows")]
    public static SafeFileHandle OpenReadOnly(string path)
    {
        int descriptor;
        do
        {
            descriptor = Open(path, OpenReadOnlyFlags);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == EINTR);

        if (descriptor < 0)
        {
            throw Error(Marshal.GetLastPInvokeError(), $"Cannot open '{path}'");
        }

        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>An <see cref="IOException"/> with the error number as its <see cref="Exception.HResult"/>, as .NET's own have.</summary>
    public static IOException Error(int errno, string what) =>
        new($"{what}: {Marshal.GetPInvokeErrorMessage(errno)}.", errno);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial int FDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial int SyncFileRange(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial int FAllocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    [UnsupportedOSPlatform("windows")]
    public static partial int FLock(SafeFileHandle file, int operation);

    // Declared with the two fixed parameters alone: variadic arguments are passed differently on some machines,
    // and without O_CREAT there is none.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [UnsupportedOSPlatform("windows")]
    private static partial int Open(string path, int flags);
}
