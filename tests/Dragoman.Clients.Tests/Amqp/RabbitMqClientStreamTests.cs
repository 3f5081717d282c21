using System.Globalization;
using System.Text;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Clients.Tests.Amqp;

/// <summary>Streams, priorities and whose turn it is.</summary>
[Uses<RabbitMqClient>]
public sealed class RabbitMqClientStreamTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("amqp");

    [Fact, Rows("R22")]
    public async Task A_stream_is_read_from_anywhere_by_many_and_keeps_what_was_read()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var stream = SharedBroker.Unique("stream");
        await channel.QueueDeclareAsync(stream, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "stream", ["x-max-age"] = "7D", ["x-max-length-bytes"] = 1_000_000_000L });
        for (var i = 0; i < 100; i++) await channel.BasicPublishAsync("", stream, mandatory: true, new BasicProperties { Headers = new Dictionary<string, object?> { ["x-stream-filter-value"] = i % 10 == 0 ? "round" : "other" } }, Encoding.UTF8.GetBytes($"{i}"));
        Assert.Equal(Enumerable.Range(0, 100), await ReadAsync("first", 100));
        Assert.Equal(Enumerable.Range(0, 100), await ReadAsync("first", 100));
        Assert.Equal(Enumerable.Range(60, 40), await ReadAsync(60L, 40));
        Assert.Equal(Enumerable.Range(0, 100), await ReadAsync("1h", 100));
        Assert.Equal(Enumerable.Range(0, 100), await ReadAsync(new AmqpTimestamp(DateTimeOffset.UtcNow.AddHours(-1).ToUnixTimeSeconds()), 100));
        Assert.Equal(99, (await ReadAsync("last", 1))[^1]);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => i * 10), await ReadAsync("first", 10, filter: "round"));
        Assert.Equal(100u, await channel.MessageCountAsync(stream));
        await using var following = await connection.CreateChannelAsync();
        await following.BasicQosAsync(0, 1, global: false);
        var next = await Inbox.OpenAsync(following, stream, autoAck: false, arguments: new Dictionary<string, object?> { ["x-stream-offset"] = "next" });
        await channel.BasicPublishAsync("", stream, "100"u8.ToArray());
        Assert.Equal(["100"], await next.NextTextsAsync(1));

        async Task<List<int>> ReadAsync(object offset, int count, string? filter = null)
        {
            await using var reading = await connection.CreateChannelAsync();
            await reading.BasicQosAsync(0, 7, global: false);
            var arguments = new Dictionary<string, object?> { ["x-stream-offset"] = offset };
            if (filter is not null) arguments["x-stream-filter"] = filter;
            var inbox = await Inbox.OpenAsync(reading, stream, autoAck: false, arguments: arguments);
            var read = new List<int>();
            while (read.Count < count)
            {
                var message = await inbox.NextAsync();
                read.Add(int.Parse(Encoding.UTF8.GetString(message.Body.Span), CultureInfo.InvariantCulture));
                Assert.Equal((long)read[^1], message.BasicProperties.Headers!["x-stream-offset"]);
                await reading.BasicAckAsync(message.DeliveryTag, multiple: false);
            }
            return read;
        }
    }

    [Fact, Rows("R22")]
    public async Task Who_reads_a_stream_says_how_much_and_acknowledges()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        var stream = SharedBroker.Unique("stream");
        await using (var channel = await connection.CreateChannelAsync())
        {
            await channel.QueueDeclareAsync(stream, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "stream" });
            var error = await Assert.ThrowsAsync<OperationInterruptedException>(() => Inbox.OpenAsync(channel, stream, autoAck: false));
            Assert.Equal($"PRECONDITION_FAILED - consumer prefetch count is not set for 'queue '{stream}' in vhost '/''", error.ShutdownReason!.ReplyText);
        }
        await using var careless = await connection.CreateChannelAsync();
        await careless.BasicQosAsync(0, 10, global: false);
        var refused = await Assert.ThrowsAsync<OperationInterruptedException>(() => Inbox.OpenAsync(careless, stream));
        Assert.Equal($"NOT_IMPLEMENTED - automatic acknowledgement not supported by stream queues queue '{stream}' in vhost '/'", refused.ShutdownReason!.ReplyText);
    }

    [Fact, Rows("R18")]
    public async Task Messages_of_higher_priority_come_first_and_in_order_among_themselves()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = SharedBroker.Unique("priority");
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-max-priority"] = 5 });
        foreach (var (body, priority) in new[] { ("a", 0), ("b", 5), ("c", 2), ("d", 5), ("e", 200), ("f", 2) })
            await channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties { Persistent = true, Priority = (byte)priority }, Encoding.UTF8.GetBytes(body));
        await channel.BasicPublishAsync("", queue, "none"u8.ToArray());
        var inbox = await Inbox.OpenAsync(channel, queue);
        Assert.Equal(["b", "d", "e", "c", "f", "a", "none"], await inbox.NextTextsAsync(7));
    }

    [Fact, Rows("R23")]
    public async Task Consumers_of_higher_priority_are_served_first()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        await using var consuming = await connection.CreateChannelAsync();
        var queue = (await channel.QueueDeclareAsync()).QueueName;
        await consuming.BasicQosAsync(0, 2, global: false);
        var low = await Inbox.OpenAsync(consuming, queue, autoAck: false);
        var high = await Inbox.OpenAsync(consuming, queue, autoAck: false, arguments: new Dictionary<string, object?> { ["x-priority"] = 10 });
        for (var i = 0; i < 3; i++) await channel.BasicPublishAsync("", queue, Encoding.UTF8.GetBytes($"{i}"));
        Assert.Equal(["0", "1"], await high.NextTextsAsync(2));
        // It holds all that it may, so it is the other one's turn.
        Assert.Equal(["2"], await low.NextTextsAsync(1));
        Assert.False(high.HasMore);
    }

    [Fact, Rows("R7", "R19")]
    public async Task Names_users_and_passive_declarations()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = (await channel.QueueDeclareAsync()).QueueName;
        Assert.StartsWith("amq.gen-", queue, StringComparison.Ordinal);
        Assert.Equal(queue, (await channel.QueueDeclarePassiveAsync(queue)).QueueName);
        await channel.ExchangeDeclarePassiveAsync("amq.topic");
        await channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties { UserId = "guest" }, "mine"u8.ToArray());
        await channel.BasicPublishAsync("", "amq.rabbitmq.reply-to.nobody", mandatory: false, new BasicProperties(), "to nobody"u8.ToArray());
        var error = await Assert.ThrowsAnyAsync<Exception>(() => channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties { UserId = "somebody" }, "not mine"u8.ToArray()).AsTask());
        Assert.Contains("user_id property set to 'somebody' but authenticated user was 'guest'", $"{error} {channel.CloseReason}", StringComparison.Ordinal);
    }
}
