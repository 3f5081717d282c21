using System.CommandLine;
using Dragoman.Load.Reporting;
using Dragoman.Load.Startup;

namespace Dragoman.Load.Amqp;

/// <summary>Starts Dragoman and a rabbitmq-server, puts the same loads on both in turn, and prints what one is to the other.</summary>
internal static class AmqpComparison
{
    private const int WaitingMessages = 1_000_000;

    private static readonly Argument<FileInfo> Executable = new("dragoman") { Description = "The published executable." };
    private static readonly Option<string[]> Only = new("--only") { Description = "What to run: raw (throughput), client (CPU with RabbitMQ.Client), latency (of confirms, at a rate), memory (with messages waiting). All unless given.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "Time to publish in each round.", DefaultValueFactory = _ => 4 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds with each broker; the first warms up and does not count if there are more.", DefaultValueFactory = _ => 3 };
    private static readonly Option<double> Rate = new("--rate") { Description = "Messages per second where latency is measured.", DefaultValueFactory = _ => 5000 };
    private static readonly Option<string> Data = new("--data") { Description = "A directory for temporary data.", DefaultValueFactory = _ => Path.GetTempPath() };
    private static readonly Option<string?> Output = new("--output") { Description = "Directory for the JSON file (bench/results)." };

    public static Command Create()
    {
        var command = new Command("amqp-compare", "Compares Dragoman with rabbitmq-server: starts both, and runs the same loads on them in turn.")
        {
            Executable, Only, Seconds, Rounds, Rate, Data, Output,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private sealed record Scenario(string Name, AmqpLoadOptions Options, AmqpLoadResult Ours, AmqpLoadResult Theirs);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var only = parsed.GetValue(Only) is { Length: > 0 } chosen ? chosen.ToHashSet() : ["raw", "client", "latency", "memory"];
        var data = parsed.GetValue(Data)!;
        var scenarios = new List<Scenario>();
        await using (var rabbit = await RabbitMqServer.StartAsync(data, cancellation))
        {
            await using var broker = await TemporaryBroker.StartAsync(parsed.GetValue(Executable)!.FullName, data, cancellation);
            var basis = new AmqpLoadOptions
            {
                Address = broker.Process.Amqp,
                Peer = rabbit.Address,
                Mode = "raw",
                MessageBytes = 1024,
                Safe = true,
                Queues = 1,
                Producers = 1,
                Consumers = 1,
                InFlight = 2000,
                Prefetch = 1000,
                Count = 0,
                Seconds = parsed.GetValue(Seconds),
                Rate = 0,
                Rounds = parsed.GetValue(Rounds),
                Watch = broker.Process.Id,
                WatchPeer = rabbit.Id,
            };
            foreach (var size in (int[])[1024, 16])
            {
                var sized = basis with { MessageBytes = size };
                if (only.Contains("raw"))
                {
                    await RunAsync($"raw, {size} B, persistent and confirmed", sized);
                    await RunAsync($"raw, {size} B, transient", sized with { Safe = false });
                }
                if (only.Contains("client")) await RunAsync($"RabbitMQ.Client, {size} B, persistent and confirmed", sized with { Mode = "client" });
                if (only.Contains("latency")) await RunAsync($"raw, {size} B, persistent and confirmed, {parsed.GetValue(Rate):F0}/s", sized with { Rate = parsed.GetValue(Rate) });
            }
        }
        if (only.Contains("memory"))
            foreach (var size in (int[])[1024, 16]) scenarios.Add(await MeasureMemoryAsync(parsed.GetValue(Executable)!.FullName, data, size, cancellation));
        foreach (var scenario in scenarios)
        {
            AmqpReport.Print(scenario.Options, scenario.Ours, scenario.Theirs);
        }
        var results = scenarios.Select(s => new { s.Name, s.Options, s.Ours, s.Theirs });
        Terminal.Note($"Results are in {await ResultFile.WriteAsync(parsed.GetValue(Output), "amqp-compare", new { seconds = parsed.GetValue(Seconds), rounds = parsed.GetValue(Rounds), rate = parsed.GetValue(Rate) }, results)}");
        return 0;

        async Task RunAsync(string name, AmqpLoadOptions options)
        {
            var results = await AmqpRounds.RunAsync(options, cancellation);
            scenarios.Add(new Scenario(name, options, AmqpRounds.Middle(results, options.Address), AmqpRounds.Middle(results, options.Peer!)));
        }
    }

    /// <summary>Each broker just started, so that what it holds is what these messages need.</summary>
    private static async Task<Scenario> MeasureMemoryAsync(string executable, string data, int size, CancellationToken cancellation)
    {
        await using var rabbit = await RabbitMqServer.StartAsync(data, cancellation);
        await using var broker = await TemporaryBroker.StartAsync(executable, data, cancellation);
        var options = new AmqpLoadOptions
        {
            Address = broker.Process.Amqp,
            Peer = rabbit.Address,
            Mode = "raw",
            MessageBytes = size,
            Safe = true,
            Queues = 1,
            Producers = 1,
            Consumers = 0,
            InFlight = 2000,
            Prefetch = 1000,
            Count = WaitingMessages,
            Seconds = 120,
            Rate = 0,
            Rounds = 1,
            Watch = broker.Process.Id,
            WatchPeer = rabbit.Id,
        };
        var results = await AmqpRounds.RunAsync(options, cancellation);
        return new Scenario($"raw, {size} B, {WaitingMessages} persistent messages waiting", options, AmqpRounds.Middle(results, options.Address), AmqpRounds.Middle(results, options.Peer!));
    }
}
