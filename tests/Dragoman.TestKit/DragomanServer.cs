using System.Globalization;
using System.Net;

namespace Dragoman.TestKit;

/// <summary>
/// A broker in a process of its own, over as many runs as a test wants: each start has the ports and the data of the one
/// before it.
/// </summary>
public sealed class DragomanServer : IAsyncDisposable
{
    private readonly ServerOptions _options;
    private readonly Workspace _workspace = new();
    private readonly Dictionary<string, int> _ports = [];
    private readonly List<string> _earlierErrors = [];
    private ServeProcess? _run;

    private DragomanServer(ServerOptions options)
    {
        _options = options;
        Data = options.Data ?? _workspace.Data;
    }

    /// <summary>Every listener that <c>serve</c> has; a new front end adds its own.</summary>
    public static IReadOnlyList<string> AllListeners { get; } = ["kafka", "amqp", "aws", "redis", "admin"];

    /// <summary>The data directory.</summary>
    public string Data { get; }

    /// <summary>The run that is under way.</summary>
    /// <exception cref="InvalidOperationException">It was stopped.</exception>
    public ServeProcess Run => _run ?? throw new InvalidOperationException("The broker is stopped.");

    /// <summary>Process id of the run that is under way.</summary>
    public int ProcessId => Run.Id;

    /// <summary>What all runs have logged.</summary>
    public string Error => string.Concat([.. _earlierErrors, _run?.Error]);

    /// <summary>Starts a broker on free ports.</summary>
    public static async Task<DragomanServer> StartAsync(ServerOptions? options = null)
    {
        var server = new DragomanServer(options ?? new ServerOptions());
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a broker on free ports with more arguments for <c>serve</c>.</summary>
    public static Task<DragomanServer> StartAsync(params IReadOnlyList<string> arguments) => StartAsync(new ServerOptions { Arguments = arguments });

    /// <summary>Host and port of a listener, such as <c>127.0.0.1:9092</c>; known also while the broker is stopped.</summary>
    public string Address(string listener) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port(listener)}");

    /// <summary>Port of a listener; known also while the broker is stopped.</summary>
    public int Port(string listener) => _ports[listener];

    /// <summary>Address of a listener; known also while the broker is stopped.</summary>
    public IPEndPoint EndPoint(string listener) => new(IPAddress.Loopback, Port(listener));

    /// <summary>Starts the broker again after <see cref="StopAsync"/> or <see cref="KillAsync"/>: same ports, same data.</summary>
    /// <param name="arguments">More arguments for <c>serve</c>, in this run alone.</param>
    public async Task StartAgainAsync(params IReadOnlyList<string> arguments)
    {
        if (_run is not null) throw new InvalidOperationException("The broker is running.");
        for (var attempt = 1; ; attempt++)
        {
            if (_ports.Count == 0) ChoosePorts();
            try
            {
                _run = await ServeProcess.StartAsync(_options.Executable, _workspace.Path, _options.Environment, [.. Arguments(), .. arguments]);
                return;
            }
            catch (InvalidOperationException error) when (attempt < 10 && _earlierErrors.Count == 0 && error.Message.Contains("is in use", StringComparison.Ordinal))
            {
                // Somebody else took the port between our look and the broker's start.
                _ports.Clear();
            }
        }
    }

    /// <summary>Starts the broker again and ends it with SIGKILL after a while, whether it is ready by then or not.</summary>
    /// <param name="after">How long it may live.</param>
    public async Task StartAndKillAsync(TimeSpan after)
    {
        if (_run is not null) throw new InvalidOperationException("The broker is running.");
        await using var process = ForeignProcess.Start(_options.Executable, ["serve", .. Arguments()], _workspace.Path, _options.Environment);
        await Task.Delay(after);
        if (process.HasExited) throw new InvalidOperationException($"The broker ended on its own: {process.Error}");
        await process.KillAsync();
        _earlierErrors.Add(process.Error);
    }

    /// <summary>Asks the broker to stop with SIGTERM, and waits until it has; returns its exit code.</summary>
    public async Task<int> StopAsync()
    {
        var code = await Run.StopAsync();
        await EndRunAsync();
        return code;
    }

    /// <summary>Ends the broker as a crash would, with SIGKILL.</summary>
    public async Task KillAsync()
    {
        await Run.KillAsync();
        await EndRunAsync();
    }

    /// <summary>Stops the broker in good order and starts it again.</summary>
    /// <exception cref="InvalidOperationException">It did not stop in good order.</exception>
    public async Task RestartAsync()
    {
        var code = await StopAsync();
        if (code != 0) throw new InvalidOperationException($"The broker ended with {code}: {Error}");
        await StartAgainAsync();
    }

    /// <summary>Runs a command of the executable against this broker.</summary>
    public Task<ProcessResult> RunAsync(params string[] arguments) => Run.RunAsync(arguments);

    /// <summary>Runs a command of the executable against this broker with bytes on its standard input.</summary>
    public Task<ProcessResult> SendAsync(byte[]? input, params string[] arguments) => Run.SendAsync(input, arguments);

    public async ValueTask DisposeAsync()
    {
        if (_run is not null) await _run.DisposeAsync();
        _workspace.Dispose();
    }

    private async Task EndRunAsync()
    {
        _earlierErrors.Add(Run.Error);
        await Run.DisposeAsync();
        _run = null;
    }

    private List<string> Arguments()
    {
        var arguments = new List<string> { "--data", Data };
        foreach (var listener in AllListeners) arguments.AddRange([$"--{listener}", _ports.TryGetValue(listener, out var port) ? port.ToString(CultureInfo.InvariantCulture) : "off"]);
        arguments.AddRange(_options.Arguments);
        return arguments;
    }

    private void ChoosePorts()
    {
        foreach (var listener in _options.Listeners) _ports[listener] = FreePort.Next();
    }
}
