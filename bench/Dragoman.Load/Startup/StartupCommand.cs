using System.CommandLine;
using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Startup;

/// <summary>Measures what a published broker costs before it does anything: time to be ready, memory, open files.</summary>
internal static class StartupCommand
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Watching = TimeSpan.FromSeconds(10);
    private static readonly Argument<FileInfo> Executable = new("dragoman") { Description = "The published executable." };
    private static readonly Option<int> Partitions = new("--partitions") { Description = "Idle partitions to create.", DefaultValueFactory = _ => 10_000 };
    private static readonly Option<int> PerTopic = new("--partitions-per-topic") { Description = "Partitions of each topic.", DefaultValueFactory = _ => 10 };
    private static readonly Option<int> Starts = new("--starts") { Description = "Starts to time; each in a directory of its own.", DefaultValueFactory = _ => 5 };
    private static readonly Option<string> Data = new("--data") { Description = "A directory for temporary data.", DefaultValueFactory = _ => Path.GetTempPath() };
    private static readonly Option<string?> Output = new("--output") { Description = "Directory for the JSON file (bench/results)." };

    public static Command Create()
    {
        var command = new Command("startup", "Measures a published broker: time to be ready, memory when idle and with idle partitions, open files.")
        {
            Executable, Partitions, PerTopic, Starts, Data, Output,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private sealed record Results(IReadOnlyList<string> Listeners, double[] ReadySeconds, double ReadyMedian, long IdleRss, double IdleCpu, int IdleFiles, int Partitions, double CreateSeconds, long PartitionsRss, double PartitionsCpu, int PartitionsFiles, double RestartSeconds, long RestartRss, int RestartFiles);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var directory = Path.Join(Path.GetFullPath(parsed.GetValue(Data)!), $"dragoman-load-{Guid.NewGuid():N}");
        Directory.CreateDirectory(directory);
        try
        {
            var executable = parsed.GetValue(Executable)!.FullName;
            var results = await Terminal.RunAsync("Startup", progress => MeasureAsync(executable, directory, parsed.GetValue(Starts), parsed.GetValue(Partitions), parsed.GetValue(PerTopic), progress, cancellation));
            Terminal.Print("Startup", ["measured", "value", "target"],
            [
                ["listeners", string.Join(", ", results.Listeners), "all"],
                ["process start to ready, median", $"{results.ReadyMedian * 1000:F0} ms", "1000 ms"],
                ["process start to ready, all", string.Join(", ", results.ReadySeconds.Select(s => $"{s * 1000:F0}")), ""],
                ["resident after 5 s idle", Sizes.Bytes(results.IdleRss), "100 MiB"],
                ["CPU when idle", $"{results.IdleCpu:P2} of a core", ""],
                ["open files, idle", $"{results.IdleFiles}", ""],
                [$"creating {results.Partitions} partitions", $"{results.CreateSeconds:F1} s", ""],
                [$"resident with {results.Partitions} idle partitions", Sizes.Bytes(results.PartitionsRss), "300 MiB"],
                ["CPU with them", $"{results.PartitionsCpu:P2} of a core", ""],
                ["open files with them", $"{results.PartitionsFiles}", "20000"],
                ["start with them to ready", $"{results.RestartSeconds * 1000:F0} ms", ""],
                ["resident 5 s after that", Sizes.Bytes(results.RestartRss), "300 MiB"],
                ["open files after that", $"{results.RestartFiles}", ""],
            ]);
            Terminal.Note($"Results are in {await ResultFile.WriteAsync(parsed.GetValue(Output), "startup", new { partitions = parsed.GetValue(Partitions), perTopic = parsed.GetValue(PerTopic) }, results)}");
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<Results> MeasureAsync(string executable, string directory, int starts, int partitions, int perTopic, IProgress<Step> progress, CancellationToken cancellation)
    {
        var ready = new double[starts];
        for (var i = 0; i < starts; i++)
        {
            progress.Report(new Step(0.3 * i / starts, "starting"));
            await using var timed = await StartedBroker.StartAsync(executable, Path.Join(directory, $"start-{i}"), cancellation);
            ready[i] = timed.ReadySeconds;
        }
        var data = Path.Join(directory, "partitions");
        IReadOnlyList<string> listeners;
        long idleRss, partitionsRss;
        double idleCpu, partitionsCpu;
        int idleFiles, partitionsFiles;
        double createSeconds;
        await using (var broker = await StartedBroker.StartAsync(executable, data, cancellation))
        {
            progress.Report(new Step(0.3, "idle"));
            await Task.Delay(Settling, cancellation);
            (listeners, idleRss, idleFiles) = (broker.ListenerNames, broker.ResidentBytes, broker.OpenFiles);
            idleCpu = await WatchAsync(broker, cancellation);
            progress.Report(new Step(0.4, "creating partitions"));
            var start = Stopwatch.GetTimestamp();
            await CreatePartitionsAsync(broker.Kafka, partitions, perTopic);
            createSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            progress.Report(new Step(0.7, "idle with partitions"));
            await Task.Delay(Settling, cancellation);
            (partitionsRss, partitionsFiles) = (broker.ResidentBytes, broker.OpenFiles);
            partitionsCpu = await WatchAsync(broker, cancellation);
        }
        await using var again = await StartedBroker.StartAsync(executable, data, cancellation);
        progress.Report(new Step(0.9, "idle after a restart"));
        await Task.Delay(Settling, cancellation);
        return new Results(listeners, ready, Sizes.Median(ready), idleRss, idleCpu, idleFiles, partitions, createSeconds, partitionsRss, partitionsCpu, partitionsFiles, again.ReadySeconds, again.ResidentBytes, again.OpenFiles);
    }

    /// <summary>The share of a core that a broker uses while nobody does anything.</summary>
    private static async Task<double> WatchAsync(StartedBroker broker, CancellationToken cancellation)
    {
        var meter = new CpuMeter(broker.Id);
        await Task.Delay(Watching, cancellation);
        return meter.Read().WatchedShare!.Value;
    }

    private static async Task CreatePartitionsAsync(string bootstrap, int partitions, int perTopic)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
        var patience = TimeSpan.FromSeconds(120);
        for (var made = 0; made < partitions;)
        {
            var topics = new List<TopicSpecification>();
            for (; topics.Count < 100 && made < partitions; made += perTopic)
                topics.Add(new TopicSpecification { Name = $"idle-{made:D6}", NumPartitions = Math.Min(perTopic, partitions - made), ReplicationFactor = 1 });
            await admin.CreateTopicsAsync(topics, new CreateTopicsOptions { RequestTimeout = patience, OperationTimeout = patience });
        }
    }
}
