using System.Globalization;
using System.Text;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Clients.Tests.Amqp;

/// <summary>How messages and queues end: time, length, refusal, and too many deliveries; on a broker whose clock is moved.</summary>
[Uses<RabbitMqClient>]
public sealed class RabbitMqClientLifetimeTests(RabbitMqClientLifetimeTests.TestModeBroker broker) : IClassFixture<RabbitMqClientLifetimeTests.TestModeBroker>
{
    private int Port => broker.Server.Port("amqp");

    [Fact, Rows("R15")]
    public async Task Messages_expire_by_the_shorter_of_two_times_and_at_the_head_only()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = await DeclareAsync(channel, ("x-message-ttl", 60_000));
        await SendAsync(channel, queue, "by queue");
        await SendAsync(channel, queue, "by message", expiration: "10000");
        await broker.Server.AdvanceAsync(TimeSpan.FromSeconds(20));
        // It stays behind one whose time is not up, and counts.
        Assert.Equal(2u, await channel.MessageCountAsync(queue));
        Assert.Equal("by queue", await GetAsync(channel, queue));
        Assert.Null(await GetAsync(channel, queue));
        await SendAsync(channel, queue, "longer than the queue's", expiration: "600000");
        await broker.Server.AdvanceAsync(TimeSpan.FromSeconds(61));
        await Eventually.TrueAsync(async () => await channel.MessageCountAsync(queue) == 0, "the message expires without anybody asking for it");
        var error = await FailAsync(connection, c => c.BasicPublishAsync("", queue, mandatory: false, new BasicProperties { Expiration = "soon" }, "x"u8.ToArray()).AsTask());
        Assert.Equal((406, "PRECONDITION_FAILED - invalid expiration 'soon': no_integer"), error);
    }

    [Fact, Rows("R15")]
    public async Task A_time_of_zero_is_now_or_never()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = await DeclareAsync(channel, ("x-message-ttl", 0));
        await SendAsync(channel, queue, "nobody is there");
        Assert.Null(await GetAsync(channel, queue));
        var inbox = await Inbox.OpenAsync(channel, queue);
        await SendAsync(channel, queue, "somebody is");
        Assert.Equal(["somebody is"], await inbox.NextTextsAsync(1));
    }

    [Fact, Rows("R15")]
    public async Task A_queue_that_nobody_uses_goes()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var queue = await DeclareAsync(channel, ("x-expires", 600_000));
        var used = await DeclareAsync(channel, ("x-expires", 600_000));
        await Inbox.OpenAsync(channel, used);
        await broker.Server.AdvanceAsync(TimeSpan.FromMinutes(11));
        await Eventually.TrueAsync(
            async () => await FailOrNullAsync(connection, c => c.QueueDeclarePassiveAsync(queue)) == (404, $"NOT_FOUND - no queue '{queue}' in vhost '/'"),
            "the queue goes");
        await channel.QueueDeclarePassiveAsync(used);
    }

    [Fact, Rows("R14", "R15", "R16")]
    public async Task Dead_letters_carry_their_history_newest_first()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var exchange = SharedBroker.Unique("dlx");
        await channel.ExchangeDeclareAsync(exchange, ExchangeType.Direct);
        var first = await DeclareAsync(channel, ("x-dead-letter-exchange", exchange), ("x-dead-letter-routing-key", "refused"));
        var second = await DeclareAsync(channel, ("x-dead-letter-exchange", exchange), ("x-dead-letter-routing-key", "late"), ("x-message-ttl", 30_000));
        var third = await DeclareAsync(channel, ("x-dead-letter-exchange", exchange), ("x-dead-letter-routing-key", "many"), ("x-max-length", 1));
        var last = await DeclareAsync(channel);
        await channel.QueueBindAsync(second, exchange, "refused");
        await channel.QueueBindAsync(third, exchange, "late");
        await channel.QueueBindAsync(last, exchange, "many");
        await channel.QueueBindAsync(first, exchange, "start");
        await channel.BasicPublishAsync(exchange, "start", mandatory: true, new BasicProperties { Expiration = "7200000", Persistent = true }, "m"u8.ToArray());
        var refused = await channel.BasicGetAsync(first, autoAck: false);
        await channel.BasicRejectAsync(refused!.DeliveryTag, requeue: false);
        await WaitAsync(channel, second);
        await broker.Server.AdvanceAsync(TimeSpan.FromSeconds(31));
        await WaitAsync(channel, third);
        await SendAsync(channel, third, "pushes it out");
        await WaitAsync(channel, last);
        var got = await channel.BasicGetAsync(last, autoAck: true);
        Assert.Equal((exchange, "many"), (got!.Exchange, got.RoutingKey));
        Assert.False(got.BasicProperties.IsExpirationPresent());
        var headers = got.BasicProperties.Headers!;
        var deaths = ((List<object?>)headers["x-death"]!).Cast<IDictionary<string, object?>>().ToList();
        Assert.Equal(
            [(third, "maxlen", exchange, "late"), (second, "expired", exchange, "refused"), (first, "rejected", exchange, "start")],
            deaths.Select(d => (Text(d["queue"]), Text(d["reason"]), Text(d["exchange"]), Text(((List<object?>)d["routing-keys"]!)[0]))));
        Assert.All(deaths, d => Assert.Equal(1L, d["count"]));
        Assert.All(deaths, d => Assert.IsType<AmqpTimestamp>(d["time"]));
        Assert.Equal("7200000", Text(deaths[2]["original-expiration"]));
        Assert.Equal((first, "rejected", exchange), (Text(headers["x-first-death-queue"]), Text(headers["x-first-death-reason"]), Text(headers["x-first-death-exchange"])));
        Assert.Equal((third, "maxlen", exchange), (Text(headers["x-last-death-queue"]), Text(headers["x-last-death-reason"]), Text(headers["x-last-death-exchange"])));
    }

    [Fact, Rows("R14")]
    public async Task A_circle_of_dead_letter_queues_is_walked_once_unless_somebody_refuses()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var (a, b) = (SharedBroker.Unique("circle"), SharedBroker.Unique("circle"));
        foreach (var (name, next) in new[] { (a, b), (b, a) })
            await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-message-ttl"] = 1000, ["x-dead-letter-exchange"] = "", ["x-dead-letter-routing-key"] = next });
        await SendAsync(channel, a, "round");
        await broker.Server.AdvanceAsync(TimeSpan.FromSeconds(2));
        await WaitAsync(channel, b);
        await broker.Server.AdvanceAsync(TimeSpan.FromSeconds(2));
        // Back where it was, for the same reason and by no hand of anybody's: it is dropped.
        await Eventually.TrueAsync(async () => await channel.MessageCountAsync(a) + await channel.MessageCountAsync(b) == 0, "the circle ends");
        // Whoever refuses has it come round, and the count of its deaths rises.
        var (work, retry) = (SharedBroker.Unique("work"), SharedBroker.Unique("retry"));
        await channel.QueueDeclareAsync(work, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-dead-letter-exchange"] = "", ["x-dead-letter-routing-key"] = retry });
        await channel.QueueDeclareAsync(retry, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-message-ttl"] = 1000, ["x-dead-letter-exchange"] = "", ["x-dead-letter-routing-key"] = work });
        await SendAsync(channel, work, "again");
        var inbox = await Inbox.OpenAsync(channel, work, autoAck: false);
        for (var round = 0; round < 4; round++)
        {
            var message = await inbox.NextAsync();
            if (round > 0)
            {
                var deaths = ((List<object?>)message.BasicProperties.Headers!["x-death"]!).Cast<IDictionary<string, object?>>().ToList();
                Assert.Equal([(retry, "expired", (long)round), (work, "rejected", round)], deaths.Select(d => (Text(d["queue"]), Text(d["reason"]), (long)d["count"]!)));
            }
            await channel.BasicRejectAsync(message.DeliveryTag, requeue: false);
            await WaitAsync(channel, retry);
            await broker.Server.AdvanceAsync(TimeSpan.FromSeconds(2));
        }
    }

    [Fact, Rows("R16")]
    public async Task Full_queues_drop_their_heads_or_refuse()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var dropping = await DeclareAsync(channel, ("x-max-length", 3));
        var small = await DeclareAsync(channel, ("x-max-length-bytes", 10), ("x-overflow", "drop-head"));
        var dead = await DeclareAsync(channel);
        var refusing = await DeclareAsync(channel, ("x-max-length", 2), ("x-overflow", "reject-publish"));
        var burying = await DeclareAsync(channel, ("x-max-length", 1), ("x-overflow", "reject-publish-dlx"), ("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", dead));
        for (var i = 0; i < 5; i++)
        {
            await SendAsync(channel, dropping, $"{i}");
            await SendAsync(channel, small, $"{i}xxxx");
        }
        Assert.Equal(["2", "3", "4"], await AllAsync(channel, dropping));
        Assert.Equal(["3xxxx", "4xxxx"], await AllAsync(channel, small));
        for (var i = 0; i < 2; i++) await SendAsync(channel, refusing, $"{i}");
        var refused = await Assert.ThrowsAsync<PublishException>(() => SendAsync(channel, refusing, "2"));
        Assert.False(refused.IsReturn);
        await SendAsync(channel, burying, "first");
        await Assert.ThrowsAsync<PublishException>(() => SendAsync(channel, burying, "second"));
        Assert.Equal(["0", "1"], await AllAsync(channel, refusing));
        Assert.Equal(["first"], await AllAsync(channel, burying));
        await WaitAsync(channel, dead);
        Assert.Equal(["second"], await AllAsync(channel, dead));
        await SendAsync(channel, refusing, "there is room");
    }

    [Fact, Rows("R14", "R21")]
    public async Task Quorum_queues_count_deliveries_and_give_up_at_their_limit()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        var dead = await DeclareAsync(channel);
        var queue = await DeclareAsync(channel, ("x-queue-type", "quorum"), ("x-delivery-limit", 2), ("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", dead));
        var unlimited = await DeclareAsync(channel, ("x-queue-type", "quorum"), ("x-delivery-limit", -1));
        var usual = await DeclareAsync(channel, ("x-queue-type", "quorum"), ("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", dead));
        Assert.Equal([0, 1, 2], await RefuseAsync(queue, 3));
        await WaitAsync(channel, dead);
        var got = await channel.BasicGetAsync(dead, autoAck: true);
        var death = (IDictionary<string, object?>)((List<object?>)got!.BasicProperties.Headers!["x-death"]!)[0]!;
        Assert.Equal((queue, "delivery_limit"), (Text(death["queue"]), Text(death["reason"])));
        Assert.Equal(29, (await RefuseAsync(unlimited, 30))[^1]);
        Assert.Equal(1u, await channel.MessageCountAsync(unlimited));
        // Nothing said is twenty.
        Assert.Equal(20, (await RefuseAsync(usual, 21))[^1]);
        await WaitAsync(channel, dead);

        async Task<List<long>> RefuseAsync(string from, int times)
        {
            await SendAsync(channel, from, "poison");
            var counts = new List<long>();
            for (var i = 0; i < times; i++)
            {
                BasicGetResult? message = null;
                await Eventually.TrueAsync(async () => (message = await channel.BasicGetAsync(from, autoAck: false)) is not null, "the message comes again");
                counts.Add(message!.BasicProperties.Headers?.TryGetValue("x-delivery-count", out var count) == true ? Convert.ToInt64(count, CultureInfo.InvariantCulture) : -1);
                Assert.Equal(i > 0, message.Redelivered);
                await channel.BasicNackAsync(message.DeliveryTag, multiple: false, requeue: true);
            }
            return counts;
        }
    }

    [Fact, Rows("R28")]
    public async Task A_consumer_that_never_acknowledges_loses_its_channel_and_its_messages()
    {
        await using var connection = await RabbitMqClient.ConnectAsync(Port);
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        await using var stuck = await connection.CreateChannelAsync();
        var queue = await DeclareAsync(channel);
        var closed = new TaskCompletionSource<(int, string)>(TaskCreationOptions.RunContinuationsAsynchronously);
        stuck.ChannelShutdownAsync += (_, reason) =>
        {
            closed.TrySetResult((reason.ReplyCode, reason.ReplyText));
            return Task.CompletedTask;
        };
        var inbox = await Inbox.OpenAsync(stuck, queue, autoAck: false);
        await SendAsync(channel, queue, "held");
        await inbox.NextAsync();
        await broker.Server.AdvanceAsync(TimeSpan.FromMinutes(31));
        var (code, text) = await closed.Task.WaitAsync(RabbitMqClient.Patience);
        Assert.Equal(406, code);
        Assert.Matches(@"^PRECONDITION_FAILED - delivery acknowledgement on channel \d+ timed out\. Timeout value used: 1800000 ms\.", text);
        await WaitAsync(channel, queue);
        Assert.True((await channel.BasicGetAsync(queue, autoAck: true))!.Redelivered);
    }

    private static async Task<string> DeclareAsync(IChannel channel, params (string Name, object? Value)[] arguments)
    {
        var queue = SharedBroker.Unique("q");
        var table = arguments.ToDictionary(a => a.Name, a => a.Value);
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, table);
        return queue;
    }

    private static async Task SendAsync(IChannel channel, string queue, string body, string? expiration = null)
    {
        var properties = new BasicProperties { Persistent = true };
        if (expiration is not null) properties.Expiration = expiration;
        await channel.BasicPublishAsync("", queue, mandatory: true, properties, Encoding.UTF8.GetBytes(body));
    }

    private static async Task<string?> GetAsync(IChannel channel, string queue) => await channel.BasicGetAsync(queue, autoAck: true) is { } got ? Encoding.UTF8.GetString(got.Body.Span) : null;

    private static async Task<List<string>> AllAsync(IChannel channel, string queue)
    {
        var all = new List<string>();
        while (await GetAsync(channel, queue) is { } text) all.Add(text);
        return all;
    }

    private static Task WaitAsync(IChannel channel, string queue) => Eventually.TrueAsync(async () => await channel.MessageCountAsync(queue) > 0, $"a message comes to {queue}");

    private static string Text(object? value) => Encoding.UTF8.GetString((byte[])value!);

    private static async Task<(int, string)> FailAsync(IConnection connection, Func<IChannel, Task> action) => await FailOrNullAsync(connection, action) ?? throw new InvalidOperationException("It did not fail.");

    private static async Task<(int Code, string Text)?> FailOrNullAsync(IConnection connection, Func<IChannel, Task> action)
    {
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        try
        {
            await action(channel);
            return null;
        }
        catch (OperationInterruptedException error)
        {
            return (error.ShutdownReason!.ReplyCode, error.ShutdownReason.ReplyText);
        }
    }

    /// <summary>A broker whose clock the tests move.</summary>
    public sealed class TestModeBroker : IAsyncLifetime
    {
        internal DragomanServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await MovableClock.StartAsync();

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
