using System.Globalization;
using System.Net.Sockets;

namespace Dragoman.TestKit;

/// <summary>
/// Debian's RabbitMQ in processes of its own, apart from any that the machine runs: its ports, node name, data and port
/// mapper are the test's, and it ends with the test. Over as many runs as a test wants, with the data of the one before.
/// </summary>
public sealed class RealRabbitMq : IAsyncDisposable
{
    private const string Script = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    private readonly Workspace _workspace = new();
    private readonly int _distributionPort = FreePort.Next();
    private readonly int _mapperPort = FreePort.Next();
    private readonly string[] _plugins;
    private ForeignProcess? _mapper;
    private ForeignProcess? _run;

    private RealRabbitMq(string[] plugins) => _plugins = plugins;

    /// <summary>Port of the AMQP listener; the same over all runs.</summary>
    public int Port { get; } = FreePort.Next();

    /// <summary>Port of the management API, where its plugin is enabled; the same over all runs.</summary>
    public int ManagementPort { get; } = FreePort.Next();

    /// <summary>Its address as links have it.</summary>
    public string Uri => string.Create(CultureInfo.InvariantCulture, $"amqp://guest:guest@127.0.0.1:{Port}/%2F");

    /// <summary>What the run that is under way has written, for messages.</summary>
    public string Output => _run is null ? "" : _run.Output + _run.Error;

    /// <summary>Starts one.</summary>
    /// <param name="plugins">Plugins to enable, such as <c>rabbitmq_management</c>.</param>
    public static async Task<RealRabbitMq> StartAsync(params string[] plugins)
    {
        var server = new RealRabbitMq(plugins);
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

    /// <summary>Starts it again after <see cref="StopAsync"/> or <see cref="KillAsync"/>.</summary>
    public async Task StartAgainAsync()
    {
        if (_run is not null) throw new InvalidOperationException("It is running.");
        var directory = _workspace.Path;
        var environment = new Dictionary<string, string?>
        {
            ["HOME"] = directory,
            ["ERL_EPMD_PORT"] = Text(_mapperPort),
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_NODENAME"] = $"dragoman-test-{Text(Port)}@localhost",
            ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_NODE_PORT"] = Text(Port),
            ["RABBITMQ_DIST_PORT"] = Text(_distributionPort),
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
            ["RABBITMQ_MNESIA_BASE"] = Path.Join(directory, "mnesia"),
            ["RABBITMQ_LOG_BASE"] = Path.Join(directory, "log"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Join(directory, "plugins"),
            ["RABBITMQ_CONFIG_FILE"] = Path.Join(directory, "rabbitmq.conf"),
            ["RABBITMQ_CONF_ENV_FILE"] = Path.Join(directory, "environment"),
            ["RABBITMQ_PID_FILE"] = PidFile,
        };
        await File.WriteAllTextAsync(Path.Join(directory, "plugins"), $"[{string.Join(',', _plugins)}].\n");
        await File.WriteAllTextAsync(Path.Join(directory, "environment"), "");
        await File.WriteAllTextAsync(
            Path.Join(directory, "rabbitmq.conf"),
            string.Create(CultureInfo.InvariantCulture, $"listeners.tcp.1 = 127.0.0.1:{Port}\nlog.console = true\n")
            + (_plugins.Contains("rabbitmq_management") ? string.Create(CultureInfo.InvariantCulture, $"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {ManagementPort}\n") : ""));
        // In the foreground, where it ends with the test; the node would start one that outlives it.
        _mapper ??= ForeignProcess.Start("epmd", ["-port", Text(_mapperPort), "-address", "127.0.0.1"], directory, environment);
        _run = ForeignProcess.Start(Script, [], directory, environment);
        await Eventually.TrueAsync(
            async () =>
            {
                if (_run.HasExited) throw new InvalidOperationException($"RabbitMQ did not start:\n{Output}");
                // With the listener open the node may still be starting its plugins.
                return Output.Contains("Server startup complete", StringComparison.Ordinal) && await AnswersAsync();
            },
            "RabbitMQ starts", TimeSpan.FromMinutes(2));
    }

    /// <summary>Stops it in good order.</summary>
    public async Task StopAsync()
    {
        var run = Running();
        (await ForeignProcess.RunAsync("kill", ["-TERM", (await File.ReadAllTextAsync(PidFile)).Trim()])).Succeeded();
        await run.WaitAsync(TimeSpan.FromMinutes(1));
        await EndAsync();
    }

    /// <summary>Kills it, as a crash would.</summary>
    public async Task KillAsync()
    {
        await Running().KillAsync();
        await EndAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        if (_mapper is not null) await _mapper.DisposeAsync();
        _workspace.Dispose();
    }

    private string PidFile => Path.Join(_workspace.Path, "pid");

    private ForeignProcess Running() => _run ?? throw new InvalidOperationException("It is not running.");

    private async Task EndAsync()
    {
        if (_run is null) return;
        await _run.DisposeAsync();
        _run = null;
    }

    private async Task<bool> AnswersAsync()
    {
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
