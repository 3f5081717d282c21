using Dragoman.Faults.Load;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Faults.Hostile;

/// <summary>
/// What clients do to an AMQP port, by mistake or on purpose, disturbs nobody else: a publisher and a worker go on while
/// it lasts, and the broker's memory stays bounded.
/// </summary>
public sealed class AmqpHostileClientTests(ITestOutputHelper output)
{
    /// <summary>What the broker may hold: large messages in some copies, the journal's tail, and what the collector has not yet taken back.</summary>
    private const long MostMemory = 1200L << 20;

    /// <summary>Far above what a busy machine takes, and below what a client waits that stands behind another's misdeeds.</summary>
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(15);

    public static TheoryData<string> Names => [.. AmqpAttacks.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task An_attack_disturbs_no_other_client(string name)
    {
        await using var server = await DragomanServer.StartAsync("--log-level", "error");
        await DeclareAsync(server.Port("amqp"));
        await using var load = AmqpLoad.Start(server.Port("amqp"), "orders", publishers: 1, window: 100);
        await using var worker = new AmqpWorker(server.Port("amqp"), "work");
        await Eventually.TrueAsync(() => load.Acknowledged >= 2000 && worker.Seen.Count >= 2000, "the clients work before the attack");
        load.WatchGaps();
        using var over = new CancellationTokenSource();
        var attack = Task.Run(() => AmqpAttacks.All[name](server, over.Token));
        for (var step = 0; step < 4; step++)
        {
            var (acknowledged, seen) = (load.Acknowledged, worker.Seen.Count);
            await Eventually.TrueAsync(() => load.Acknowledged >= acknowledged + 300 && worker.Seen.Count >= seen + 300, $"the clients go on during {name}, step {step}: {load.Failure}", TimeSpan.FromSeconds(30));
            await Task.WhenAny(attack, Task.Delay(1000));
        }
        await over.CancelAsync();
        await attack.WaitAsync(TimeSpan.FromMinutes(2));
        var gap = load.LongestGap;
        var confirmed = (await load.FinishAsync())[0];
        await Eventually.TrueAsync(() => worker.Seen.Count >= confirmed, "the worker sees all that was confirmed", TimeSpan.FromSeconds(60));
        var peak = ProcessMemory.Peak(server.ProcessId);
        output.WriteLine($"{name}: {confirmed} messages meanwhile, {gap.TotalMilliseconds:0} ms at most between two confirms; {peak >> 20} MiB resident at most");
        Assert.True(gap < LongestGap, $"Nothing was confirmed for {gap}.");
        Assert.True(peak < MostMemory, $"{peak >> 20} MiB were resident.");
        Assert.DoesNotContain("ERROR", server.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("CRIT", server.Error, StringComparison.Ordinal);
    }

    private static async Task DeclareAsync(int port)
    {
        await using var connection = await new ConnectionFactory { HostName = "127.0.0.1", Port = port }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync("orders", ExchangeType.Fanout, durable: true);
        await channel.QueueDeclareAsync("work", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum", ["x-delivery-limit"] = 3 });
        await channel.QueueBindAsync("work", "orders", "");
    }
}
