using System.CommandLine;
using System.Globalization;
using System.Net;
using Dragoman.Load.Reporting;
using Dragoman.Load.Startup;

namespace Dragoman.Load.Sqs;

/// <summary>Starts Dragoman and fauxqs, puts the same loads on both in turn, and prints what one is to the other.</summary>
internal static class SqsCommand
{
    private static readonly Argument<FileInfo> Executable = new("dragoman") { Description = "The published executable." };
    private static readonly Option<FileInfo?> Fauxqs = new("--fauxqs") { Description = "fauxqs' dist/cli.js (npm install fauxqs@1.9.2); without it Dragoman is measured alone." };
    private static readonly Option<string> Node = new("--node") { Description = "The Node.js that runs it.", DefaultValueFactory = _ => "node" };
    private static readonly Option<int> Connections = new("--connections") { Description = "Connections that send, receive and delete.", DefaultValueFactory = _ => 32 };
    private static readonly Option<int> Batch = new("--batch") { Description = "Messages of each request that sends, receives or deletes: 1 to 10.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds with each server, after one that warms up.", DefaultValueFactory = _ => 3 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "Length of each round.", DefaultValueFactory = _ => 4 };
    private static readonly Option<int> Bytes = new("--bytes") { Description = "Bytes of a message.", DefaultValueFactory = _ => 100 };
    private static readonly Option<int> WakeUps = new("--wake-ups") { Description = "Messages that wake a receive which waits.", DefaultValueFactory = _ => 300 };
    private static readonly Option<int> Pollers = new("--pollers") { Description = "Receives that wait for nothing.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<double> IdleSeconds = new("--idle-seconds") { Description = "For how long they are watched; 0 leaves them out.", DefaultValueFactory = _ => 24 };
    private static readonly Option<string> Data = new("--data") { Description = "A directory for temporary data.", DefaultValueFactory = _ => Path.GetTempPath() };
    private static readonly Option<string?> Output = new("--output") { Description = "Directory for the JSON file (bench/results)." };

    public static Command Create()
    {
        var command = new Command("sqs", "Compares Dragoman with fauxqs: send, receive and delete over plain sockets, and receives that wait.")
        {
            Executable, Fauxqs, Node, Connections, Batch, Rounds, Seconds, Bytes, WakeUps, Pollers, IdleSeconds, Data, Output,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private sealed record Measured(double RequestsPerSecond, double MessagesPerSecond, double CpuMicroseconds);

    private sealed record Server(string Name, IPEndPoint EndPoint, int Process)
    {
        public List<Measured> Rounds { get; } = [];

        public Percentiles? WakeUpMilliseconds { get; set; }

        public double? IdleCoreShare { get; set; }
    }

    private sealed record Result(string Server, Measured Median, double? RatioOfRates, double? RatioOfCpu, Percentiles? WakeUpMilliseconds, double? IdleCoreShare, IReadOnlyList<Measured> Rounds);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var executable = parsed.GetValue(Executable)!.FullName;
        var data = parsed.GetValue(Data)!;
        await using var inMemory = await TemporaryBroker.StartAsync(executable, data, cancellation, "--commit-mode", "memory");
        await using var onDisk = await TemporaryBroker.StartAsync(executable, data, cancellation, "--commit-mode", "fsync");
        await using var fauxqs = parsed.GetValue(Fauxqs) is { } script ? await FauxqsServer.StartAsync(parsed.GetValue(Node)!, script.FullName, cancellation) : null;
        var servers = new List<Server>
        {
            new("Dragoman, memory", IPEndPoint.Parse(inMemory.Process.Aws), inMemory.Process.Id),
            new("Dragoman, fsync", IPEndPoint.Parse(onDisk.Process.Aws), onDisk.Process.Id),
        };
        if (fauxqs is not null) servers.Add(new Server("fauxqs", fauxqs.EndPoint, fauxqs.Id));

        await MeasureCyclesAsync(parsed, servers);
        foreach (var server in servers) server.WakeUpMilliseconds = await Task.Run(() => LongPolls.WakeUps(server.EndPoint, "wake-up", parsed.GetValue(WakeUps)), cancellation);
        // What waits for nothing is told of ours alone: it is a promise, not a race.
        if (parsed.GetValue(IdleSeconds) is > 0 and var idle)
            servers[0].IdleCoreShare = await LongPolls.IdleAsync(servers[0].EndPoint, servers[0].Process, parsed.GetValue(Pollers), idle, cancellation);
        await ReportAsync(parsed, servers);
        return 0;
    }

    private static async Task MeasureCyclesAsync(ParseResult parsed, List<Server> servers)
    {
        var loads = servers.ConvertAll(s => new Cycles(s.EndPoint, "cycles", parsed.GetValue(Connections), parsed.GetValue(Bytes), parsed.GetValue(Batch)));
        try
        {
            for (var round = 0; round <= parsed.GetValue(Rounds); round++)
            {
                for (var i = 0; i < servers.Count; i++)
                {
                    var (load, cpu) = (loads[i], new CpuMeter(servers[i].Process));
                    var (requests, messages, seconds) = await Task.Run(() => load.Run(parsed.GetValue(Seconds)));
                    // The first round warms up.
                    if (round > 0) servers[i].Rounds.Add(new Measured(requests / seconds, messages / seconds, 1e6 * cpu.Read().Watched!.Value / requests));
                }
            }
        }
        finally
        {
            foreach (var load in loads) load.Dispose();
        }
    }

    private static async Task ReportAsync(ParseResult parsed, List<Server> servers)
    {
        var peer = servers.Count > 2 ? servers[2] : null;
        var results = servers.ConvertAll(s => new Result(
            s.Name,
            Middle(s.Rounds),
            peer is null || s == peer ? null : Ratio(s, peer, static m => m.MessagesPerSecond),
            peer is null || s == peer ? null : Ratio(s, peer, static m => m.CpuMicroseconds),
            s.WakeUpMilliseconds,
            s.IdleCoreShare,
            s.Rounds));
        Terminal.Print(
            $"SQS, {parsed.GetValue(Bytes)} B, {parsed.GetValue(Connections)} connections that send, receive and delete {parsed.GetValue(Batch)} at a time; {parsed.GetValue(Pollers)} that wait",
            ["", "requests/s", "messages/s", "CPU µs each", "ratio of rates", "ratio of CPU", "wake-up p50 / p90 / p99 / p99.9 / max", "idle, of a core"],
            results.Select(static r => (IReadOnlyList<string>)[
                r.Server, Text(r.Median.RequestsPerSecond, "N0"), Text(r.Median.MessagesPerSecond, "N0"), Text(r.Median.CpuMicroseconds, "F1"), Text(r.RatioOfRates, "F2"), Text(r.RatioOfCpu, "F3"),
                $"{r.WakeUpMilliseconds}", Text(r.IdleCoreShare, "P2")]));
        var parameters = new { connections = parsed.GetValue(Connections), batch = parsed.GetValue(Batch), rounds = parsed.GetValue(Rounds), seconds = parsed.GetValue(Seconds), bytes = parsed.GetValue(Bytes), pollers = parsed.GetValue(Pollers) };
        Terminal.Note($"Results are in {await ResultFile.WriteAsync(parsed.GetValue(Output), "sqs", parameters, results)}");
    }

    private static Measured Middle(List<Measured> all) => all.OrderBy(static m => m.RequestsPerSecond).ElementAt(all.Count / 2);

    /// <summary>The median over the rounds of what one is to the other in the same round.</summary>
    private static double Ratio(Server ours, Server theirs, Func<Measured, double> of)
    {
        var ratios = ours.Rounds.Zip(theirs.Rounds, (a, b) => of(a) / of(b)).Order().ToList();
        return ratios[ratios.Count / 2];
    }

    private static string Text(double? number, string format) => number?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
