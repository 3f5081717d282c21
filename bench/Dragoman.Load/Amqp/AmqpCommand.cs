using System.CommandLine;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Amqp;

/// <summary>Loads an AMQP 0-9-1 broker, Dragoman or another, or both in turns.</summary>
internal static class AmqpCommand
{
    private static readonly Option<string> Address = new("--address") { Description = "HOST:PORT of the broker.", DefaultValueFactory = _ => "127.0.0.1:5672" };
    private static readonly Option<string?> Peer = new("--peer") { Description = "HOST:PORT of a broker to compare it with: rounds alternate, and ratios are printed." };
    private static readonly Option<string> Mode = new("--mode") { Description = "client: RabbitMQ.Client; raw: publishes encoded beforehand, over plain sockets.", DefaultValueFactory = _ => "client" };
    private static readonly Option<long> MessageSize = new("--message-size") { Description = "Bytes of a message's body, at least 8.", CustomParser = Sizes.Parse, DefaultValueFactory = _ => 1024 };
    private static readonly Option<bool> Transient = new("--transient") { Description = "Transient messages in a transient queue, neither confirmed nor acknowledged; else persistent in a durable queue, with both." };
    private static readonly Option<int> Queues = new("--queues") { Description = "Queues.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Producers = new("--producers") { Description = "Producers, each with a connection.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Consumers = new("--consumers") { Description = "Consumers, each with a connection; 0 to leave the messages in the queue.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> InFlight = new("--in-flight") { Description = "Publishes of a producer that are not confirmed.", DefaultValueFactory = _ => 2000 };
    private static readonly Option<int> Prefetch = new("--prefetch") { Description = "Deliveries of a consumer that are not acknowledged.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "Time to publish in each round.", DefaultValueFactory = _ => 10 };
    private static readonly Option<double> Rate = new("--rate") { Description = "Messages per second in all; 0 for as many as it can: then latencies are those of full queues.", DefaultValueFactory = _ => 0 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds with each broker; the first warms up and does not count if there are more.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int?> Watch = new("--watch") { Description = "Process id of the broker, to account for its CPU." };
    private static readonly Option<int?> WatchPeer = new("--watch-peer") { Description = "Process id of the peer." };
    private static readonly Option<string?> Output = new("--output") { Description = "Directory for the JSON file (bench/results)." };

    public static Command Create()
    {
        Mode.AcceptOnlyFromAmong("client", "raw");
        var command = new Command("amqp", "Loads an AMQP 0-9-1 broker, Dragoman or another, or both in turns.")
        {
            Address, Peer, Mode, MessageSize, Transient, Queues, Producers, Consumers, InFlight, Prefetch, Seconds, Rate, Rounds, Watch, WatchPeer, Output,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = new AmqpLoadOptions
        {
            Address = parsed.GetValue(Address)!,
            Peer = parsed.GetValue(Peer),
            Mode = parsed.GetValue(Mode)!,
            MessageBytes = (int)Math.Max(8, parsed.GetValue(MessageSize)),
            Safe = !parsed.GetValue(Transient),
            Queues = parsed.GetValue(Queues),
            Producers = parsed.GetValue(Producers),
            Consumers = parsed.GetValue(Consumers),
            InFlight = parsed.GetValue(InFlight),
            Prefetch = parsed.GetValue(Prefetch),
            Seconds = parsed.GetValue(Seconds),
            Rate = parsed.GetValue(Rate),
            Rounds = parsed.GetValue(Rounds),
            Watch = parsed.GetValue(Watch),
            WatchPeer = parsed.GetValue(WatchPeer),
        };
        string[] targets = options.Peer is null ? [options.Address] : [options.Address, options.Peer];
        var results = new List<AmqpLoadResult>();
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var target in targets)
            {
                if (cancellation.IsCancellationRequested) return 1;
                var run = new AmqpRun(options, target);
                var result = await Task.Run(() => options.Mode == "raw" ? Task.FromResult(new RawLoad(run).Run()) : new ClientLoad(run).RunAsync(), cancellation);
                Terminal.Note($"round {round + 1}, {target}: published {Sizes.Count(result.PublishedPerSecond)}/s, delivered {Sizes.Count(result.DeliveredPerSecond)}/s");
                if (round > 0 || options.Rounds == 1) results.Add(result);
            }
        }
        Print(options, results);
        Terminal.Note($"Results are in {await ResultFile.WriteAsync(parsed.GetValue(Output), $"amqp-{options.Mode}", options, results)}");
        return 0;
    }

    private static void Print(AmqpLoadOptions options, List<AmqpLoadResult> results)
    {
        var ours = Middle(results.Where(r => r.Target == options.Address));
        var theirs = options.Peer is null ? null : Middle(results.Where(r => r.Target == options.Peer));
        var rows = new List<string[]>();
        Add("published /s", r => r.PublishedPerSecond, Sizes.Count);
        if (options.Consumers > 0) Add("delivered /s", r => r.DeliveredPerSecond, Sizes.Count);
        if (options.Safe) AddText("publish to confirm, p50/90/99/99.9/max", r => $"{r.ConfirmLatency}");
        if (options.Consumers > 0) AddText("publish to delivery, p50/90/99/99.9/max", r => $"{r.DeliveryLatency}");
        Add("broker CPU, us/message", r => r.BrokerMicrosecondsPerMessage ?? double.NaN, v => $"{v:F2}");
        Add("broker CPU, cores", r => r.Cpu.WatchedShare ?? double.NaN, v => $"{v:F2}");
        Add("client CPU, us/message", r => r.ClientMicrosecondsPerMessage, v => $"{v:F2}");
        var title = $"AMQP, {options.Mode}, {(options.Safe ? "persistent and confirmed" : "transient")}, {options.MessageBytes} B, {options.Producers} producers, {options.Consumers} consumers, {options.Queues} queues";
        Terminal.Print(title, theirs is null ? ["measured", options.Address] : ["measured", options.Address, options.Peer!, "ratio"], rows);

        void Add(string name, Func<AmqpLoadResult, double> value, Func<double, string> format)
        {
            if (theirs is null) rows.Add([name, format(value(ours))]);
            else rows.Add([name, format(value(ours)), format(value(theirs)), $"{value(ours) / value(theirs):F2}"]);
        }

        void AddText(string name, Func<AmqpLoadResult, string> value)
        {
            if (theirs is null) rows.Add([name, value(ours)]);
            else rows.Add([name, value(ours), value(theirs), ""]);
        }
    }

    /// <summary>The round in the middle, by throughput.</summary>
    private static AmqpLoadResult Middle(IEnumerable<AmqpLoadResult> results)
    {
        var sorted = results.OrderBy(r => r.PublishedPerSecond).ToList();
        return sorted[sorted.Count / 2];
    }
}
