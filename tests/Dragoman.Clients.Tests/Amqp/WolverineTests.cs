using System.Globalization;
using System.Text;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Clients.Tests.Amqp;

/// <summary>An application on Wolverine: two of it share the work, ask, try again and give up.</summary>
[Uses<WolverineRabbitMqApplication>]
public sealed class WolverineTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    [Fact, Rows("R6", "R9", "R10", "R14", "R20", "R21")]
    public async Task An_application_publishes_handles_asks_and_gives_up_and_goes_on_over_kills_of_the_broker()
    {
        await using var server = await DragomanServer.StartAsync();
        var amqp = server.Address("amqp");
        await using var one = await WolverineRabbitMqApplication.StartAsync(amqp);
        await using var other = await WolverineRabbitMqApplication.StartAsync(amqp);
        string[] Told(string prefix) => [.. one.Told.Concat(other.Told).Where(line => line.StartsWith(prefix, StringComparison.Ordinal))];
        int[] Handled() => [.. Told("handled ").Select(line => int.Parse(line[8..], CultureInfo.InvariantCulture)).Order()];
        await using (var connection = await new ConnectionFactory { HostName = "127.0.0.1", Port = server.Port("amqp") }.CreateConnectionAsync())
        {
            await using var channel = await connection.CreateChannelAsync();

            // Two who compete for what is published to an exchange, from where it goes to another queue as well.
            await one.SendAsync("publish 0 100");
            await Eventually.TrueAsync(() => Handled().Length >= 100, "all orders are handled", s_patience);
            Assert.Equal(Enumerable.Range(0, 100), Handled());
            Assert.Contains(one.Told, line => line.StartsWith("handled ", StringComparison.Ordinal));
            Assert.Contains(other.Told, line => line.StartsWith("handled ", StringComparison.Ordinal));
            Assert.Equal(100u, await channel.MessageCountAsync("books"));

            // Answers come back over a queue of the one who asks.
            await one.SendAsync("ask 7");
            await other.SendAsync("ask 9");
            await Eventually.TrueAsync(() => Told("answer ").Length == 2, "both questions are answered", s_patience);
            Assert.Equal(["answer 7 49"], one.Told.Where(line => line.StartsWith("answer ", StringComparison.Ordinal)));
            Assert.Equal(["answer 9 81"], other.Told.Where(line => line.StartsWith("answer ", StringComparison.Ordinal)));

            await one.SendAsync("remind 5 200");
            await Eventually.TrueAsync(() => Told("reminder 5").Length == 1, "what was to be sent later is handled", s_patience);

            // One is tried again where it is, and works; another never does, and is dead.
            await one.SendAsync("fragile 1 2");
            await one.SendAsync("fragile 2 100");
            var dead = await DeadAsync(channel);
            Assert.Equal("fragile", Text(dead["queue"]));
            Assert.Equal("rejected", Text(dead["reason"]));
            Assert.Equal(1L, dead["count"]);
            await Eventually.TrueAsync(() => Told("tried 1 ").Length == 3, "it works at the third try", s_patience);
            Assert.Equal(["tried 1 1", "tried 1 2", "tried 1 3"], Told("tried 1 "));
        }

        await other.StopAsync();
        await one.SendAsync("publish 100 150");
        await Eventually.TrueAsync(() => Handled().Length >= 150, "the one that is left handles all", s_patience);
        Assert.Equal(Enumerable.Range(0, 150), Handled());

        await server.KillAsync();
        await server.StartAgainAsync();
        // The application waits for no confirms: what it had given to its client when the connection broke is gone, and said again.
        for (var limit = DateTime.UtcNow + s_patience; Handled().Distinct().Count() < 200; await Task.Delay(2000))
        {
            Assert.True(DateTime.UtcNow < limit, "it goes on when the broker is back");
            foreach (var number in Enumerable.Range(150, 50).Except(Handled())) await one.SendAsync($"publish {number} {number + 1}");
        }
        await one.StopAsync();
    }

    private static string Text(object? value) => Encoding.UTF8.GetString((byte[])value!);

    private static async Task<IDictionary<string, object?>> DeadAsync(IChannel channel)
    {
        BasicGetResult? message = null;
        await Eventually.TrueAsync(async () => (message = await channel.BasicGetAsync("wolverine-dead-letter-queue", autoAck: true)) is not null, "the message is dead", s_patience);
        Assert.Equal("fragile", Text(message!.BasicProperties.Headers!["x-first-death-queue"]));
        return (IDictionary<string, object?>)Assert.Single((IList<object?>)message.BasicProperties.Headers["x-death"]!)!;
    }
}
