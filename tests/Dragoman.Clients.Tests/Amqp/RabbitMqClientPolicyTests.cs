using System.Net.Http.Json;
using System.Text;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Clients.Tests.Amqp;

/// <summary>Policies as applications feel them, and the exchange types of RabbitMQ's plugins.</summary>
[Uses<RabbitMqClient>]
public sealed class RabbitMqClientPolicyTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("amqp");

    [Fact, Rows("R24")]
    public async Task A_policy_applies_to_a_queue_in_use_and_its_end_restores()
    {
        using var http = new HttpClient();
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        var queue = SharedBroker.Unique("governed");
        var dead = $"{queue}.dead";
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueDeclareAsync(dead, durable: true, exclusive: false, autoDelete: false);
        await channel.BasicPublishAsync("", queue, "1"u8.ToArray());
        var path = new Uri($"http://127.0.0.1:{broker.Server.Port("admin")}/api/policies/%2F/{queue}");
        var policy = new Dictionary<string, object>
        {
            ["pattern"] = $"^{queue}$",
            ["definition"] = new Dictionary<string, object> { ["max-length"] = 2, ["overflow"] = "reject-publish", ["dead-letter-exchange"] = "", ["dead-letter-routing-key"] = dead },
            ["apply-to"] = "queues",
        };
        (await http.PutAsJsonAsync(path, policy)).EnsureSuccessStatusCode();
        await channel.BasicPublishAsync("", queue, "2"u8.ToArray());
        await Assert.ThrowsAsync<PublishException>(() => channel.BasicPublishAsync("", queue, "3"u8.ToArray()).AsTask());
        var got = await channel.BasicGetAsync(queue, autoAck: false);
        await channel.BasicRejectAsync(got!.DeliveryTag, requeue: false);
        await Eventually.TrueAsync(async () => await channel.MessageCountAsync(dead) == 1, "what is rejected goes where the policy says");
        // It was declared without, and so it is still.
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        (await http.DeleteAsync(path)).EnsureSuccessStatusCode();
        for (var i = 0; i < 5; i++) await channel.BasicPublishAsync("", queue, "more"u8.ToArray());
        Assert.Equal(6u, await channel.MessageCountAsync(queue));
    }

    [Fact, Rows("R26")]
    public async Task Hash_exchanges_keep_what_belongs_together_in_one_queue_and_random_ones_spread()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        foreach (var (type, key) in new[] { ("x-consistent-hash", "5"), ("x-modulus-hash", ""), ("x-random", "") })
        {
            var exchange = SharedBroker.Unique("spread");
            await channel.ExchangeDeclareAsync(exchange, type, durable: true);
            string[] queues = [.. Enumerable.Range(0, 3).Select(i => $"{exchange}.{i}")];
            foreach (var queue in queues)
            {
                await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
                await channel.QueueBindAsync(queue, exchange, key);
            }
            for (var i = 0; i < 180; i++) await channel.BasicPublishAsync(exchange, $"customer-{i % 60}", mandatory: true, Encoding.UTF8.GetBytes($"{i % 60}"));
            var homes = new Dictionary<string, HashSet<string>>();
            foreach (var queue in queues)
            {
                Assert.InRange(await channel.MessageCountAsync(queue), 15u, 150u);
                while (await channel.BasicGetAsync(queue, autoAck: true) is { } message)
                {
                    var customer = Encoding.UTF8.GetString(message.Body.Span);
                    if (!homes.TryGetValue(customer, out var home)) homes[customer] = home = [];
                    home.Add(queue);
                }
            }
            Assert.Equal(60, homes.Count);
            if (type != "x-random") Assert.All(homes.Values, static home => Assert.Single(home));
        }
        var refused = await Assert.ThrowsAsync<OperationInterruptedException>(async () =>
        {
            var exchange = SharedBroker.Unique("hash");
            await channel.ExchangeDeclareAsync(exchange, "x-consistent-hash");
            await channel.ExchangeBindAsync("amq.fanout", exchange, "heavy");
        });
        Assert.Equal("PRECONDITION_FAILED - The binding key must be an integer: <<\"heavy\">>", refused.ShutdownReason!.ReplyText);
    }

    [Fact, Rows("R26")]
    public async Task Whoever_is_bound_to_an_exchange_with_a_history_hears_what_was_said_last()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var exchange = SharedBroker.Unique("news");
        await channel.ExchangeDeclareAsync(exchange, "x-recent-history", durable: true, autoDelete: false, new Dictionary<string, object?> { ["x-recent-history-length"] = 2 });
        for (var i = 1; i <= 3; i++) await channel.BasicPublishAsync(exchange, "", Encoding.UTF8.GetBytes($"{i}"));
        await channel.BasicPublishAsync(exchange, "", mandatory: false, new BasicProperties { Headers = new Dictionary<string, object?> { ["x-recent-history-no-store"] = true } }, "secret"u8.ToArray());
        var queue = (await channel.QueueDeclareAsync()).QueueName;
        await channel.QueueBindAsync(queue, exchange, "");
        await channel.BasicPublishAsync(exchange, "", "4"u8.ToArray());
        foreach (var expected in new[] { "2", "3", "4" }) Assert.Equal(expected, Encoding.UTF8.GetString((await channel.BasicGetAsync(queue, autoAck: true))!.Body.Span));
        Assert.Null(await channel.BasicGetAsync(queue, autoAck: true));
    }

    [Fact, Rows("R21")]
    public async Task Dead_letters_of_a_quorum_queue_wait_for_room_if_they_are_to_arrive_at_least_once()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = SharedBroker.Unique("careful");
        var dead = $"{queue}.dead";
        await channel.QueueDeclareAsync(dead, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-max-length"] = 1, ["x-overflow"] = "reject-publish" });
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum",
            ["x-overflow"] = "reject-publish",
            ["x-dead-letter-strategy"] = "at-least-once",
            ["x-dead-letter-exchange"] = "",
            ["x-dead-letter-routing-key"] = dead,
            ["x-message-ttl"] = 1,
        });
        for (var i = 0; i < 3; i++) await channel.BasicPublishAsync("", queue, Encoding.UTF8.GetBytes($"{i}"));
        for (var i = 0; i < 3; i++)
        {
            BasicGetResult? got = null;
            await Eventually.TrueAsync(async () => (got = await channel.BasicGetAsync(dead, autoAck: true)) is not null, "the next dead letter arrives when there is room");
            Assert.Equal($"{i}", Encoding.UTF8.GetString(got!.Body.Span));
        }
    }
}
