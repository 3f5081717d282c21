using System.Diagnostics;
using System.Globalization;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Tests.Platform;

public sealed class OsDirectoryLockTests : IDisposable
{
    private static readonly OsFileSystem Files = new();

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_second_store_of_this_process_is_refused_until_the_first_lets_go()
    {
        using (Files.LockDirectory(_directory.Path))
        {
            var refused = Assert.Throws<DirectoryInUseException>(() => Files.LockDirectory(_directory.Path));
            Assert.Contains("another store of this process", refused.Message, StringComparison.Ordinal);
            Assert.Throws<DirectoryInUseException>(() => Files.LockDirectory(_directory.Path));
        }

        Files.LockDirectory(_directory.Path).Dispose();
        Assert.Equal([DirectoryLock.FileName], Files.ListFiles(_directory.Path));
    }

    [Fact]
    public void Another_process_cannot_take_what_we_hold()
    {
        string flock = Flock();
        using (Files.LockDirectory(_directory.Path))
        {
            Assert.Equal(1, Run(flock, "--nonblock", _directory[DirectoryLock.FileName], "true"));
            Assert.Equal(
                Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
                Run(out string text, "cat", _directory[DirectoryLock.FileName]) == 0 ? text : null);
        }

        Assert.Equal(0, Run(flock, "--nonblock", _directory[DirectoryLock.FileName], "true"));
    }

    [Fact]
    public void We_cannot_take_what_another_process_holds_and_its_death_frees_it()
    {
        string flock = Flock();
        string path = _directory[DirectoryLock.FileName];
        string script = "exec 9<>\"$1\"; \"$2\" 9; printf $$ >&9; echo held; read wait";
        using var holder = Start("sh", "-c", script, "sh", path, flock);
        Assert.Equal("held", holder.StandardOutput.ReadLine());

        var refused = Assert.Throws<DirectoryInUseException>(() => Files.LockDirectory(_directory.Path));
        Assert.Contains($"process {holder.Id}.", refused.Message, StringComparison.Ordinal);

        holder.Kill();
        holder.WaitForExit();
        Files.LockDirectory(_directory.Path).Dispose();
    }

    [Fact]
    public void A_directory_that_does_not_exist_is_not_in_use()
    {
        Assert.Throws<DirectoryNotFoundException>(() => Files.LockDirectory(_directory["none"]));
    }

    private static string Flock()
    {
        string? found = new[] { "/usr/bin/flock", "/bin/flock" }.FirstOrDefault(File.Exists);
        Assert.SkipWhen(found is null, "Needs flock(1) of util-linux as the other process.");
        return found;
    }

    private static Process Start(string command, params string[] arguments) => Process.Start(
        new ProcessStartInfo(command, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    private static int Run(string command, params string[] arguments) => Run(out _, command, arguments);

    private static int Run(out string output, string command, params string[] arguments)
    {
        using var process = Start(command, arguments);
        output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }
}
