using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dragoman.Storage.Platform;

#pragma warning disable RS0030 // Part of the file-system seam, as OsFileSystem is.

/// <summary>An open file of the operating system, read and written at positions.</summary>
/// <remarks>Both <see cref="WriteAsync"/> and <see cref="SyncAsync"/> complete on the calling thread.</remarks>
internal sealed class OsStorageFile : IStorageFile
{
    private const int ZeroChunk = 256 * 1024;

    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly bool _writable;
    private readonly bool _portable;

    internal OsStorageFile(string path, SafeFileHandle handle, bool writable, bool portable)
    {
        _path = path;
        _handle = handle;
        _writable = writable;
        _portable = portable;
    }

    /// <inheritdoc/>
    public long Length => RandomAccess.GetLength(_handle);

    /// <inheritdoc/>
    public int Read(long position, Span<byte> buffer)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int count = RandomAccess.Read(_handle, buffer[total..], position + total);
            if (count == 0)
            {
                break;
            }

            total += count;
        }

        return total;
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(long position, ReadOnlyMemory<byte> bytes)
    {
        DemandWritable();
        try
        {
            // Since .NET 7 this repeats partial writes until every byte is taken.
            RandomAccess.Write(_handle, bytes.Span, position);
            return ValueTask.CompletedTask;
        }
        catch (IOException failure)
        {
            return ValueTask.FromException(failure);
        }
    }

    /// <inheritdoc/>
    public ValueTask SyncAsync()
    {
        DemandWritable();
        try
        {
            Sync();
            return ValueTask.CompletedTask;
        }
        catch (IOException failure)
        {
            return ValueTask.FromException(failure);
        }
    }

    /// <inheritdoc/>
    public ValueTask CheckWrittenAsync()
    {
        DemandWritable();
        if (_portable || !OperatingSystem.IsLinux() || !Environment.Is64BitProcess) return SyncAsync();
        // It waits for pages that are being written, begins to write none, and tells of failures since the file was
        // opened (sync_file_range(2), mm/filemap.c: file_fdatawait_range).
        while (Libc.SyncFileRange(_handle, 0, 0, Libc.SYNC_FILE_RANGE_WAIT_BEFORE) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error is Libc.ENOSYS or Libc.EOPNOTSUPP) return SyncAsync();
            if (error != Libc.EINTR) return ValueTask.FromException(Libc.Error(error, $"The operating system could not write '{_path}'"));
        }
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public void Preallocate(long length)
    {
        DemandWritable();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        long former = Length;
        try
        {
            // In a 32-bit process the C library's offsets may be 32 bits wide.
            if (_portable || !OperatingSystem.IsLinux() || !Environment.Is64BitProcess || !TryFAllocate(length))
            {
                WriteZeros(former, length);
            }
        }
        catch (IOException failure) when (IsDiskFull(failure.HResult))
        {
            // Some file systems have grown the file as far as the space went; give that back.
            if (Length > former)
            {
                RandomAccess.SetLength(_handle, former);
            }

            throw new DiskFullException($"No space to grow '{_path}' from {former} to {length} bytes.", failure);
        }
    }

    /// <inheritdoc/>
    public void Truncate(long length)
    {
        DemandWritable();
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        RandomAccess.SetLength(_handle, length);
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    // fdatasync leaves out the timestamps, but not the length nor the extents that preallocation left unwritten:
    // the metadata that reading the bytes back needs is flushed too (fdatasync(2)).
    private void Sync()
    {
        if (_portable || !OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(_handle);
            return;
        }

        // An interrupted call has consumed no write-back error, so this is not the retry that is forbidden.
        while (Libc.FDataSync(_handle) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != Libc.EINTR)
            {
                throw Libc.Error(error, $"Cannot sync '{_path}'");
            }
        }
    }

    // From the start of the file, so that a hole left by a write past the end is reserved as well.
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private bool TryFAllocate(long length)
    {
        while (Libc.FAllocate(_handle, mode: 0, offset: 0, length) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            switch (error)
            {
                case Libc.EINTR:
                    break;
                case Libc.EOPNOTSUPP or Libc.ENOSYS:
                    return false;
                default:
                    throw Libc.Error(error, $"Cannot reserve {length} bytes for '{_path}'");
            }
        }

        return true;
    }

    private void WriteZeros(long from, long to)
    {
        if (from >= to)
        {
            return;
        }

        byte[] zeros = new byte[Math.Min(ZeroChunk, to - from)];
        for (long at = from; at < to; at += zeros.Length)
        {
            RandomAccess.Write(_handle, zeros.AsSpan(0, (int)Math.Min(zeros.Length, to - at)), at);
        }
    }

    private static bool IsDiskFull(int code) =>
        OperatingSystem.IsWindows()
            ? code is WindowsDiskFull or WindowsHandleDiskFull
            : code == Libc.ENOSPC || code == (OperatingSystem.IsMacOS() ? Libc.EDQUOTMac : Libc.EDQUOT);

    private void DemandWritable()
    {
        if (!_writable)
        {
            throw new InvalidOperationException($"'{_path}' was opened for reading.");
        }
    }
}
