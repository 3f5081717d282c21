using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>
/// One of the programs in <c>tests/Applications</c>, in a process of its own: it says "ready" once it is, does what the
/// lines on its input ask for, tells line by line what happens to it, and ends with its input.
/// </summary>
internal sealed class ApplicationProcess : IAsyncDisposable
{
    private readonly ForeignProcess _process;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _listening;

    private ApplicationProcess(ForeignProcess process)
    {
        _process = process;
        _listening = ListenAsync();
    }

    /// <summary>What it has told since it was ready, in order.</summary>
    public ConcurrentQueue<string> Told { get; } = new();

    /// <summary>What it has logged.</summary>
    public string Error => _process.Error;

    /// <summary>The version of a package that a program was built with.</summary>
    public static string PackageVersion(string program, string package)
    {
        var libraries = JsonNode.Parse(File.ReadAllText(Path.ChangeExtension(PathOf(program), "deps.json")))!["libraries"]!.AsObject();
        return libraries.Select(library => library.Key.Split('/')).Single(library => library[0] == package)[1];
    }

    /// <summary>Starts a program, and waits until it is ready.</summary>
    public static async Task<ApplicationProcess> StartAsync(string program, params string[] arguments)
    {
        var application = new ApplicationProcess(ForeignProcess.Start("dotnet", [PathOf(program), .. arguments]));
        if (await Task.WhenAny(application._ready.Task, application._listening).WaitAsync(TimeSpan.FromMinutes(1)) == application._ready.Task) return application;
        await application.DisposeAsync();
        throw new InvalidOperationException($"The application did not start: {application.Error}");
    }

    /// <summary>Gives it a line.</summary>
    public async Task SendAsync(string line)
    {
        await _process.Input.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));
        await _process.Input.FlushAsync();
    }

    /// <summary>Has it end in good order.</summary>
    public async Task StopAsync()
    {
        _process.Input.Close();
        (await _process.WaitAsync()).Succeeded();
        await _listening;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _listening;
    }

    // Beside the tests, built in the same configuration: .../tests/Dragoman.Clients.Tests/bin/Release/net10.0.
    private static string PathOf(string program)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Repository.PathOf("tests", "Applications", program, "bin", output.Parent!.Name, output.Name, $"{program}.dll");
    }

    private async Task ListenAsync()
    {
        while (await _process.ReadLineAsync(Timeout.InfiniteTimeSpan) is { } line)
        {
            if (line == "ready") _ready.TrySetResult();
            else Told.Enqueue(line);
        }
    }
}
