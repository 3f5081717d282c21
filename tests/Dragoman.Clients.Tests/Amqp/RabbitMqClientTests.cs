using System.Text;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Clients.Tests.Amqp;

[Uses<RabbitMqClient>]
public sealed class RabbitMqClientTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private int Port => broker.Server.Port("amqp");

    [Fact, Rows("R1", "R2", "R3", "R4")]
    public async Task It_connects_and_sees_a_server_with_all_that_it_uses()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        Assert.Equal((131072u, 2047, TimeSpan.FromSeconds(60)), (connection.FrameMax, connection.ChannelMax, connection.Heartbeat));
        var properties = connection.ServerProperties!;
        Assert.Equal("RabbitMQ", Encoding.UTF8.GetString((byte[])properties["product"]!));
        var capabilities = (IDictionary<string, object?>)properties["capabilities"]!;
        Assert.Equal(9, capabilities.Count(c => c.Value is true));
    }

    [Fact, Rows("R4")]
    public async Task Small_frames_carry_large_messages()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port, configure: f => f.RequestedFrameMax = 4096);
        Assert.Equal(4096u, connection.FrameMax);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = (await channel.QueueDeclareAsync()).QueueName;
        var body = new byte[1_000_000];
        new Random(3).NextBytes(body);
        await channel.BasicPublishAsync("", queue, body);
        var got = await channel.BasicGetAsync(queue, autoAck: true);
        Assert.Equal(body, got!.Body.ToArray());
    }

    [Fact, Rows("R9", "R20")]
    public async Task Publishes_are_confirmed_and_what_goes_nowhere_comes_back()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = SharedBroker.Unique("confirms");
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties { Persistent = true }, Encoding.UTF8.GetBytes($"{i}")).AsTask()));
        Assert.Equal(500u, (await channel.QueueDeclarePassiveAsync(queue)).MessageCount);
        var error = await Assert.ThrowsAsync<PublishReturnException>(async () => await channel.BasicPublishAsync("", "nowhere", mandatory: true, "lost"u8.ToArray()));
        Assert.Equal((312, "NO_ROUTE"), (error.ReplyCode, error.ReplyText));
        var inbox = await Inbox.OpenAsync(channel, queue);
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i}"), await inbox.NextTextsAsync(500));
    }

    [Fact, Rows("R20")]
    public async Task All_properties_and_headers_of_all_types_come_back()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = (await channel.QueueDeclareAsync()).QueueName;
        var properties = new BasicProperties
        {
            AppId = "app",
            ContentEncoding = "utf-8",
            ContentType = "text/plain",
            CorrelationId = "c",
            Expiration = "600000",
            MessageId = "m",
            Persistent = true,
            Priority = 5,
            ReplyTo = "r",
            Timestamp = new AmqpTimestamp(1_700_000_000),
            Type = "t",
            UserId = "guest",
            ClusterId = "cl",
            Headers = new Dictionary<string, object?>
            {
                ["text"] = "ä",
                ["int"] = 1,
                ["long"] = 2L,
                ["byte"] = (byte)3,
                ["sbyte"] = (sbyte)-3,
                ["short"] = (short)4,
                ["ushort"] = (ushort)5,
                ["uint"] = 6u,
                ["bool"] = true,
                ["double"] = 1.5,
                ["float"] = 2.5f,
                ["decimal"] = 3.14m,
                ["bytes"] = new BinaryTableValue([1, 2]),
                ["time"] = new AmqpTimestamp(17),
                ["null"] = null,
                ["list"] = new List<object?> { 1, "two" },
                ["table"] = new Dictionary<string, object?> { ["inner"] = 7L },
            },
        };
        await channel.BasicPublishAsync("", queue, mandatory: true, properties, "body"u8.ToArray());
        var got = (await channel.BasicGetAsync(queue, autoAck: true))!.BasicProperties;
        Assert.Equal(
            ["app", "utf-8", "text/plain", "c", "600000", "m", "r", "t", "guest", "cl"],
            [got.AppId, got.ContentEncoding, got.ContentType, got.CorrelationId, got.Expiration, got.MessageId, got.ReplyTo, got.Type, got.UserId, got.ClusterId]);
        Assert.Equal((true, (byte)5, 1_700_000_000L), (got.Persistent, got.Priority, got.Timestamp.UnixTime));
        var headers = got.Headers!;
        Assert.Equal(properties.Headers.Keys, headers.Keys);
        Assert.Equal("ä", Encoding.UTF8.GetString((byte[])headers["text"]!));
        foreach (var name in new[] { "int", "long", "byte", "sbyte", "short", "ushort", "uint", "bool", "double", "float", "decimal", "time", "null" }) Assert.Equal(properties.Headers[name], headers[name]);
        Assert.Equal([1, 2], ((BinaryTableValue)headers["bytes"]!).Bytes);
        Assert.Equal(7L, ((IDictionary<string, object?>)headers["table"]!)["inner"]);
        Assert.Equal(1, ((List<object?>)headers["list"]!)[0]);
    }

    [Fact, Rows("R10", "R11")]
    public async Task Acknowledgements_refusals_and_prefetch()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = SharedBroker.Unique("acks");
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        for (var i = 0; i < 10; i++) await channel.BasicPublishAsync("", queue, Encoding.UTF8.GetBytes($"{i}"));
        await channel.BasicQosAsync(0, 3, global: false);
        var inbox = await Inbox.OpenAsync(channel, queue, autoAck: false);
        Assert.Equal(["0", "1", "2"], await inbox.NextTextsAsync(3));
        Assert.Equal(7u, (await channel.QueueDeclarePassiveAsync(queue)).MessageCount);
        Assert.False(inbox.HasMore);
        await channel.BasicNackAsync(2, multiple: true, requeue: true);
        var back = new[] { await inbox.NextAsync(), await inbox.NextAsync() };
        Assert.All(back, m => Assert.True(m.Redelivered));
        Assert.Equal(["0", "1"], back.Select(m => Encoding.UTF8.GetString(m.Body.Span)));
        await channel.BasicAckAsync(back[1].DeliveryTag, multiple: true);
        Assert.Equal(["3", "4", "5"], await inbox.NextTextsAsync(3));
        var closed = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        channel.ChannelShutdownAsync += (_, reason) =>
        {
            closed.TrySetResult(reason.ReplyText);
            return Task.CompletedTask;
        };
        await channel.BasicAckAsync(99, multiple: false);
        Assert.Equal("PRECONDITION_FAILED - unknown delivery tag 99", await closed.Task.WaitAsync(RabbitMqClient.Patience));
    }

    [Fact, Rows("R5", "R7")]
    public async Task Errors_are_those_that_the_client_knows()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        var queue = SharedBroker.Unique("errors");
        Assert.Equal((404, $"NOT_FOUND - no queue '{queue}' in vhost '/'"), await FailAsync(c => c.QueueDeclarePassiveAsync(queue)));
        Assert.Equal((404, "NOT_FOUND - no exchange 'none' in vhost '/'"), await FailAsync(c => c.ExchangeDeclarePassiveAsync("none")));
        await using (var channel = await connection.CreateChannelAsync()) await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        Assert.Equal(
            (406, $"PRECONDITION_FAILED - inequivalent arg 'durable' for queue '{queue}' in vhost '/': received 'false' but current is 'true'"),
            await FailAsync(c => c.QueueDeclareAsync(queue, durable: false, exclusive: false, autoDelete: false)));
        Assert.Equal((403, "ACCESS_REFUSED - queue name 'amq.x' contains reserved prefix 'amq.*'"), await FailAsync(c => c.QueueDeclareAsync("amq.x", durable: false, exclusive: false, autoDelete: false)));
        Assert.True(connection.IsOpen);

        async Task<(int, string)> FailAsync(Func<IChannel, Task> action)
        {
            await using var channel = await connection.CreateChannelAsync();
            var error = await Assert.ThrowsAsync<OperationInterruptedException>(() => action(channel));
            return (error.ShutdownReason!.ReplyCode, error.ShutdownReason.ReplyText);
        }
    }

    [Fact, Rows("R6", "R19")]
    public async Task Exchanges_of_all_types_and_alternates_and_copies()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var prefix = SharedBroker.Unique("ex");
        var queue = (await channel.QueueDeclareAsync()).QueueName;
        var copy = (await channel.QueueDeclareAsync()).QueueName;
        await channel.ExchangeDeclareAsync($"{prefix}-rest", ExchangeType.Fanout, autoDelete: true);
        await channel.ExchangeDeclareAsync(prefix, ExchangeType.Topic, arguments: new Dictionary<string, object?> { ["alternate-exchange"] = $"{prefix}-rest" });
        await channel.ExchangeDeclareAsync($"{prefix}-headers", ExchangeType.Headers);
        await channel.ExchangeBindAsync($"{prefix}-headers", prefix, "to.headers");
        await channel.QueueBindAsync(queue, prefix, "a.#.z");
        await channel.QueueBindAsync(queue, $"{prefix}-rest", "");
        await channel.QueueBindAsync(queue, $"{prefix}-headers", "", new Dictionary<string, object?> { ["x-match"] = "any", ["n"] = 1, ["m"] = 2 });
        await SendAsync("a.b.c.z");
        await SendAsync("a.z");
        await SendAsync("nothing.of.it");
        await SendAsync("to.headers", new Dictionary<string, object?> { ["n"] = 1L });
        await SendAsync("to.headers", new Dictionary<string, object?> { ["n"] = 3 });
        await channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties { Headers = new Dictionary<string, object?> { ["BCC"] = new List<object?> { copy } } }, "both"u8.ToArray());
        var got = new List<string>();
        while (await channel.BasicGetAsync(queue, autoAck: true) is { } message) got.Add(message.RoutingKey);
        Assert.Equal(["a.b.c.z", "a.z", "nothing.of.it", "to.headers", queue], got);
        var blind = await channel.BasicGetAsync(copy, autoAck: true);
        Assert.Equal("both", Encoding.UTF8.GetString(blind!.Body.Span));
        Assert.False(blind.BasicProperties.Headers?.ContainsKey("BCC") ?? false);

        async Task SendAsync(string key, Dictionary<string, object?>? headers = null) =>
            await channel.BasicPublishAsync(prefix, key, mandatory: false, new BasicProperties { Headers = headers }, "x"u8.ToArray());
    }

    [Fact, Rows("R12")]
    public async Task Getting_purging_and_deleting()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = SharedBroker.Unique("get");
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        Assert.Null(await channel.BasicGetAsync(queue, autoAck: false));
        for (var i = 0; i < 5; i++) await channel.BasicPublishAsync("", queue, Encoding.UTF8.GetBytes($"{i}"));
        var got = await channel.BasicGetAsync(queue, autoAck: false);
        Assert.Equal((4u, "0"), (got!.MessageCount, Encoding.UTF8.GetString(got.Body.Span)));
        Assert.Equal(4u, await channel.QueuePurgeAsync(queue));
        await channel.BasicNackAsync(got.DeliveryTag, multiple: false, requeue: true);
        Assert.Equal(1u, await channel.MessageCountAsync(queue));
        await using (var other = await connection.CreateChannelAsync())
        {
            var error = await Assert.ThrowsAsync<OperationInterruptedException>(() => other.QueueDeleteAsync(queue, ifUnused: false, ifEmpty: true));
            Assert.Equal($"PRECONDITION_FAILED - queue '{queue}' in vhost '/' not empty", error.ShutdownReason!.ReplyText);
        }
        Assert.Equal(1u, await channel.QueueDeleteAsync(queue));
    }

    [Fact, Rows("R13", "R20")]
    public async Task Consumers_hear_that_their_queue_is_gone_and_exclusive_queues_are_their_owners()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var other = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await connection.CreateChannelAsync();
        var queue = SharedBroker.Unique("gone");
        await channel.QueueDeclareAsync(queue, durable: false, exclusive: false, autoDelete: false);
        var inbox = await Inbox.OpenAsync(channel, queue);
        await using (var elsewhere = await other.CreateChannelAsync()) await elsewhere.QueueDeleteAsync(queue);
        await inbox.Cancelled.Task.WaitAsync(RabbitMqClient.Patience);
        var mine = (await channel.QueueDeclareAsync()).QueueName;
        await using var stranger = await other.CreateChannelAsync();
        var error = await Assert.ThrowsAsync<OperationInterruptedException>(() => stranger.QueueDeclarePassiveAsync(mine));
        Assert.Equal(405, error.ShutdownReason!.ReplyCode);
    }

    [Fact, Rows("R17")]
    public async Task Questions_are_answered_directly()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var server = await connection.CreateChannelAsync();
        var queue = SharedBroker.Unique("rpc");
        await server.QueueDeclareAsync(queue, durable: false, exclusive: false, autoDelete: false);
        var questions = await Inbox.OpenAsync(server, queue);
        var serving = Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                var question = await questions.NextAsync();
                await server.BasicPublishAsync("", question.BasicProperties.ReplyTo!, mandatory: true, new BasicProperties { CorrelationId = question.BasicProperties.CorrelationId }, question.Body);
            }
        });
        await using var client = await connection.CreateChannelAsync();
        var answers = await Inbox.OpenAsync(client, "amq.rabbitmq.reply-to");
        for (var i = 0; i < 20; i++)
        {
            await client.BasicPublishAsync("", queue, mandatory: true, new BasicProperties { ReplyTo = "amq.rabbitmq.reply-to", CorrelationId = $"{i}" }, Encoding.UTF8.GetBytes($"q{i}"));
            var answer = await answers.NextAsync();
            Assert.Equal(($"{i}", $"q{i}"), (answer.BasicProperties.CorrelationId, Encoding.UTF8.GetString(answer.Body.Span)));
        }
        await serving.WaitAsync(RabbitMqClient.Patience);
    }

    [Fact, Rows("R29")]
    public async Task Transactions()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await connection.CreateChannelAsync();
        var queue = (await channel.QueueDeclareAsync()).QueueName;
        await channel.TxSelectAsync();
        await channel.BasicPublishAsync("", queue, "no"u8.ToArray());
        await channel.TxRollbackAsync();
        await channel.BasicPublishAsync("", queue, "yes"u8.ToArray());
        await channel.TxCommitAsync();
        Assert.Equal("yes", Encoding.UTF8.GetString((await channel.BasicGetAsync(queue, autoAck: true))!.Body.Span));
        await channel.TxCommitAsync();
        Assert.Equal(0u, await channel.MessageCountAsync(queue));
    }

    [Fact, Rows("R8")]
    public async Task What_newer_servers_refuse_is_still_accepted()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = SharedBroker.Unique("legacy");
        await channel.QueueDeclareAsync(queue, durable: false, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-mode"] = "lazy", ["x-ha-policy"] = "all" });
        await channel.BasicQosAsync(0, 1, global: true);
        for (var i = 0; i < 2; i++) await channel.BasicPublishAsync("", queue, Encoding.UTF8.GetBytes($"{i}"));
        var inbox = await Inbox.OpenAsync(channel, queue, autoAck: false);
        Assert.Equal("0", (await inbox.NextTextsAsync(1))[0]);
        await channel.BasicAckAsync(1, multiple: false);
        Assert.Equal("1", (await inbox.NextTextsAsync(1))[0]);
    }

    [Fact, Rows("R23")]
    public async Task One_active_consumer_and_exclusive_consumers()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        await using var second = await connection.CreateChannelAsync();
        var queue = SharedBroker.Unique("sac");
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-single-active-consumer"] = true });
        var active = await Inbox.OpenAsync(channel, queue);
        var waiting = await Inbox.OpenAsync(second, queue);
        for (var i = 0; i < 10; i++) await channel.BasicPublishAsync("", queue, Encoding.UTF8.GetBytes($"{i}"));
        Assert.Equal(10, (await active.NextTextsAsync(10)).Count);
        Assert.False(waiting.HasMore);
        await channel.BasicCancelAsync(active.Tag);
        await channel.BasicPublishAsync("", queue, "next"u8.ToArray());
        Assert.Equal("next", (await waiting.NextTextsAsync(1))[0]);
        var alone = (await channel.QueueDeclareAsync(SharedBroker.Unique("alone"), durable: false, exclusive: false, autoDelete: false)).QueueName;
        await Inbox.OpenAsync(channel, alone, exclusive: true);
        var error = await Assert.ThrowsAsync<OperationInterruptedException>(() => Inbox.OpenAsync(second, alone));
        Assert.Equal($"ACCESS_REFUSED - queue '{alone}' in vhost '/' in exclusive use", error.ShutdownReason!.ReplyText);
    }
}
