using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dragoman.Load.Reporting;
using Dragoman.Load.Startup;

namespace Dragoman.Load.Management;

/// <summary>
/// Fills a broker with queues, bindings and connections, and measures what that costs: how long management answers, how
/// long a declaration takes, and how much of a processor it uses while nothing happens.
/// </summary>
internal static class ManagementCommand
{
    private static readonly Argument<FileInfo> Executable = new("dragoman") { Description = "The built or published executable." };
    private static readonly Option<int> Queues = new("--queues") { Description = "Durable queues.", DefaultValueFactory = _ => 10_000 };
    private static readonly Option<int> Bindings = new("--bindings") { Description = "Bindings to them.", DefaultValueFactory = _ => 50_000 };
    private static readonly Option<int> Connections = new("--connections") { Description = "Connections, each with a channel and a consumer.", DefaultValueFactory = _ => 2_000 };
    private static readonly Option<int> Requests = new("--requests") { Description = "How often each request is sent.", DefaultValueFactory = _ => 20 };
    private static readonly Option<int> Declares = new("--declares") { Description = "Declarations to time, one after the other.", DefaultValueFactory = _ => 500 };
    private static readonly Option<double> Idle = new("--idle") { Description = "Seconds of idleness to measure, twice.", DefaultValueFactory = _ => 20 };
    private static readonly Option<string> Data = new("--data") { Description = "A directory for temporary data.", DefaultValueFactory = _ => Path.GetTempPath() };
    private static readonly Option<string?> Output = new("--output") { Description = "Directory for the JSON file (bench/results)." };

    /// <summary>What the web interface, monitoring and people ask.</summary>
    private static readonly (string Name, string Path)[] Paths =
    [
        ("queues, first page", "api/queues?page=1&page_size=100&name=&use_regex=false&pagination=true"),
        ("queues, first page by messages", "api/queues?page=1&page_size=100&name=&use_regex=false&pagination=true&sort=messages&sort_reverse=true"),
        ("queues, first page by publish rate", "api/queues?page=1&page_size=100&sort=message_stats.publish_details.rate&sort_reverse=true"),
        ("queues, a page that a name is looked for", "api/queues?page=1&page_size=100&name=queue-0077&use_regex=false&pagination=true"),
        ("queues, all, three columns", "api/queues?columns=name,messages,consumers"),
        ("queues, all", "api/queues"),
        ("one queue", "api/queues/%2F/queue-00042"),
        ("exchanges", "api/exchanges?page=1&page_size=100"),
        ("bindings, all", "api/bindings"),
        ("connections, first page", "api/connections?page=1&page_size=100&name=&use_regex=false"),
        ("channels, first page", "api/channels?page=1&page_size=100&name=&use_regex=false"),
        ("consumers, all", "api/consumers"),
        ("overview", "api/overview?lengths_age=60&lengths_incr=5&msg_rates_age=60&msg_rates_incr=5"),
        ("metrics", "metrics"),
        ("metrics per object", "metrics/per-object"),
    ];

    public static Command Create()
    {
        var command = new Command("management", "Measures management, declarations and idleness with many queues, bindings and connections.")
        {
            Executable, Queues, Bindings, Connections, Requests, Declares, Idle, Data, Output,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private sealed record Timed(string What, Percentiles Milliseconds, long Bytes);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (queues, bindings, connections) = (parsed.GetValue(Queues), parsed.GetValue(Bindings), parsed.GetValue(Connections));
        var (requests, declares, idle) = (parsed.GetValue(Requests), parsed.GetValue(Declares), parsed.GetValue(Idle));
        await using var broker = await TemporaryBroker.StartAsync(parsed.GetValue(Executable)!.FullName, parsed.GetValue(Data)!, cancellation);
        var process = broker.Process;
        var timed = new List<Timed>();
        var values = new Dictionary<string, double>();
        await Terminal.RunAsync("Management", async progress =>
        {
            using var topology = new Topology(process.Amqp, queues, bindings, connections);
            progress.Report(new Step(0, "queues"));
            var start = Stopwatch.GetTimestamp();
            timed.Add(new Timed("declare, 16 connections at a time", await topology.DeclareAsync(), 0));
            values["seconds to declare all queues"] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            progress.Report(new Step(0.3, "bindings"));
            start = Stopwatch.GetTimestamp();
            await topology.BindAsync();
            values["seconds to make all bindings"] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            progress.Report(new Step(0.5, "connections"));
            topology.Connect();
            topology.Publish();
            await Task.Delay(TimeSpan.FromSeconds(3), cancellation);
            progress.Report(new Step(0.6, "idle"));
            values["idle, share of a core, nobody has asked"] = await topology.IdleAsync(process.Id, idle, cancellation);
            progress.Report(new Step(0.7, "requests"));
            using var client = new HttpClient { BaseAddress = new Uri($"http://{process.Admin}/"), Timeout = TimeSpan.FromSeconds(60) };
            foreach (var (name, path) in Paths) timed.Add(await AskAsync(client, name, path, requests, cancellation));
            progress.Report(new Step(0.9, "idle while it looks"));
            values["idle, share of a core, rates are being made"] = await topology.IdleAsync(process.Id, idle, cancellation);
            timed.Add(new Timed("declare, one at a time, all there", topology.DeclareMore(declares), 0));
            values["resident MiB"] = process.ResidentBytes / 1048576.0;
            return true;
        });
        Terminal.Print(
            $"{queues} queues, {bindings} bindings, {connections} connections", ["", "median ms", "p90", "p99", "max", "KiB"],
            timed.Select(t => (IReadOnlyList<string>)[t.What, Text(t.Milliseconds.P50), Text(t.Milliseconds.P90), Text(t.Milliseconds.P99), Text(t.Milliseconds.Max), Text(t.Bytes / 1024.0)]));
        Terminal.Print("", ["measured", "value"], values.Select(v => (IReadOnlyList<string>)[v.Key, v.Value.ToString("N4", CultureInfo.InvariantCulture)]));
        Terminal.Note($"Results are in {await ResultFile.WriteAsync(parsed.GetValue(Output), "management", new { queues, bindings, connections, requests, declares, idle }, new { timed, values })}");
        return 0;
    }

    private static async Task<Timed> AskAsync(HttpClient client, string name, string path, int requests, CancellationToken cancellation)
    {
        var latencies = new Latencies();
        long bytes = 0;
        for (var i = 0; i <= requests; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var answer = await client.GetByteArrayAsync(path, cancellation);
            // The first one warms up.
            if (i > 0) latencies.RecordSince(start);
            bytes = answer.Length;
            if (i == 0 && path.StartsWith("api/", StringComparison.Ordinal)) Check(name, answer);
        }
        return new Timed(name, Latencies.Merge([latencies]), bytes);
    }

    /// <summary>A fast answer that is wrong is no result.</summary>
    private static void Check(string name, byte[] answer)
    {
        using var document = JsonDocument.Parse(answer);
        var root = document.RootElement;
        var items = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("items", out var page) ? page : root;
        if (items.ValueKind == JsonValueKind.Array && items.GetArrayLength() == 0) throw new InvalidDataException($"The answer about {name} is empty.");
    }

    private static string Text(double value) => value.ToString("N1", CultureInfo.InvariantCulture);
}
