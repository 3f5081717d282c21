using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Dragoman.Load.Startup;

/// <summary>A broker process of ours, from its start to its end.</summary>
internal sealed class StartedBroker : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly TaskCompletionSource<long> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _errors = [];

    private StartedBroker(Process process) => _process = process;

    /// <summary>Seconds from just before the process was made until its line "ready" was read.</summary>
    public double ReadySeconds { get; private set; }

    /// <summary>HOST:PORT of its Kafka listener.</summary>
    public string Kafka { get; private set; } = "";

    public long ResidentBytes => Field("VmRSS") * 1024;

    public int OpenFiles => Directory.GetFileSystemEntries($"/proc/{_process.Id}/fd").Length;

    public static async Task<StartedBroker> StartAsync(string executable, string data, CancellationToken cancellation)
    {
        var (kafka, admin) = (FreePort(), FreePort());
        var start = Stopwatch.GetTimestamp();
        var process = Process.Start(new ProcessStartInfo(executable, ["serve", "--data", data, "--kafka", $"{kafka}", "--amqp", "off", "--admin", $"{admin}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new InvalidOperationException($"{executable} did not start.");
        var broker = new StartedBroker(process) { Kafka = $"127.0.0.1:{kafka}" };
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data?.StartsWith("ready", StringComparison.Ordinal) == true) broker._ready.TrySetResult(Stopwatch.GetTimestamp());
        };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null) return;
            lock (broker._errors) broker._errors.Add(line.Data);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            var ended = process.WaitForExitAsync(cancellation);
            if (await Task.WhenAny(broker._ready.Task, ended).WaitAsync(Patience, cancellation) == ended)
                throw new InvalidOperationException($"{executable} ended before it was ready:\n{broker.Errors}");
            broker.ReadySeconds = Stopwatch.GetElapsedTime(start, await broker._ready.Task).TotalSeconds;
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    private string Errors
    {
        get
        {
            lock (_errors) return string.Join('\n', _errors);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private long Field(string name)
    {
        foreach (var line in File.ReadLines($"/proc/{_process.Id}/status"))
            if (line.StartsWith(name + ":", StringComparison.Ordinal)) return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        throw new InvalidOperationException($"/proc/{_process.Id}/status has no {name}.");
    }

    /// <summary>Ends the process in good order, or by force if that takes too long.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await _process.WaitForExitAsync();
            }
        }
        _process.Dispose();
    }
}
