using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Dragoman.TestKit;

namespace Dragoman.Faults.WordCount;

/// <summary>
/// Reads lines, counts words, writes counts, each batch in one transaction with how far it has read, while the broker and
/// those who count are killed: every word counts as often as it was sent, neither less nor more.
/// </summary>
public sealed class WordCountTests(ITestOutputHelper output)
{
    public const string Input = "lines";
    public const string Output = "counts";
    public const string Group = "counters";

    private const int Partitions = 4;
    private const int Workers = 3;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Words_are_counted_exactly_once_while_broker_and_workers_are_killed()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var lines = await RealLines.ReadAsync();
        await using var server = await StartAsync();
        var kafka = server.Address("kafka");
        await using var feeder = new LineFeeder(kafka, lines, Partitions);
        await using var workers = new WorkerPool(kafka, Workers);

        var (kills, zombies) = (Counts.Kills, 1 + (Counts.Kills / 5));
        Fault[] faults = [.. Enumerable.Repeat(Fault.BrokerKilled, kills), .. Enumerable.Repeat(Fault.WorkerKilled, kills), .. Enumerable.Repeat(Fault.Zombie, zombies)];
        random.Shuffle(faults);
        foreach (var fault in faults)
        {
            var before = workers.Committed;
            await Eventually.TrueAsync(
                async () =>
                {
                    await workers.TendAsync();
                    return workers.Committed >= before + 3 && workers.Open > 0;
                }, "transactions are committed and begun between two faults", s_patience);
            await Task.Delay(random.Next(200));
            switch (fault)
            {
                case Fault.BrokerKilled:
                    await server.KillAsync();
                    await Task.Delay(random.Next(300));
                    await server.StartAgainAsync();
                    break;
                case Fault.WorkerKilled:
                    await workers.KillAsync(random.Next(Workers));
                    break;
                case Fault.Zombie:
                    // What it wrote is there, and must not count.
                    await workers.FenceAsync(random.Next(Workers));
                    break;
            }
        }
        await feeder.FinishAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                await workers.TendAsync();
                return AllIsRead(kafka);
            }, "all lines are counted", s_patience);
        await workers.EndAsync();

        var committed = ReadCounts(kafka, IsolationLevel.ReadCommitted);
        var everything = ReadCounts(kafka, IsolationLevel.ReadUncommitted);
        output.WriteLine(
            $"{kills} kills of the broker, {kills} of workers, {zombies} zombies, {workers.Successions} who could not go on; "
            + $"{feeder.Sent} lines, {feeder.Counts.Values.Sum()} words, {everything.Values.Sum() - committed.Values.Sum()} more of them in transactions that were aborted");
        AssertSame(feeder.Counts, committed);
        // The proof proves something: there was what must not count.
        Assert.True(everything.Values.Sum() > committed.Values.Sum(), "no transaction was aborted");
    }

    [Fact]
    public async Task Lines_that_are_counted_twice_are_found()
    {
        var lines = await RealLines.ReadAsync();
        await using var server = await StartAsync();
        var kafka = server.Address("kafka");
        await using var feeder = new LineFeeder(kafka, lines, Partitions);
        Dictionary<string, long> counted;
        await using (var careless = Worker.Start(kafka, "worker", isStatic: true, isAtomic: false))
        {
            Assert.True(await careless.HoldAsync());
            await careless.KillAsync();
        }
        await using (var next = Worker.Start(kafka, "worker", isStatic: true))
        {
            await feeder.FinishAsync();
            await Eventually.TrueAsync(() => AllIsRead(kafka), "all lines are counted", s_patience);
            next.EndSoon();
            Assert.False(await next.WaitAsync());
            counted = ReadCounts(kafka, IsolationLevel.ReadCommitted);
        }
        output.WriteLine(Assert.ThrowsAny<Exception>(() => AssertSame(feeder.Counts, counted)).Message);
        Assert.All(feeder.Counts, sent => Assert.InRange(counted[sent.Key], sent.Value, 2 * sent.Value));
    }

    // Journal files as small as they may be: kills also meet rolls, checkpoints and file switches.
    private static async Task<DragomanServer> StartAsync()
    {
        var server = await DragomanServer.StartAsync("--journal-file-size", "1MiB");
        foreach (var topic in new[] { Input, Output }) (await server.RunAsync("topic", "create", topic, "--partitions", Partitions.ToString(CultureInfo.InvariantCulture))).Succeeded();
        return server;
    }

    private static void AssertSame(Dictionary<string, long> sent, Dictionary<string, long> counted)
    {
        var wrong = sent.Keys.Union(counted.Keys).Where(w => sent.GetValueOrDefault(w) != counted.GetValueOrDefault(w)).ToList();
        Assert.True(wrong.Count == 0, $"{wrong.Count} words are counted wrongly, such as {string.Join(", ", wrong.Take(5).Select(w => $"'{w}' {counted.GetValueOrDefault(w)} times instead of {sent.GetValueOrDefault(w)}"))}");
    }

    private enum Fault
    {
        BrokerKilled,
        WorkerKilled,
        Zombie,
    }

    private static bool AllIsRead(string kafka)
    {
        using var reader = Consumer(kafka, Group, IsolationLevel.ReadCommitted);
        try
        {
            return reader.Committed([.. Enumerable.Range(0, Partitions).Select(p => new TopicPartition(Input, p))], TimeSpan.FromSeconds(10))
                .All(c => c.Offset == reader.QueryWatermarkOffsets(c.TopicPartition, TimeSpan.FromSeconds(10)).High);
        }
        catch (KafkaException error) when (!error.Error.IsFatal)
        {
            // Offsets of a transaction that is still open.
            return false;
        }
    }

    private static Dictionary<string, long> ReadCounts(string kafka, IsolationLevel isolation)
    {
        using var reader = Consumer(kafka, "none", isolation);
        reader.Assign(Enumerable.Range(0, Partitions).Select(p => new TopicPartitionOffset(Output, p, 0)));
        var counts = new Dictionary<string, long>();
        for (var ended = new HashSet<int>(); ended.Count < Partitions;)
        {
            var result = reader.Consume(s_patience) ?? throw new TimeoutException($"{Output} gave nothing for {s_patience}.");
            if (result.IsPartitionEOF) ended.Add(result.Partition.Value);
            else RealLines.Add(counts, Encoding.Latin1.GetString(result.Message.Key), long.Parse(Encoding.ASCII.GetString(result.Message.Value), CultureInfo.InvariantCulture));
        }
        return counts;
    }

    private static IConsumer<byte[], byte[]> Consumer(string kafka, string group, IsolationLevel isolation) =>
        new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = kafka,
            GroupId = group,
            IsolationLevel = isolation,
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            AutoOffsetReset = AutoOffsetReset.Error,
        }).SetLogHandler(static (_, _) => { }).Build();
}
