using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Tests.Platform;

public sealed class OsFileSystemTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public static TheoryData<bool> Portable => [false, true];

    public void Dispose() => _directory.Dispose();

    [Theory]
    [MemberData(nameof(Portable))]
    public async Task What_is_written_is_read_back_through_any_handle(bool portable)
    {
        var files = new OsFileSystem(portable);
        using var written = files.Open(_directory["a"], FileOpenMode.CreateNew);
        await written.WriteAsync(0, "hello"u8.ToArray());
        await written.WriteAsync(5, " world"u8.ToArray());
        await written.SyncAsync();

        using var read = files.Open(_directory["a"], FileOpenMode.Read);
        byte[] buffer = new byte[20];
        Assert.Equal(11, read.Length);
        Assert.Equal(11, read.Read(0, buffer));
        Assert.Equal("hello world"u8, buffer.AsSpan(0, 11));
        Assert.Equal(5, written.Read(6, buffer));
        Assert.Equal(0, written.Read(11, buffer));
        Assert.Equal(0, written.Read(100, buffer));
    }

    [Theory]
    [MemberData(nameof(Portable))]
    public async Task Preallocated_space_is_zeros_counts_as_length_and_keeps_what_was_there(bool portable)
    {
        using var file = new OsFileSystem(portable).Open(_directory["a"], FileOpenMode.CreateNew);
        await file.WriteAsync(0, "abc"u8.ToArray());

        file.Preallocate(1_000_000);

        byte[] all = new byte[1_000_001];
        Assert.Equal(1_000_000, file.Length);
        Assert.Equal(1_000_000, file.Read(0, all));
        Assert.Equal("abc"u8, all.AsSpan(0, 3));
        Assert.False(all.AsSpan(3).ContainsAnyExcept((byte)0));

        file.Preallocate(10);
        Assert.Equal(1_000_000, file.Length);

        file.Truncate(2);
        Assert.Equal(2, file.Length);
        Assert.Equal(2, file.Read(0, all));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Truncate(3));
    }

    [Fact]
    public void Opening_demands_what_the_mode_says()
    {
        var files = new OsFileSystem();
        Assert.Throws<FileNotFoundException>(() => files.Open(_directory["a"], FileOpenMode.Read));
        Assert.Throws<FileNotFoundException>(() => files.Open(_directory["a"], FileOpenMode.ReadWrite));
        Assert.Throws<DirectoryNotFoundException>(() => files.Open(_directory["none/a"], FileOpenMode.CreateNew));
        files.Open(_directory["a"], FileOpenMode.CreateNew).Dispose();
        Assert.Throws<IOException>(() => files.Open(_directory["a"], FileOpenMode.CreateNew));
    }

    [Fact]
    public async Task A_file_opened_for_reading_refuses_every_change()
    {
        var files = new OsFileSystem();
        files.Open(_directory["a"], FileOpenMode.CreateNew).Dispose();
        using var file = files.Open(_directory["a"], FileOpenMode.Read);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await file.WriteAsync(0, new byte[1]));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await file.SyncAsync());
        Assert.Throws<InvalidOperationException>(() => file.Preallocate(1));
        Assert.Throws<InvalidOperationException>(() => file.Truncate(0));
    }

    [Fact]
    public async Task A_deleted_file_can_still_be_read_and_written_through_its_handles()
    {
        var files = new OsFileSystem();
        using var file = files.Open(_directory["a"], FileOpenMode.CreateNew);
        using var reader = files.Open(_directory["a"], FileOpenMode.Read);
        await file.WriteAsync(0, "abc"u8.ToArray());

        files.Delete(_directory["a"]);
        files.Delete(_directory["a"]);

        Assert.False(files.FileExists(_directory["a"]));
        await file.WriteAsync(3, "def"u8.ToArray());
        await file.SyncAsync();
        byte[] buffer = new byte[6];
        Assert.Equal(6, reader.Read(0, buffer));
        Assert.Equal("abcdef"u8, buffer);
    }

    [Fact]
    public async Task A_rename_replaces_its_target_and_open_handles_follow_the_file()
    {
        var files = new OsFileSystem();
        using var target = files.Open(_directory["b"], FileOpenMode.CreateNew);
        await target.WriteAsync(0, "old"u8.ToArray());
        using (var source = files.Open(_directory["a"], FileOpenMode.CreateNew))
        {
            await source.WriteAsync(0, "new"u8.ToArray());
        }

        files.Rename(_directory["a"], _directory["b"]);
        files.SyncDirectory(_directory.Path);

        Assert.Equal(["b"], files.ListFiles(_directory.Path));
        byte[] buffer = new byte[3];
        target.Read(0, buffer);
        Assert.Equal("old"u8, buffer);
        using var renamed = files.Open(_directory["b"], FileOpenMode.Read);
        renamed.Read(0, buffer);
        Assert.Equal("new"u8, buffer);
        Assert.Throws<FileNotFoundException>(() => files.Rename(_directory["a"], _directory["b"]));
    }

    [Fact]
    public void Files_are_listed_by_name_in_ordinal_order_without_directories()
    {
        var files = new OsFileSystem();
        files.CreateDirectory(_directory["x/y/z"]);
        files.CreateDirectory(_directory["x/y/z"]);
        foreach (string name in new[] { "b", "B", "a", "10", "9" })
        {
            files.Open(_directory[$"x/y/{name}"], FileOpenMode.CreateNew).Dispose();
        }

        Assert.Equal(["10", "9", "B", "a", "b"], files.ListFiles(_directory["x/y"]));
        Assert.Throws<DirectoryNotFoundException>(() => files.ListFiles(_directory["none"]));
    }

    [Fact]
    public void A_missing_directory_cannot_be_synced_in_silence()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no directory sync.");
        Assert.Throws<IOException>(() => new OsFileSystem().SyncDirectory(_directory["none"]));
    }

    [Fact]
    public void Denied_access_is_an_IOException()
    {
        var files = new OsFileSystem();
        files.CreateDirectory(_directory["d"]);
        var failure = Assert.Throws<IOException>(() => files.Open(_directory["d"], FileOpenMode.ReadWrite));
        Assert.IsType<UnauthorizedAccessException>(failure.InnerException);
    }

    [Fact]
    public void Free_space_is_that_of_the_volume()
    {
        long free = new OsFileSystem().FreeBytes(_directory.Path);
        Assert.InRange(free, 1, new DriveInfo(_directory.Path).TotalSize);
    }
}
