using System.Text;
using Dragoman.Faults.Load;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Faults.Kills;

/// <summary>
/// <c>kill -9</c> under confirmed load. Every message goes to two queues in one commit: one is left alone, and tells what
/// there was; from the other a worker takes, which acknowledges most, refuses some, and gives some back until they have
/// been delivered too often.
/// </summary>
public sealed class AmqpKillTests(ITestOutputHelper output)
{
    private const string Exchange = "orders";
    private const string Kept = "kept";
    private const string Work = "work";
    private const string Dead = "dead";
    private const int DeliveryLimit = 3;

    [Fact]
    public async Task Confirmed_messages_are_delivered_in_order_and_none_is_lost_or_buried_twice()
    {
        await using var server = await DragomanServer.StartAsync("--journal-file-size", "1MiB");
        var port = server.Port("amqp");
        await DeclareAsync(port);
        long[] confirmed;
        IReadOnlyDictionary<LoadMessage, List<long>> seen;
        int connections;
        await using (var load = AmqpLoad.Start(port, Exchange, publishers: 3))
        await using (var worker = new AmqpWorker(port, Work))
        {
            await new KillCampaign(server, load, output.WriteLine, Random.Shared.Next()).RunAsync(Counts.Kills);
            confirmed = await load.FinishAsync();
            // What the worker gives back wanders until it is buried, so nothing more than nothing may be left.
            await Eventually.TrueAsync(async () => await CountAsync(port, Work) == 0, "the worker has had everything", TimeSpan.FromMinutes(2));
            (seen, connections) = (worker.Seen, 0);
            connections = worker.Connections;
        }
        await using (var rest = new AmqpWorker(port, Work))
        {
            // Whatever the first one still held has gone back.
            await Eventually.TrueAsync(async () => await CountAsync(port, Work) == 0, "nothing is left", TimeSpan.FromMinutes(1));
            await Task.Delay(500);
            foreach (var (message, counts) in rest.Seen)
            {
                Assert.True(seen.TryGetValue(message, out var before), $"{message} was never delivered to the first worker.");
                before.AddRange(counts);
            }
        }
        Assert.Equal(0u, await CountAsync(port, Work));

        var copies = CountCopies(await ReadAllAsync(port, Kept), confirmed);
        AssertAllSeen(copies, seen, connections);
        await AssertBuriedOnceAsync(port, copies);
        output.WriteLine($"{confirmed.Sum()} messages confirmed, {copies.Values.Sum()} in the queue, {seen.Values.Sum(c => c.Count)} deliveries over {connections} connections");
        Assert.Equal(0, await server.StopAsync());
    }

    /// <summary>Checks the queue that nobody took from: all that was confirmed is there, and in order.</summary>
    private static Dictionary<LoadMessage, int> CountCopies(List<(LoadMessage Message, string? Reason)> kept, long[] confirmed)
    {
        var copies = new Dictionary<LoadMessage, int>();
        var next = new long[confirmed.Length];
        foreach (var (message, _) in kept)
        {
            // A publisher sends again what it has no confirm for, so numbers may go back, but never skip one.
            Assert.True(message.Sequence <= next[message.Producer], $"{message} is where message {next[message.Producer]} should be: something before it is missing or behind it.");
            next[message.Producer] = Math.Max(next[message.Producer], message.Sequence + 1);
            copies[message] = copies.GetValueOrDefault(message) + 1;
        }
        for (var producer = 0; producer < confirmed.Length; producer++)
            Assert.True(next[producer] >= confirmed[producer], $"{confirmed[producer]} messages of publisher {producer} were confirmed, and {next[producer]} are there.");
        return copies;
    }

    private static void AssertAllSeen(Dictionary<LoadMessage, int> copies, IReadOnlyDictionary<LoadMessage, List<long>> seen, int connections)
    {
        Assert.Empty(seen.Keys.Except(copies.Keys));
        foreach (var (message, number) in copies)
        {
            Assert.True(seen.TryGetValue(message, out var counts), $"{message} was never delivered.");
            Assert.True(counts.Count >= number, $"{message} is there {number} times, and was delivered {counts.Count} times.");
            if (AmqpWorker.FateOf(message) != Fate.GivenBack || number > 1) continue;
            // It is buried when it has been delivered so often; what a kill was quicker than may count or not.
            Assert.InRange(counts.Count, DeliveryLimit + 1 - connections, DeliveryLimit + 1 + connections);
            for (var i = 0; i < counts.Count; i++) Assert.InRange(counts[i], Math.Max(0, i - connections), Math.Min(DeliveryLimit, i + connections));
        }
    }

    /// <summary>Checks that exactly what was refused or given back too often is buried, as often as it was there, and why.</summary>
    private static async Task AssertBuriedOnceAsync(int port, Dictionary<LoadMessage, int> copies)
    {
        var buried = new Dictionary<(LoadMessage, string?), int>();
        foreach (var letter in await ReadAllAsync(port, Dead)) buried[letter] = buried.GetValueOrDefault(letter) + 1;
        var due = copies.Where(c => AmqpWorker.FateOf(c.Key) != Fate.Done).ToDictionary(c => (c.Key, (string?)(AmqpWorker.FateOf(c.Key) == Fate.Refused ? "rejected" : "delivery_limit")), c => c.Value);
        foreach (var (letter, number) in due)
            Assert.True(buried.GetValueOrDefault(letter) == number, $"{letter} was there {number} times, and is buried {buried.GetValueOrDefault(letter)} times.");
        Assert.Empty(buried.Keys.Except(due.Keys));
    }

    private static async Task DeclareAsync(int port)
    {
        await using var connection = await ConnectAsync(port);
        await using var channel = await connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync(Exchange, ExchangeType.Fanout, durable: true);
        await channel.QueueDeclareAsync(Kept, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueDeclareAsync(Dead, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueDeclareAsync(Work, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum",
            ["x-delivery-limit"] = DeliveryLimit,
            ["x-dead-letter-exchange"] = "",
            ["x-dead-letter-routing-key"] = Dead,
        });
        foreach (var queue in new[] { Kept, Work }) await channel.QueueBindAsync(queue, Exchange, "");
    }

    private static async Task<uint> CountAsync(int port, string queue)
    {
        await using var connection = await ConnectAsync(port);
        await using var channel = await connection.CreateChannelAsync();
        return await channel.MessageCountAsync(queue);
    }

    /// <summary>Takes everything out of a queue, with the reason of the last death.</summary>
    private static async Task<List<(LoadMessage Message, string? Reason)>> ReadAllAsync(int port, string queue)
    {
        await using var connection = await ConnectAsync(port);
        await using var channel = await connection.CreateChannelAsync();
        var all = new List<(LoadMessage, string?)>();
        while (await channel.BasicGetAsync(queue, autoAck: true) is { } got)
        {
            var reason = got.BasicProperties.Headers?.TryGetValue("x-last-death-reason", out var value) == true ? Encoding.UTF8.GetString((byte[])value!) : null;
            all.Add((LoadMessage.Parse(got.Body.Span), reason));
        }
        return all;
    }

    private static Task<IConnection> ConnectAsync(int port) => new ConnectionFactory { HostName = "127.0.0.1", Port = port, AutomaticRecoveryEnabled = false }.CreateConnectionAsync();
}
