using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Dragoman.Load.Sqs;

/// <summary>A fauxqs (npm) of its own process, as it comes but without its log.</summary>
internal sealed class FauxqsServer : IAsyncDisposable
{
    private const int Attempts = 200;

    private readonly Process _process;

    private FauxqsServer(Process process, int port)
    {
        _process = process;
        EndPoint = new IPEndPoint(IPAddress.Loopback, port);
    }

    public IPEndPoint EndPoint { get; }

    public int Id => _process.Id;

    /// <summary>Starts one and waits until it takes connections.</summary>
    /// <param name="node">The program that runs it.</param>
    /// <param name="script">Its <c>dist/cli.js</c>.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<FauxqsServer> StartAsync(string node, string script, CancellationToken cancellation)
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        var information = new ProcessStartInfo(node, [script]) { RedirectStandardOutput = true };
        information.Environment["FAUXQS_PORT"] = port.ToString(CultureInfo.InvariantCulture);
        information.Environment["FAUXQS_LOGGER"] = "false";
        var server = new FauxqsServer(Process.Start(information) ?? throw new InvalidOperationException("There is no fauxqs to compare with: npm install fauxqs@1.9.2."), port);
        server._process.OutputDataReceived += static (_, _) => { };
        server._process.BeginOutputReadLine();
        for (var attempt = 0; ; attempt++)
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await client.ConnectAsync(server.EndPoint, cancellation);
                return server;
            }
            catch (SocketException) when (attempt < Attempts)
            {
                await Task.Delay(50, cancellation);
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
