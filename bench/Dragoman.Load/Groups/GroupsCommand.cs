using System.CommandLine;
using Confluent.Kafka;
using Dragoman.Load.Kafka;
using Dragoman.Load.Reporting;
using Dragoman.Load.Startup;

namespace Dragoman.Load.Groups;

/// <summary>Measures what consumer groups and transactions cost: rebalances, commits of offsets, the broker's CPU.</summary>
internal static class GroupsCommand
{
    private static readonly Option<string> Bootstrap = new("--bootstrap") { Description = "HOST:PORT of the broker.", DefaultValueFactory = _ => "127.0.0.1:9092" };
    private static readonly Option<FileInfo?> Start = new("--start") { Description = "A dragoman executable to start for the run, with all listeners, and to watch; instead of --bootstrap." };
    private static readonly Option<string> Data = new("--data") { Description = "A directory for the data of a broker that is started.", DefaultValueFactory = _ => Path.GetTempPath() };
    private static readonly Option<int?> Watch = new("--watch") { Description = "Process id of the broker, to account for its CPU." };
    private static readonly Option<string[]> Only = new("--only") { Description = "What to run: classic (range), cooperative (classic, cooperative-sticky), consumer (KIP-848), offsets, transactions. All unless given.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int> Members = new("--members") { Description = "Members of the group.", DefaultValueFactory = _ => 50 };
    private static readonly Option<int> Partitions = new("--partitions") { Description = "Partitions that they share.", DefaultValueFactory = _ => 500 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "How often a member leaves and another one joins, and pairs of producers; medians count.", DefaultValueFactory = _ => 3 };
    private static readonly Option<int> Heartbeat = new("--heartbeat") { Description = "heartbeat.interval.ms of the classic members: only with a heartbeat do they learn of a rebalance.", DefaultValueFactory = _ => 200 };
    private static readonly Option<int> GroupCount = new("--groups") { Description = "Groups that commit offsets, each on a connection.", DefaultValueFactory = _ => 100 };
    private static readonly Option<int> InFlight = new("--in-flight") { Description = "Commits of offsets under way on a connection.", DefaultValueFactory = _ => 4 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "Time for commits of offsets, and for each producer.", DefaultValueFactory = _ => 8 };
    private static readonly Option<double> Rate = new("--rate") { Description = "Messages per second of a producer, the same for both kinds.", DefaultValueFactory = _ => 20_000 };
    private static readonly Option<double> Transaction = new("--transaction") { Description = "Milliseconds of a transaction.", DefaultValueFactory = _ => 100 };
    private static readonly Option<string?> Output = new("--output") { Description = "Directory for the JSON file (bench/results)." };

    public static Command Create()
    {
        var command = new Command("groups", "Measures consumer groups and transactions of a Kafka broker, Dragoman or another.")
        {
            Bootstrap, Start, Data, Watch, Only, Members, Partitions, Rounds, Heartbeat, GroupCount, InFlight, Seconds, Rate, Transaction, Output,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private sealed record Parameters(
        string CommitMode, int Members, int Partitions, int Rounds, int HeartbeatMs, int Groups, int InFlight, double Seconds, double Rate, double TransactionMs);

    private sealed record Results
    {
        public RebalanceResult? Classic { get; set; }

        public RebalanceResult? Cooperative { get; set; }

        public RebalanceResult? Consumer { get; set; }

        public OffsetCommitsResult? Offsets { get; set; }

        public TransactionsResult? Transactions { get; set; }
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(Start) is not { } executable) return await RunAsync(parsed, parsed.GetValue(Bootstrap)!, parsed.GetValue(Watch), cancellation);
        await using var broker = await TemporaryBroker.StartAsync(executable.FullName, parsed.GetValue(Data)!, cancellation, "--commit-mode", "fsync");
        return await RunAsync(parsed, broker.Process.Kafka, broker.Process.Id, cancellation);
    }

    private static async Task<int> RunAsync(ParseResult parsed, string bootstrap, int? watch, CancellationToken cancellation)
    {
        var only = parsed.GetValue(Only) is { Length: > 0 } chosen ? chosen.ToHashSet() : ["classic", "cooperative", "consumer", "offsets", "transactions"];
        var topic = $"load-{Guid.NewGuid():N}";
        var told = await TopicSetup.PrepareAsync(bootstrap, topic, parsed.GetValue(Partitions), null);
        var plan = new Parameters(
            told ?? "not stated", parsed.GetValue(Members), parsed.GetValue(Partitions), parsed.GetValue(Rounds), parsed.GetValue(Heartbeat), parsed.GetValue(GroupCount),
            parsed.GetValue(InFlight), parsed.GetValue(Seconds), parsed.GetValue(Rate), parsed.GetValue(Transaction));
        var results = new Results();
        try
        {
            if (only.Contains("classic")) results.Classic = await RebalanceAsync("Classic group", isClassic: true);
            if (only.Contains("cooperative")) results.Cooperative = await RebalanceAsync("Classic group, cooperative", isClassic: true, PartitionAssignmentStrategy.CooperativeSticky);
            if (only.Contains("consumer")) results.Consumer = await RebalanceAsync("KIP-848 group", isClassic: false);
            if (only.Contains("offsets"))
                results.Offsets = await Terminal.RunAsync("Commits of offsets", progress => new OffsetCommits(bootstrap, topic, plan.Groups, plan.InFlight, TimeSpan.FromSeconds(plan.Seconds), watch).RunAsync(progress));
            if (only.Contains("transactions"))
                results.Transactions = await Terminal.RunAsync("Transactions", progress => new Transactions(bootstrap, plan.Rounds, TimeSpan.FromSeconds(plan.Seconds), plan.Rate, TimeSpan.FromMilliseconds(plan.TransactionMs), watch).RunAsync(progress));
        }
        finally
        {
            await TopicSetup.DeleteAsync(bootstrap, topic);
        }
        Print(plan, results);
        Terminal.Note($"Results are in {await ResultFile.WriteAsync(parsed.GetValue(Output), "groups", plan, results)}");
        return cancellation.IsCancellationRequested ? 1 : 0;

        Task<RebalanceResult> RebalanceAsync(string title, bool isClassic, PartitionAssignmentStrategy assignor = PartitionAssignmentStrategy.Range) =>
            Terminal.RunAsync(title, progress => new Rebalances(bootstrap, topic, plan.Members, plan.Partitions, plan.Rounds, isClassic ? plan.HeartbeatMs : null, assignor).RunAsync(progress, cancellation));
    }

    private static void Print(Parameters plan, Results results)
    {
        var rows = new List<string[]> { new[] { "commit mode", plan.CommitMode, "" } };
        Add("classic", results.Classic);
        Add("classic, cooperative", results.Cooperative);
        Add("KIP-848", results.Consumer);
        if (results.Offsets is { } offsets)
        {
            rows.Add([$"commits of offsets, {plan.Groups} groups, {plan.InFlight} under way on each connection", $"{Sizes.Count(offsets.PerSecond)}/s", "20.0 k/s"]);
            rows.Add(["request to answer, p50/90/99/99.9/max", $"{offsets.Latency}", ""]);
            rows.Add(["broker CPU", offsets.Cpu.WatchedShare is { } share ? $"{share:F2} cores" : "not watched", ""]);
        }
        if (results.Transactions is { } transactions)
        {
            rows.Add(["idempotent producer", $"{Describe(transactions.Idempotent)}", ""]);
            rows.Add([$"transactional producer, {plan.TransactionMs:F0} ms", $"{Describe(transactions.Transactional)}", ""]);
            rows.Add(["broker CPU of the second by that of the first", $"{transactions.Ratio:F2}", "1.30"]);
        }
        Terminal.Print("Groups and transactions", ["measured", "value", "target"], rows);

        void Add(string kind, RebalanceResult? result)
        {
            if (result is null) return;
            rows.Add([$"{kind}: {plan.Members} members over {plan.Partitions} partitions, first rebalance", $"{result.FormSeconds * 1000:F0} ms", ""]);
            rows.Add([$"{kind}: a member leaves, median of {plan.Rounds} (all)", Times(result.LeaveSeconds), "1000 ms"]);
            rows.Add([$"{kind}: a member joins, median of {plan.Rounds} (all)", Times(result.JoinSeconds), "1000 ms"]);
        }

        static string Times(IReadOnlyList<double> seconds) => $"{Sizes.Median(seconds) * 1000:F0} ms ({string.Join(", ", seconds.Select(s => $"{s * 1000:F0}"))})";

        static string Describe(ProducerCost cost) => $"{cost.MicrosecondsPerMessage:F2} us per message, {Sizes.Count(cost.PerSecond)}/s";
    }
}
