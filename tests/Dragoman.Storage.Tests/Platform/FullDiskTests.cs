using System.Diagnostics;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Tests.Platform;

/// <summary>Volumes of a few megabytes that truly run full. Mounting them takes root on Linux.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int MiB = 1024 * 1024;

    private readonly TemporaryDirectory _directory = new();
    private string? _mounted;

    public static TheoryData<string, bool> Volumes => new()
    {
        { "tmpfs", false },
        { "tmpfs", true },
        { "ext4", false },
        { "ext4", true },
    };

    public void Dispose()
    {
        if (_mounted is not null)
        {
            Assert.Equal(0, Run("umount", _mounted));
        }

        _directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(Volumes))]
    public async Task A_reservation_that_does_not_fit_is_refused_and_leaves_the_file_as_it_was(string type, bool portable)
    {
        string volume = Mount(type);
        var files = new OsFileSystem(portable);
        using var file = files.Open($"{volume}/journal", FileOpenMode.CreateNew);
        file.Preallocate(MiB);
        await file.WriteAsync(0, "abc"u8.ToArray());
        await file.SyncAsync();
        long free = files.FreeBytes(volume);

        Assert.Throws<DiskFullException>(() => file.Preallocate(MiB + free + (64 * 1024)));

        Assert.Equal(MiB, file.Length);
        // ext4 may keep a block of its own for the extents that it had added.
        Assert.InRange(files.FreeBytes(volume), free - (16 * 1024), free);
        byte[] buffer = new byte[3];
        file.Read(0, buffer);
        Assert.Equal("abc"u8, buffer);

        // What was reserved is ours even when the rest of the volume is gone.
        using var other = files.Open($"{volume}/other", FileOpenMode.CreateNew);
        other.Preallocate(Math.Max(free - (64 * 1024), 1));
        var full = await Assert.ThrowsAsync<IOException>(
            async () => await other.WriteAsync(other.Length, new byte[MiB]));
        Assert.IsNotType<DiskFullException>(full);
        byte[] content = new byte[MiB];
        Array.Fill(content, (byte)7);
        await file.WriteAsync(0, content);
        await file.SyncAsync();
    }

    [Theory]
    [MemberData(nameof(Volumes))]
    public void Space_that_is_freed_can_be_reserved_again(string type, bool portable)
    {
        string volume = Mount(type);
        var files = new OsFileSystem(portable);
        for (int round = 0; round < 3; round++)
        {
            using (var file = files.Open($"{volume}/a", FileOpenMode.CreateNew))
            {
                file.Preallocate(2 * MiB);
                Assert.Throws<DiskFullException>(() => file.Preallocate(64 * MiB));
                Assert.Equal(2 * MiB, file.Length);
            }

            files.Delete($"{volume}/a");
        }
    }

    private string Mount(string type)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Mounting a small volume takes root on Linux.");
        string point = _directory["volume"];
        Directory.CreateDirectory(point);
        if (type == "tmpfs")
        {
            Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", point) == 0, "tmpfs cannot be mounted here.");
        }
        else
        {
            string image = _directory["image"];
            using (var file = File.Create(image))
            {
                file.SetLength(8 * MiB);
            }

            Assert.SkipUnless(Run("mkfs.ext4", "-q", "-F", "-m", "0", image) == 0, "mkfs.ext4 is not available here.");
            Assert.SkipUnless(Run("mount", "-o", "loop", image, point) == 0, "A loop device cannot be mounted here.");
        }

        _mounted = point;
        return point;
    }

    private static int Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}
