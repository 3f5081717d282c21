using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Dragoman.Broker;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Load.Reporting;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;

namespace Dragoman.Load.Queues;

/// <summary>
/// Measures what waiting costs the delivery engine, without any protocol: memory with many messages in one queue, delayed
/// and not, the start with them; and many queues.
/// </summary>
internal static class QueuesCommand
{
    private const int BatchMessages = 1000;
    private const int UnderWay = 16;

    private static readonly Option<int> Delayed = new("--delayed") { Description = "Delayed messages.", DefaultValueFactory = _ => 1_000_000 };
    private static readonly Option<int> Plain = new("--plain") { Description = "Messages that are ready.", DefaultValueFactory = _ => 1_000_000 };
    private static readonly Option<int> Count = new("--queues") { Description = "Queues to create, publish to and consume from.", DefaultValueFactory = _ => 10_000 };
    private static readonly Option<int> Bytes = new("--bytes") { Description = "Bytes of a message.", DefaultValueFactory = _ => 16 };
    private static readonly Option<string> Data = new("--data") { Description = "A directory for temporary data.", DefaultValueFactory = _ => Path.GetTempPath() };
    private static readonly Option<string?> Output = new("--output") { Description = "Directory for the JSON file (bench/results)." };

    public static Command Create()
    {
        var command = new Command("queues", "Measures the delivery engine in process: memory and start with many waiting messages, delayed and not, and with many queues.")
        {
            Delayed, Plain, Count, Bytes, Data, Output,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var directory = Path.Join(Path.GetFullPath(parsed.GetValue(Data)!), $"dragoman-load-{Guid.NewGuid():N}");
        Directory.CreateDirectory(directory);
        var rows = new List<string[]>();
        var results = new Dictionary<string, double>();
        void Note(string what, double value, string text)
        {
            rows.Add([what, text]);
            results[what] = value;
        }
        try
        {
            var (delayed, plain, queues, bytes) = (parsed.GetValue(Delayed), parsed.GetValue(Plain), parsed.GetValue(Count), parsed.GetValue(Bytes));
            await Terminal.RunAsync("Queues", async progress =>
            {
                await MeasureWaitingAsync(Path.Join(directory, "waiting"), delayed, plain, bytes, Note, progress, cancellation);
                await MeasureQueuesAsync(Path.Join(directory, "queues"), queues, bytes, Note, progress, cancellation);
                return true;
            });
            Terminal.Print("Queues", ["measured", "value"], rows);
            Terminal.Note($"Results are in {await ResultFile.WriteAsync(parsed.GetValue(Output), "queues", new { delayed, plain, queues, bytes }, results)}");
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static Task<Broker.Broker> StartAsync(string directory) =>
        Broker.Broker.StartAsync(new BrokerOptions { Store = new StoreOptions { Directory = directory } }, new OsFileSystem(), TimeProvider.System, ThreadPoolScheduler.Instance, new Random(1));

    private static async Task MeasureWaitingAsync(string directory, int delayed, int plain, int bytes, Action<string, double, string> note, IProgress<Step> progress, CancellationToken cancellation)
    {
        Directory.CreateDirectory(directory);
        var broker = await StartAsync(directory);
        NoteMemory("a broker without queues", note);
        var queue = (await broker.Queues.DeclareAsync(QueueName.InDefault("waiting"), QueueSettings.Default, cancellation)).Queue!;
        var random = new Random(2);
        foreach (var (what, count, isDelayed) in new[] { ("delayed", delayed, true), ("plain", plain, false) })
        {
            var start = Stopwatch.GetTimestamp();
            // Each is due at a time of its own within a month.
            await PublishAsync(queue, count, bytes, isDelayed ? now => now + 3_600_000 + random.NextInt64(30L * 86_400_000) : static _ => -1, what, progress, cancellation);
            note($"publishing {what} messages", count / Stopwatch.GetElapsedTime(start).TotalSeconds, $"{count / Stopwatch.GetElapsedTime(start).TotalSeconds:N0} a second");
            NoteMemory($"{count:N0} {what} messages more", note);
        }
        await broker.DisposeAsync();
        var restart = Stopwatch.GetTimestamp();
        broker = await StartAsync(directory);
        note("start with them", Stopwatch.GetElapsedTime(restart).TotalSeconds, $"{Stopwatch.GetElapsedTime(restart).TotalSeconds:F2} s");
        queue = broker.Queues.Find(QueueName.InDefault("waiting"))!;
        while ((await queue.GetCountsAsync()) is var counts && (counts.Ready, counts.Delayed) != (plain, delayed))
        {
            if (Stopwatch.GetElapsedTime(restart) > TimeSpan.FromMinutes(10)) throw new InvalidOperationException($"After the start there are {counts}.");
            await Task.Delay(20, cancellation);
        }
        note("start until all are where they belong", Stopwatch.GetElapsedTime(restart).TotalSeconds, $"{Stopwatch.GetElapsedTime(restart).TotalSeconds:F2} s");
        NoteMemory("all of them after the start", note);
        var take = Math.Min(plain, 200_000);
        var taking = Stopwatch.GetTimestamp();
        for (var taken = 0; taken < take;)
        {
            var answer = await queue.ReceiveAsync(BatchMessages, null, TimeSpan.Zero, cancellation);
            if (answer.Deliveries is not { } deliveries) throw new InvalidOperationException($"Nothing is ready after {taken} messages.");
            var tokens = new Broker.Subscriptions.LeaseToken[deliveries.Count];
            for (var i = 0; i < tokens.Length; i++) tokens[i] = new(deliveries[i].Offset, deliveries[i].Lease);
            deliveries.Dispose();
            taken += tokens.Length;
            await queue.SettleAsync(Broker.Subscriptions.Settlement.Acknowledge, tokens);
        }
        if (take > 0) note("taking and settling", take / Stopwatch.GetElapsedTime(taking).TotalSeconds, $"{take / Stopwatch.GetElapsedTime(taking).TotalSeconds:N0} a second");
        var conservation = await queue.GetConservationAsync();
        if (conservation.In != conservation.Out) throw new InvalidOperationException($"Messages are missing: {conservation}");
        await broker.DisposeAsync();
    }

    private static async Task PublishAsync(IQueueHandle queue, int count, int bytes, Func<long, long> due, string what, IProgress<Step> progress, CancellationToken cancellation)
    {
        var value = new byte[bytes];
        var underWay = new Queue<Task<PublishOutcome>>();
        for (var done = 0; done < count;)
        {
            progress.Report(new Step(done / (double)count, what));
            var batch = MessageBatch.Rent();
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            for (var n = Math.Min(BatchMessages, count - done); n > 0; n--, done++) batch.Add(new MessageProperties { Timestamp = now, DeliverAt = due(now) }, default, value);
            underWay.Enqueue(queue.PublishAsync(batch, CommitMode.Written, cancellation).AsTask());
            if (underWay.Count == UnderWay) Check(await underWay.Dequeue());
        }
        while (underWay.TryDequeue(out var last)) Check(await last);

        static void Check(PublishOutcome outcome)
        {
            if (outcome.Status != QueueStatus.Ok) throw new InvalidOperationException($"A publish ended with {outcome}");
        }
    }

    private static async Task MeasureQueuesAsync(string directory, int count, int bytes, Action<string, double, string> note, IProgress<Step> progress, CancellationToken cancellation)
    {
        Directory.CreateDirectory(directory);
        var broker = await StartAsync(directory);
        var start = Stopwatch.GetTimestamp();
        var queues = new IQueueHandle[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellation }, async (i, token) =>
        {
            queues[i] = (await broker.Queues.DeclareAsync(QueueName.InDefault(string.Create(CultureInfo.InvariantCulture, $"queue-{i}")), QueueSettings.Default, token)).Queue!;
            if (i % 100 == 0) progress.Report(new Step(i / (double)count, "queues"));
        });
        note($"creating {count:N0} queues", Stopwatch.GetElapsedTime(start).TotalSeconds, $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        NoteMemory($"{count:N0} queues", note);
        var idle = Process.GetCurrentProcess().TotalProcessorTime;
        await Task.Delay(TimeSpan.FromSeconds(5), cancellation);
        var idleCpu = (Process.GetCurrentProcess().TotalProcessorTime - idle).TotalSeconds / 5;
        note("CPU with them, idle", idleCpu, $"{idleCpu:P2} of a core");
        start = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellation }, async (i, token) =>
            await PublishAsync(queues[i], 10, bytes, static _ => -1, "messages", progress, token));
        note("publishing ten messages to each", Stopwatch.GetElapsedTime(start).TotalSeconds, $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        start = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellation }, async (i, token) =>
        {
            var deliveries = (await queues[i].ReceiveAsync(10, null, TimeSpan.Zero, token)).Deliveries;
            if (deliveries is not { Count: 10 }) throw new InvalidOperationException($"Queue {i} gave {deliveries?.Count ?? 0} messages of 10.");
            var tokens = new Broker.Subscriptions.LeaseToken[10];
            for (var n = 0; n < 10; n++) tokens[n] = new(deliveries[n].Offset, deliveries[n].Lease);
            deliveries.Dispose();
            await queues[i].SettleAsync(Broker.Subscriptions.Settlement.Acknowledge, tokens);
        });
        note("taking and settling them", Stopwatch.GetElapsedTime(start).TotalSeconds, $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        NoteMemory($"{count:N0} queues after that", note);
        await broker.DisposeAsync();
        start = Stopwatch.GetTimestamp();
        broker = await StartAsync(directory);
        note("start with them all", Stopwatch.GetElapsedTime(start).TotalSeconds, $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s");
        await broker.DisposeAsync();
    }

    /// <summary>Memory of this process, after what nobody needs was let go.</summary>
    private static void NoteMemory(string what, Action<string, double, string> note)
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        using var self = Process.GetCurrentProcess();
        note($"resident: {what}", self.WorkingSet64, $"{Sizes.Bytes(self.WorkingSet64)}, of which {Sizes.Bytes(GC.GetTotalMemory(false))} managed");
    }
}
