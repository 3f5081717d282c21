using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Dragoman.Cli.Tests;

/// <summary>A running <c>dragoman serve</c>.</summary>
public sealed partial class ServeProcess : IAsyncDisposable
{
    private const int Sigterm = 15;

    private readonly Process _process;
    private readonly string _directory;
    private readonly StringBuilder _error = new();

    private ServeProcess(Process process, string directory)
    {
        _process = process;
        _directory = directory;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_error) _error.AppendLine(line.Data);
        };
        process.BeginErrorReadLine();
    }

    public List<string> Lines { get; } = [];

    public int Id => _process.Id;

    public string Error
    {
        get
        {
            lock (_error) return _error.ToString();
        }
    }

    public static Task<ServeProcess> StartAsync(string directory, params IEnumerable<string> arguments) => StartAsync(directory, null, arguments);

    public static async Task<ServeProcess> StartAsync(string directory, IReadOnlyDictionary<string, string>? environment, params IEnumerable<string> arguments)
    {
        var serve = new ServeProcess(Process.Start(Cli.StartInfo(directory, environment, ["serve", .. arguments]))!, directory);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (serve.Lines.Count == 0 || !serve.Lines[^1].StartsWith("ready", StringComparison.Ordinal))
        {
            var line = await serve._process.StandardOutput.ReadLineAsync(limit.Token);
            if (line is null)
            {
                await serve._process.WaitForExitAsync(limit.Token);
                throw new InvalidOperationException($"serve ended with {serve._process.ExitCode}: {serve.Error}");
            }
            serve.Lines.Add(line);
        }
        return serve;
    }

    /// <summary>Host and port of a listener.</summary>
    public string Address(string listener) => Lines.Select(l => Listening().Match(l)).Single(m => m.Groups[1].Value == listener).Groups[2].Value;

    /// <summary>Runs a command against this broker.</summary>
    public Task<CliResult> RunAsync(params string[] arguments) => SendAsync(null, arguments);

    /// <summary>Runs a command against this broker with bytes on its stdin.</summary>
    public Task<CliResult> SendAsync(byte[]? input, params string[] arguments) =>
        Cli.RunAsync(_directory, new Dictionary<string, string> { ["DRAGOMAN_SERVER"] = $"http://{Address("admin")}" }, input, arguments);

    /// <summary>Asks it to stop; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        Assert.Equal(0, Signal(_process.Id, Sigterm));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    /// <summary>Ends it as a crash would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    [GeneratedRegex(@"^listening (\S+) (\S+:\d+)$")]
    private static partial Regex Listening();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int pid, int signal);
}

/// <summary>A directory for one test.</summary>
public sealed class Workspace : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("dragoman-cli-").FullName;

    public string Data => System.IO.Path.Join(Path, "data");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
