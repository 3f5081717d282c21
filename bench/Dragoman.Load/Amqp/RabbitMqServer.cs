using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Dragoman.Load.Amqp;

/// <summary>
/// A rabbitmq-server of Debian's package as it comes, without plugins, with ports, a directory and a port mapper of its
/// own: nothing else on the machine sees it, and nothing of it stays.
/// </summary>
internal sealed class RabbitMqServer : IAsyncDisposable
{
    private const string Script = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory;
    private readonly Process _portMapper;
    private readonly Process _server;

    private RabbitMqServer(string directory, Process portMapper, Process server, string address)
    {
        _directory = directory;
        _portMapper = portMapper;
        _server = server;
        Address = address;
    }

    /// <summary>HOST:PORT.</summary>
    public string Address { get; }

    /// <summary>The process id of the Erlang machine.</summary>
    public int Id => _server.Id;

    /// <summary>Starts one and waits until it takes connections.</summary>
    /// <param name="parent">The directory to make its own in.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<RabbitMqServer> StartAsync(string parent, CancellationToken cancellation)
    {
        if (!File.Exists(Script)) throw new InvalidOperationException("There is no rabbitmq-server to compare with: apt-get install rabbitmq-server.");
        var directory = Path.Join(Path.GetFullPath(parent), $"dragoman-load-rabbitmq-{Guid.NewGuid():N}");
        Directory.CreateDirectory(directory);
        var (port, distribution, mapper) = (FreePort(), FreePort(), FreePort());
        var plugins = Path.Join(directory, "plugins");
        await File.WriteAllTextAsync(plugins, "[].\n", cancellation);
        var environment = new Dictionary<string, string>
        {
            ["HOME"] = directory,
            ["ERL_EPMD_PORT"] = Text(mapper),
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_NODENAME"] = $"dragoman-load-{Environment.ProcessId}@localhost",
            ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_NODE_PORT"] = Text(port),
            ["RABBITMQ_DIST_PORT"] = Text(distribution),
            ["RABBITMQ_MNESIA_BASE"] = Path.Join(directory, "data"),
            ["RABBITMQ_LOG_BASE"] = Path.Join(directory, "log"),
            ["RABBITMQ_PID_FILE"] = Path.Join(directory, "pid"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = plugins,
            ["RABBITMQ_CONF_ENV_FILE"] = Path.Join(directory, "no-environment"),
            ["RABBITMQ_CONFIG_FILE"] = Path.Join(directory, "no-configuration"),
            // Has the script become the Erlang machine, so that this is the process to watch and to end.
            ["RUNNING_UNDER_SYSTEMD"] = "true",
        };
        var portMapper = Start("epmd", environment);
        var server = Start(Script, environment);
        var rabbit = new RabbitMqServer(directory, portMapper, server, $"127.0.0.1:{port}");
        try
        {
            await rabbit.WaitAsync(port, cancellation);
            return rabbit;
        }
        catch
        {
            await rabbit.DisposeAsync();
            throw;
        }
    }

    private static Process Start(string program, Dictionary<string, string> environment)
    {
        var information = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) information.Environment[name] = value;
        var process = Process.Start(information) ?? throw new InvalidOperationException($"{program} did not start.");
        // What it says goes nowhere, but must be read for it to go on.
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private async Task WaitAsync(int port, CancellationToken cancellation)
    {
        for (var start = Stopwatch.GetTimestamp(); ; await Task.Delay(200, cancellation))
        {
            if (_server.HasExited) throw new InvalidOperationException($"rabbitmq-server ended with {_server.ExitCode}.");
            if (Stopwatch.GetElapsedTime(start) > Patience) throw new TimeoutException($"rabbitmq-server took no connection within {Patience.TotalSeconds:F0} s.");
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
                return;
            }
            catch (SocketException)
            {
                // Not yet.
            }
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_server.HasExited)
        {
            using (var kill = Process.Start("kill", ["-TERM", Text(_server.Id)])) await kill.WaitForExitAsync();
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                await _server.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _server.Kill(entireProcessTree: true);
                await _server.WaitForExitAsync();
            }
        }
        if (!_portMapper.HasExited)
        {
            _portMapper.Kill();
            await _portMapper.WaitForExitAsync();
        }
        _server.Dispose();
        _portMapper.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
