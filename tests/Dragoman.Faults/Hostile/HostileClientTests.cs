using Dragoman.Faults.Load;
using Dragoman.TestKit;

namespace Dragoman.Faults.Hostile;

/// <summary>
/// What is thrown at the port disturbs nobody else: a client works all the time, goes on while each attack lasts, and
/// loses nothing; the broker's memory stays bounded.
/// </summary>
public sealed class HostileClientTests(ITestOutputHelper output)
{
    private const string Topic = "orders";
    private const int Partitions = 2;

    /// <summary>What the broker may hold: requests up to their budget (256 MiB), the journal's tail, and what the collector has not yet taken back.</summary>
    private const long MostMemory = 900L << 20;

    /// <summary>Far above what a busy machine takes, and below what a client waits that stands behind another's unfinished request.</summary>
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(15);

    public static TheoryData<string> Names => [.. Attacks.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task An_attack_disturbs_no_other_client(string name)
    {
        await using var server = await DragomanServer.StartAsync("--partitions", "2", "--log-level", "error");
        await using var load = KafkaLoad.Start(server.Address("kafka"), Topic, Partitions, producers: 1, window: 100);
        await using var reader = new FollowingReader(server.Address("kafka"), Topic, Partitions);
        await Eventually.TrueAsync(() => load.Acknowledged >= 5000 && reader.Count >= 5000, "the client works before the attack");
        var before = ProcessMemory.Resident(server.ProcessId);

        load.WatchGaps();
        using var over = new CancellationTokenSource();
        var attack = Attacks.All[name](server.EndPoint("kafka"), Topic, over.Token);
        // It goes on right away, and also once the attack has everything in place.
        for (var step = 0; step < 3; step++)
        {
            var (acknowledged, seen) = (load.Acknowledged, reader.Count);
            await Eventually.TrueAsync(() => load.Acknowledged >= acknowledged + 300 && reader.Count >= seen + 300, $"the client goes on during {name}, step {step}: {load.Failure}", TimeSpan.FromSeconds(30));
            await Task.WhenAny(attack, Task.Delay(1000));
        }
        var gap = load.LongestGap;
        var during = ProcessMemory.Resident(server.ProcessId);
        await over.CancelAsync();
        await attack;

        var kept = await load.FinishAsync();
        for (var partition = 0; partition < Partitions; partition++)
        {
            var records = KafkaReader.ReadAll(server.Address("kafka"), Topic, partition);
            kept.AssertAllIn(partition, records);
            await reader.AssertSeenIsKeptAsync(partition, records);
        }
        var peak = ProcessMemory.Peak(server.ProcessId);
        output.WriteLine($"{name}: {kept.Count} records meanwhile, {gap.TotalMilliseconds:0} ms at most between two acknowledgements; resident {before >> 20} MiB before, {during >> 20} MiB during, {peak >> 20} MiB at most");
        Assert.True(gap < LongestGap, $"Nothing was acknowledged for {gap}.");
        Assert.True(peak < MostMemory, $"{peak >> 20} MiB were resident.");
        Assert.DoesNotContain("ERROR", server.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("CRIT", server.Error, StringComparison.Ordinal);
    }
}
