using System.Runtime.InteropServices;

namespace Dragoman.TestKit;

/// <summary>
/// A volume that can be filled. Where the tests may mount file systems it is one in memory, and a full disk is a full
/// disk. Elsewhere it is a directory, and the broker is told to keep so much of its volume free that little is left: the
/// broker refuses in the same place, but it never meets the system's own "no space left on device".
/// </summary>
public sealed partial class SmallVolume : IDisposable
{
    /// <summary>Size of the volume.</summary>
    public const long Size = 128L << 20;

    private const int Detach = 2;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("dragoman-volume-");
    private readonly long _keepFree;

    /// <summary>Makes the volume.</summary>
    public SmallVolume()
    {
        IsReal = OperatingSystem.IsLinux() && Mount("tmpfs", _directory.FullName, "tmpfs", 0, $"size={Size}") == 0;
        _keepFree = IsReal ? 8L << 20 : Math.Max(new DriveInfo(_directory.FullName).AvailableFreeSpace - Size, 0);
    }

    /// <summary>Whether it is a volume of its own.</summary>
    public bool IsReal { get; }

    /// <summary>Where the broker's data goes.</summary>
    public string Data => Path.Join(_directory.FullName, "data");

    /// <summary>What the broker is told of the volume.</summary>
    public IReadOnlyList<string> Arguments => ["--keep-free", $"{_keepFree}"];

    private string Ballast => Path.Join(_directory.FullName, "ballast");

    private long Free => new DriveInfo(_directory.FullName).AvailableFreeSpace;

    /// <summary>Fills the volume until so much is left of what the broker may use.</summary>
    public void FillTo(long left) => Fill(Free - _keepFree - left);

    /// <summary>Fills it to the last byte. Only a volume of its own can be.</summary>
    public void FillWholly()
    {
        while (Free > 0) Fill(Free);
    }

    /// <summary>Makes the space free again.</summary>
    public void Empty() => File.Delete(Ballast);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (IsReal && Unmount(_directory.FullName, Detach) != 0) throw new IOException($"Cannot unmount {_directory.FullName}: {Marshal.GetLastPInvokeError()}");
        _directory.Delete(recursive: true);
    }

    private void Fill(long bytes)
    {
        if (bytes <= 0) return;
        using var file = File.Open(Ballast, FileMode.Append);
        var zeros = new byte[1 << 20];
        try
        {
            for (; bytes > 0; bytes -= zeros.Length) file.Write(zeros, 0, (int)Math.Min(bytes, zeros.Length));
        }
        catch (IOException) when (IsReal)
        {
            // The broker was quicker with the last of it.
        }
    }

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, nuint flags, string data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);
}
