using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>Debian's Celery: an application with one worker.</summary>
internal sealed class CeleryApplication : IForeignClient, IAsyncDisposable
{
    private const string Directory = "tests/Dragoman.Clients.Tests/scripts/python/amqp/celery";

    private readonly ForeignProcess _worker;
    private readonly int _port;

    private CeleryApplication(ForeignProcess worker, int port)
    {
        _worker = worker;
        _port = port;
    }

    public static string Name => "Celery";

    public static async Task<string> VersionAsync() => (await RunAsync("version", 5672)).Succeeded().Output.Trim();

    /// <summary>Starts the application's worker, and waits until it is ready.</summary>
    public static async Task<CeleryApplication> StartAsync(int port)
    {
        // Two threads, so that a limit of two deliveries is what the worker begins with.
        var worker = ForeignProcess.Start(
            "/bin/sh", ["-c", "exec /usr/bin/python3 -m celery -A tasks worker --pool threads --concurrency 2 --loglevel INFO --without-gossip 2>&1"], Repository.PathOf(Directory), Environment(port));
        try
        {
            await worker.ReadUntilAsync(line => line.EndsWith("ready.", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
            return new CeleryApplication(worker, port);
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs one of the client's stories; fails if it does, with what the worker said.</summary>
    public async Task RunAsync(string story)
    {
        var result = await RunAsync(story, _port);
        Assert.True(result.ExitCode == 0, $"{result.Error}\nThe worker said:\n{_worker.Output}");
    }

    public ValueTask DisposeAsync() => _worker.DisposeAsync();

    private static Task<ProcessResult> RunAsync(string story, int port) =>
        ForeignProcess.RunAsync(Scripts.Python, ["-u", "client.py", story], directory: Repository.PathOf(Directory), environment: Environment(port));

    private static Dictionary<string, string?> Environment(int port) => new()
    {
        ["BROKER"] = $"amqp://guest:guest@127.0.0.1:{port}//",
        ["NO_COLOR"] = null, // which Celery takes for a flag of its own
        ["PYTHONPATH"] = null,
        ["PYTHONHOME"] = null,
        ["PYTHONDONTWRITEBYTECODE"] = "1",
    };
}
