using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Dragoman.Storage.Platform;

#pragma warning disable RS0030 // Part of the file-system seam, as OsFileSystem is.

/// <summary>
/// The exclusive lock of a data directory: an operating-system lock on a file in it, which ends with the process
/// whatever ends that. The file stays; only the lock counts. Its text is the holder's process id, for the error message.
/// </summary>
internal sealed class OsDirectoryLock : IDisposable
{
    private const int PidBytes = 32;

    // What .NET reports when a file is held through another handle: errno on Unix, an HRESULT on Windows.
    private static readonly int SharingViolation =
        OperatingSystem.IsWindows() ? unchecked((int)0x80070020)
        : OperatingSystem.IsMacOS() ? Libc.EWOULDBLOCKMac
        : Libc.EWOULDBLOCK;

    private readonly SafeFileHandle _handle;

    private OsDirectoryLock(SafeFileHandle handle) => _handle = handle;

    public static IDisposable Take(string directory)
    {
        string path = Path.Join(directory, DirectoryLock.FileName);
        SafeFileHandle handle;
        try
        {
            // On Unix FileShare.None is flock(LOCK_EX), which also excludes other handles of this process. On Windows
            // FileShare.Read keeps other writers out as well, and lets them read who we are.
            handle = File.OpenHandle(
                path,
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                OperatingSystem.IsWindows() ? FileShare.Read : FileShare.None);
        }
        catch (IOException busy) when (busy.HResult == SharingViolation)
        {
            throw new DirectoryInUseException($"'{directory}' is in use by {Holder(path)}.", busy);
        }

        try
        {
            DemandRealLock(handle, path);
            byte[] pid = Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            RandomAccess.SetLength(handle, 0);
            RandomAccess.Write(handle, pid, 0);
            return new OsDirectoryLock(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Dispose() => _handle.Dispose();

    // .NET's lock is best effort: it can be switched off, and it ignores file systems that cannot lock. Asking again
    // on the same description is free when the lock is ours, and says so when it is not.
    private static void DemandRealLock(SafeFileHandle handle, string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        while (Libc.FLock(handle, Libc.LOCK_EX | Libc.LOCK_NB) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error == SharingViolation)
            {
                throw new DirectoryInUseException($"'{Path.GetDirectoryName(path)}' is in use by {Holder(path)}.");
            }

            if (error != Libc.EINTR)
            {
                throw Libc.Error(error, $"Cannot lock '{path}'; a data directory must lie on a file system that has locks");
            }
        }
    }

    private static string Holder(string path)
    {
        try
        {
            using var handle = OperatingSystem.IsWindows()
                ? File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
                : Libc.OpenReadOnly(path);
            Span<byte> text = stackalloc byte[PidBytes];
            int count = RandomAccess.Read(handle, text, 0);
            return int.TryParse(text[..count], NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                ? pid == Environment.ProcessId ? "another store of this process" : $"process {pid}"
                : "another process";
        }
        catch (IOException)
        {
            // The name of the holder only decorates the error that is on its way.
            return "another process";
        }
    }
}
