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
    private static readonly Option<long> Count = new("--count") { Description = "Messages that each producer publishes at most; 0 to go by time alone.", CustomParser = Sizes.Parse, DefaultValueFactory = _ => 0 };
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
            Address, Peer, Mode, MessageSize, Transient, Queues, Producers, Consumers, InFlight, Prefetch, Count, Seconds, Rate, Rounds, Watch, WatchPeer, Output,
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
            Count = parsed.GetValue(Count),
            Seconds = parsed.GetValue(Seconds),
            Rate = parsed.GetValue(Rate),
            Rounds = parsed.GetValue(Rounds),
            Watch = parsed.GetValue(Watch),
            WatchPeer = parsed.GetValue(WatchPeer),
        };
        var results = await AmqpRounds.RunAsync(options, cancellation);
        AmqpReport.Print(options, AmqpRounds.Middle(results, options.Address), options.Peer is null ? null : AmqpRounds.Middle(results, options.Peer));
        Terminal.Note($"Results are in {await ResultFile.WriteAsync(parsed.GetValue(Output), $"amqp-{options.Mode}", options, results)}");
        return 0;
    }
}
