using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Startup;

/// <summary>A broker process of ours with all its listeners on, each on a free port, from its start to its end.</summary>
internal sealed class StartedBroker : IAsyncDisposable
{
    // Given as variables, because a build that does not know one of them passes over it.
    private static readonly string[] Listeners = ["KAFKA", "AMQP", "REDIS", "AWS", "PULSAR", "PUBSUB", "ADMIN"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ConcurrentDictionary<string, string> _addresses = new();
    private readonly TaskCompletionSource<long> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _errors = [];

    private StartedBroker(Process process) => _process = process;

    /// <summary>Seconds from just before the process was made until its line "ready" was read.</summary>
    public double ReadySeconds { get; private set; }

    public int Id => _process.Id;

    /// <summary>HOST:PORT of its Kafka listener.</summary>
    public string Kafka => AddressOf("kafka");

    /// <summary>HOST:PORT of its AMQP listener.</summary>
    public string Amqp => AddressOf("amqp");

    /// <summary>HOST:PORT of the Redis listener.</summary>
    public string Redis => AddressOf("redis");

    /// <summary>HOST:PORT of the AWS listener.</summary>
    public string Aws => AddressOf("aws");

    /// <summary>HOST:PORT of the admin listener.</summary>
    public string Admin => AddressOf("admin");

    /// <summary>The names of the listeners that are on.</summary>
    public IReadOnlyList<string> ListenerNames => [.. _addresses.Keys.Order()];

    public long ResidentBytes => ProcessMemory.Resident(_process.Id);

    public int OpenFiles => Directory.GetFileSystemEntries($"/proc/{_process.Id}/fd").Length;

    /// <summary>Starts a broker and waits until it is ready.</summary>
    /// <param name="executable">The built or published program.</param>
    /// <param name="data">Its data directory.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <param name="options">More options of <c>serve</c>.</param>
    public static async Task<StartedBroker> StartAsync(string executable, string data, CancellationToken cancellation, params IEnumerable<string> options)
    {
        var information = new ProcessStartInfo(executable, ["serve", "--data", data, .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var listener in Listeners) information.Environment[$"DRAGOMAN_{listener}"] = "0";
        var start = Stopwatch.GetTimestamp();
        var process = Process.Start(information) ?? throw new InvalidOperationException($"{executable} did not start.");
        var broker = new StartedBroker(process);
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data?.StartsWith("ready", StringComparison.Ordinal) == true) broker._ready.TrySetResult(Stopwatch.GetTimestamp());
            else if (line.Data?.Split(' ') is ["listening", var name, var address]) broker._addresses[name] = address;
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

    private string AddressOf(string listener) =>
        _addresses.TryGetValue(listener, out var address) ? address : throw new InvalidOperationException($"The broker has no listener '{listener}'.");

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
