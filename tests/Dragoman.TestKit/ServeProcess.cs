using System.Text.RegularExpressions;

namespace Dragoman.TestKit;

/// <summary>One run of <c>dragoman serve</c>, ready to be used. <see cref="DragomanServer"/> is a broker over several runs.</summary>
public sealed partial class ServeProcess : IAsyncDisposable
{
    private readonly ForeignProcess _process;
    private readonly string _executable;
    private readonly string _directory;

    private ServeProcess(ForeignProcess process, string executable, string directory)
    {
        _process = process;
        _executable = executable;
        _directory = directory;
    }

    /// <summary>What it wrote to standard output until it was ready.</summary>
    public List<string> Lines { get; } = [];

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>What it has logged so far.</summary>
    public string Error => _process.Error;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The names of its listeners.</summary>
    public IEnumerable<string> Listeners => Lines.Select(l => Listening().Match(l)).Where(m => m.Success).Select(m => m.Groups[1].Value);

    /// <summary>Starts the executable that was built with these tests in a directory.</summary>
    public static Task<ServeProcess> StartAsync(string directory, params IEnumerable<string> arguments) => StartAsync(directory, null, arguments);

    /// <summary>Starts the executable that was built with these tests, with variables.</summary>
    public static Task<ServeProcess> StartAsync(string directory, IReadOnlyDictionary<string, string?>? environment, params IEnumerable<string> arguments) =>
        StartAsync(Executable.Built, directory, environment, arguments);

    /// <summary>Starts an executable, and returns when it says that it is ready.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message holds its reasons.</exception>
    /// <exception cref="TimeoutException">It said nothing for a minute.</exception>
    public static async Task<ServeProcess> StartAsync(string executable, string directory, IReadOnlyDictionary<string, string?>? environment, IEnumerable<string> arguments)
    {
        var process = ForeignProcess.Start(executable, ["serve", .. arguments], directory, environment);
        try
        {
            process.Input.Close();
            var serve = new ServeProcess(process, executable, directory);
            while (serve.Lines.Count == 0 || !serve.Lines[^1].StartsWith("ready", StringComparison.Ordinal))
            {
                if (await process.ReadLineAsync(TimeSpan.FromMinutes(1)) is { } line)
                {
                    serve.Lines.Add(line);
                    continue;
                }
                var result = await process.WaitAsync();
                throw new InvalidOperationException($"serve ended with {result.ExitCode}: {result.Error}");
            }
            return serve;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Host and port of a listener, such as <c>127.0.0.1:9092</c>.</summary>
    public string Address(string listener) => Lines.Select(l => Listening().Match(l)).Single(m => m.Groups[1].Value == listener).Groups[2].Value;

    /// <summary>Runs a command of the executable against this broker.</summary>
    public Task<ProcessResult> RunAsync(params string[] arguments) => SendAsync(null, arguments);

    /// <summary>Runs a command of the executable against this broker with bytes on its standard input.</summary>
    public Task<ProcessResult> SendAsync(byte[]? input, params string[] arguments) =>
        ForeignProcess.RunAsync(_executable, arguments, input, _directory, Environment, TimeSpan.FromSeconds(60));

    /// <summary>Starts a command of the executable against this broker.</summary>
    public ForeignProcess Start(params string[] arguments) => ForeignProcess.Start(_executable, arguments, _directory, Environment);

    private Dictionary<string, string?> Environment => new() { ["DRAGOMAN_SERVER"] = $"http://{Address("admin")}" };

    /// <summary>Asks it to stop with SIGTERM; returns the exit code.</summary>
    public async Task<int> StopAsync() => (await _process.TerminateAsync()).ExitCode;

    /// <summary>Ends it as a crash would.</summary>
    public Task KillAsync() => _process.KillAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    [GeneratedRegex(@"^listening (\S+) (\S+:\d+)$")]
    private static partial Regex Listening();
}
