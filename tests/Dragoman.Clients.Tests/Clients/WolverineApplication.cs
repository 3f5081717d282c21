using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>An application on Wolverine's Kafka transport, in a process of its own: see <c>tests/Applications</c>.</summary>
internal sealed class WolverineApplication : IForeignClient, IAsyncDisposable
{
    private readonly ForeignProcess _process;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _listening;

    private WolverineApplication(ForeignProcess process)
    {
        _process = process;
        _listening = ListenAsync();
    }

    public static string Name => "WolverineFx.Kafka";

    public static async Task<string> VersionAsync() => (await ForeignProcess.RunAsync("dotnet", [Program, "version"])).Succeeded().Output.Trim();

    /// <summary>The orders that it has handled, in order.</summary>
    public ConcurrentQueue<int> Handled { get; } = new();

    // Beside the tests, built in the same configuration: .../tests/Dragoman.Clients.Tests/bin/Release/net10.0.
    private static string Program
    {
        get
        {
            var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
            return Repository.PathOf("tests", "Applications", "Dragoman.Wolverine", "bin", output.Parent!.Name, output.Name, "Dragoman.Wolverine.dll");
        }
    }

    /// <summary>Starts it, and waits until it listens.</summary>
    public static async Task<WolverineApplication> StartAsync(string kafka, string topic, string group)
    {
        var application = new WolverineApplication(ForeignProcess.Start("dotnet", [Program, kafka, topic, group]));
        if (await Task.WhenAny(application._ready.Task, application._listening).WaitAsync(TimeSpan.FromMinutes(1)) == application._ready.Task) return application;
        await application.DisposeAsync();
        throw new InvalidOperationException($"The application did not start: {application._process.Error}");
    }

    /// <summary>Has it publish orders.</summary>
    public async Task PublishAsync(int from, int count)
    {
        await _process.Input.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"publish {from} {from + count}\n")));
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

    private async Task ListenAsync()
    {
        while (await _process.ReadLineAsync(Timeout.InfiniteTimeSpan) is { } line)
        {
            if (line == "ready") _ready.TrySetResult();
            else if (line.Split(' ') is ["handled", var number]) Handled.Enqueue(int.Parse(number, CultureInfo.InvariantCulture));
        }
    }
}
