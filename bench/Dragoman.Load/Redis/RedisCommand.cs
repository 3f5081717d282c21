using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Dragoman.Load.Reporting;
using Dragoman.Load.Startup;

namespace Dragoman.Load.Redis;

/// <summary>Starts Dragoman and a redis-server, puts the same loads on both in turn, and prints what one is to the other.</summary>
internal static class RedisCommand
{
    private static readonly Argument<FileInfo> Executable = new("dragoman") { Description = "The published executable." };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds with each server, after one that warms up.", DefaultValueFactory = _ => 5 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "Time to publish in each round of a fan-out.", DefaultValueFactory = _ => 2 };
    private static readonly Option<int> Bytes = new("--bytes") { Description = "Bytes of a message.", DefaultValueFactory = _ => 64 };
    private static readonly Option<string[]> Only = new("--only") { Description = "Only what bears one of these names: benchmark, fan-out.", DefaultValueFactory = _ => ["benchmark", "fan-out"], AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int[]> Subscribers = new("--subscribers") { Description = "How many listen, in one fan-out after the other.", DefaultValueFactory = _ => [1, 10, 100], AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string> Data = new("--data") { Description = "A directory for temporary data.", DefaultValueFactory = _ => Path.GetTempPath() };
    private static readonly Option<string?> Output = new("--output") { Description = "Directory for the JSON file (bench/results)." };

    public static Command Create()
    {
        var command = new Command("redis", "Compares Dragoman with redis-server: redis-benchmark's PUBLISH, and fan-out to raw subscribers.") { Executable, Rounds, Seconds, Bytes, Only, Subscribers, Data, Output };
        command.SetAction(RunAsync);
        return command;
    }

    /// <param name="Rate">Messages a second.</param>
    /// <param name="CpuMicroseconds">CPU of the server for each.</param>
    /// <param name="ServerShare">How much of a core the server used.</param>
    /// <param name="ClientShare">The same of the client; null where that is another program.</param>
    private sealed record Measured(double Rate, double CpuMicroseconds, double ServerShare, double? ClientShare);

    private sealed record Scenario(string Name, Measured Ours, Measured Theirs, double MedianRatio, IReadOnlyList<Measured> AllOurs, IReadOnlyList<Measured> AllTheirs);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (rounds, seconds, bytes) = (parsed.GetValue(Rounds), parsed.GetValue(Seconds), parsed.GetValue(Bytes));
        await using var theirs = await RedisServer.StartAsync(cancellation);
        await using var ours = await TemporaryBroker.StartAsync(parsed.GetValue(Executable)!.FullName, parsed.GetValue(Data)!, cancellation);
        var endpoint = IPEndPoint.Parse(ours.Process.Redis);
        var scenarios = new List<Scenario>();
        var only = parsed.GetValue(Only)!;
        foreach (var (pipeline, count) in only.Contains("benchmark") ? ((int, int)[])[(1, 150_000), (16, 1_500_000)] : [])
            scenarios.Add(await CompareAsync($"redis-benchmark, 20 connections, pipeline {pipeline}", (server, id) => BenchmarkAsync(server, id, pipeline, count, bytes, cancellation)));
        foreach (var subscribers in only.Contains("fan-out") ? parsed.GetValue(Subscribers)! : [])
            scenarios.Add(await CompareAsync($"fan-out to {subscribers}", (server, id) => Task.Run(() => FanOutTo(server, id, subscribers, bytes, seconds))));
        Terminal.Print($"Redis, {bytes} B, {rounds} rounds in turn", ["", "Dragoman/s", "CPU µs each", "redis-server/s", "CPU µs each", "ratio (median of rounds)", "cores: Dragoman, its client", "redis-server, its client"], scenarios.Select(s => (IReadOnlyList<string>)[s.Name, Text(s.Ours.Rate, "N0"), Text(s.Ours.CpuMicroseconds, "F2"), Text(s.Theirs.Rate, "N0"), Text(s.Theirs.CpuMicroseconds, "F2"), Text(s.MedianRatio, "F2"), Cores(s.Ours), Cores(s.Theirs)]));
        Terminal.Note($"Results are in {await ResultFile.WriteAsync(parsed.GetValue(Output), "redis", new { rounds, seconds, bytes }, scenarios)}");
        return 0;

        async Task<Scenario> CompareAsync(string name, Func<IPEndPoint, int, Task<Measured>> run)
        {
            var (mine, others) = (new List<Measured>(), new List<Measured>());
            for (var round = 0; round <= rounds; round++)
            {
                mine.Add(await run(endpoint, ours.Process.Id));
                others.Add(await run(theirs.EndPoint, theirs.Id));
            }
            // The first warms up.
            mine.RemoveAt(0);
            others.RemoveAt(0);
            var ratios = mine.Zip(others, static (a, b) => a.Rate / b.Rate).Order().ToList();
            return new Scenario(name, Middle(mine), Middle(others), ratios[ratios.Count / 2], mine, others);
        }
    }

    private static Measured Middle(List<Measured> all) => all.OrderBy(static m => m.Rate).ElementAt(all.Count / 2);

    /// <summary>Messages a second that redis-benchmark says it has published.</summary>
    private static async Task<Measured> BenchmarkAsync(IPEndPoint server, int id, int pipeline, int count, int bytes, CancellationToken cancellation)
    {
        var cpu = new CpuMeter(id);
        var information = new ProcessStartInfo(
            "redis-benchmark",
            ["-p", Number(server.Port), "-n", Number(count), "-c", "20", "-P", Number(pipeline), "--csv", "publish", "channel", new string('x', bytes)])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(information) ?? throw new InvalidOperationException("There is no redis-benchmark: apt-get install redis-tools.");
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        var lines = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        await errors;
        var used = cpu.Read();
        // The last line: "what was run","requests a second",latencies.
        var line = lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        var fields = line.Split("\",\"");
        return new Measured(double.Parse(fields[1].Trim('"'), CultureInfo.InvariantCulture), 1e6 * used.Watched!.Value / count, used.WatchedShare!.Value, null);
    }

    /// <summary>Messages a second that all subscribers together have got.</summary>
    private static Measured FanOutTo(IPEndPoint server, int id, int subscribers, int bytes, double seconds)
    {
        var cpu = new CpuMeter(id);
        var (published, elapsed) = FanOut.Run(server, subscribers, bytes, seconds);
        var used = cpu.Read();
        return new Measured(published * subscribers / elapsed, 1e6 * used.Watched!.Value / (published * subscribers), used.WatchedShare!.Value, used.OwnShare);
    }

    private static string Cores(Measured measured) => $"{Text(measured.ServerShare, "F2")}, {(measured.ClientShare is { } share ? Text(share, "F2") : "–")}";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
}
