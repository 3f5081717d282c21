using System.CommandLine;
using Dragoman.Load.Reporting;
using Dragoman.Load.Startup;

namespace Dragoman.Load.Kafka;

/// <summary>Loads a Kafka broker, Dragoman or another.</summary>
internal static class KafkaCommand
{
    private static readonly Option<string> Bootstrap = new("--bootstrap") { Description = "HOST:PORT of the broker.", DefaultValueFactory = _ => "127.0.0.1:9092" };
    private static readonly Option<FileInfo?> Start = new("--start") { Description = "A dragoman executable to start for the run, with all listeners, and to watch; instead of --bootstrap." };
    private static readonly Option<string> Data = new("--data") { Description = "A directory for the data of a broker that is started.", DefaultValueFactory = _ => Path.GetTempPath() };
    private static readonly Option<string> Mode = new("--mode") { Description = "client: Confluent.Kafka; raw: requests encoded beforehand, over plain sockets.", DefaultValueFactory = _ => "client" };
    private static readonly Option<string?> Topic = new("--topic") { Description = "The topic; unless given, one that is made for the run and deleted afterwards." };
    private static readonly Option<int> Partitions = new("--partitions") { Description = "Partitions.", DefaultValueFactory = _ => 1 };
    private static readonly Option<long> MessageSize = new("--message-size") { Description = "Bytes of a message's value, at least 8.", CustomParser = Sizes.Parse, DefaultValueFactory = _ => 1024 };
    private static readonly Option<long> BatchSize = new("--batch-size") { Description = "Bytes of a batch at most.", CustomParser = Sizes.Parse, DefaultValueFactory = _ => 64 << 10 };
    private static readonly Option<int> Producers = new("--producers", "--connections") { Description = "Producers, each with a connection.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Consumers = new("--consumers") { Description = "Consumers; the partitions are divided between them.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> InFlight = new("--in-flight") { Description = "Produce requests under way on a connection.", DefaultValueFactory = _ => 5 };
    private static readonly Option<string> Acks = new("--acks") { Description = "0, 1 or all.", DefaultValueFactory = _ => "all" };
    private static readonly Option<double> Linger = new("--linger") { Description = "Milliseconds that the client gathers a batch.", DefaultValueFactory = _ => 5 };
    private static readonly Option<string> Compression = new("--compression") { Description = "none, gzip, snappy, lz4 or zstd.", DefaultValueFactory = _ => "none" };
    private static readonly Option<bool> Idempotent = new("--idempotent") { Description = "Idempotent producers (client)." };
    private static readonly Option<long> Count = new("--count") { Description = "Messages in all; 0 to go by time.", CustomParser = Sizes.Parse, DefaultValueFactory = _ => 0 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "Time to produce, where no count is given.", DefaultValueFactory = _ => 10 };
    private static readonly Option<double> Rate = new("--rate") { Description = "Messages per second in all (client); 0 for as many as it can: then latencies are those of full queues.", DefaultValueFactory = _ => 0 };
    private static readonly Option<int?> Watch = new("--watch") { Description = "Process id of the broker, to account for its CPU." };
    private static readonly Option<string?> CommitMode = new("--commit-mode") { Description = "What an acknowledgement means: set on the topic where the broker can (fsync, written, memory), and a label elsewhere." };
    private static readonly Option<string?> Output = new("--output") { Description = "Directory for the JSON file (bench/results)." };

    public static Command Create()
    {
        Mode.AcceptOnlyFromAmong("client", "raw");
        Acks.AcceptOnlyFromAmong("0", "1", "all", "-1");
        Compression.AcceptOnlyFromAmong("none", "gzip", "snappy", "lz4", "zstd");
        var command = new Command("kafka", "Loads a Kafka broker, Dragoman or another.")
        {
            Bootstrap, Start, Data, Mode, Topic, Partitions, MessageSize, BatchSize, Producers, Consumers, InFlight, Acks, Linger, Compression, Idempotent, Count, Seconds, Rate, Watch, CommitMode, Output,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(Start) is not { } executable) return await RunAsync(parsed, parsed.GetValue(Bootstrap)!, parsed.GetValue(Watch), cancellation);
        await using var broker = await TemporaryBroker.StartAsync(executable.FullName, parsed.GetValue(Data)!, cancellation);
        return await RunAsync(parsed, broker.Process.Kafka, broker.Process.Id, cancellation);
    }

    private static async Task<int> RunAsync(ParseResult parsed, string bootstrap, int? watch, CancellationToken cancellation)
    {
        var own = parsed.GetValue(Topic) is null;
        var topic = parsed.GetValue(Topic) ?? $"load-{Guid.NewGuid():N}";
        var told = await TopicSetup.PrepareAsync(bootstrap, topic, parsed.GetValue(Partitions), parsed.GetValue(CommitMode));
        var options = new KafkaLoadOptions
        {
            Bootstrap = bootstrap,
            Mode = parsed.GetValue(Mode)!,
            Topic = topic,
            Partitions = parsed.GetValue(Partitions),
            MessageBytes = (int)Math.Max(8, parsed.GetValue(MessageSize)),
            BatchBytes = (int)parsed.GetValue(BatchSize),
            Producers = parsed.GetValue(Producers),
            Consumers = parsed.GetValue(Consumers),
            InFlight = parsed.GetValue(InFlight),
            Acks = parsed.GetValue(Acks) switch { "0" => 0, "1" => 1, _ => -1 },
            LingerMs = parsed.GetValue(Linger),
            Compression = parsed.GetValue(Compression)!,
            Idempotent = parsed.GetValue(Idempotent),
            Count = parsed.GetValue(Count),
            Seconds = parsed.GetValue(Seconds),
            Rate = parsed.GetValue(Rate),
            Watch = watch,
            CommitMode = told ?? parsed.GetValue(CommitMode) ?? "not stated",
        };
        try
        {
            var result = await Terminal.RunAsync($"{options.Mode}, {options.CommitMode}", progress =>
            {
                var run = new KafkaRun(options, cancellation);
                return options.Mode == "raw" ? new RawLoad(run).RunAsync(progress) : new ClientLoad(run).RunAsync(progress);
            });
            Print(options, result);
            Terminal.Note($"Results are in {await ResultFile.WriteAsync(parsed.GetValue(Output), $"kafka-{options.Mode}", options, result)}");
        }
        finally
        {
            if (own) await TopicSetup.DeleteAsync(bootstrap, topic);
        }
        return cancellation.IsCancellationRequested ? 1 : 0;
    }

    private static void Print(KafkaLoadOptions options, KafkaLoadResult result)
    {
        List<string[]> rows =
        [
            ["commit mode", options.CommitMode],
            ["produced", $"{Sizes.Count(result.Produced)} messages in {result.ProduceSeconds:F1} s"],
            ["", $"{Sizes.Count(result.ProducedPerSecond)}/s, {Sizes.Rate(result.ProducedBytesPerSecond)}"],
            [options.Mode == "raw" ? "request to answer, p50/90/99/99.9/max" : "send to acknowledgement, p50/90/99/99.9/max", $"{result.AckLatency}"],
        ];
        if (options.Consumers > 0)
        {
            rows.Add(["consumed", $"{Sizes.Count(result.Consumed)} messages, {Sizes.Count(result.ConsumedPerSecond ?? 0)}/s"]);
            rows.Add([options.Mode == "raw" ? "fetch request, p50/90/99/99.9/max" : "send to receipt, p50/90/99/99.9/max", $"{result.ConsumeLatency}"]);
        }
        rows.Add(["client CPU", $"{result.Cpu.OwnShare:F2} cores, {result.ClientCpuSecondsPerMillion:F2} s per million messages"]);
        if (result.Cpu is { Watched: { } watched, WatchedShare: { } share })
        {
            rows.Add(["broker CPU", $"{share:F2} cores, {result.BrokerCpuSecondsPerMillion:F2} s per million messages"]);
            rows.Add(["CPU shares", $"client {result.Cpu.Own / (result.Cpu.Own + watched):P0}, broker {watched / (result.Cpu.Own + watched):P0}"]);
        }
        Terminal.Print($"Kafka, {options.Mode}, {options.MessageBytes} B messages, {options.Producers} producers, {options.Consumers} consumers, {options.Partitions} partitions", ["measured", "value"], rows);
    }
}
