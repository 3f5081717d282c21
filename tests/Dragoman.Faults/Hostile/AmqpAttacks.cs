using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.TestKit;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Faults.Hostile;

/// <summary>
/// Ways to misuse an AMQP port. Each does its worst and holds on until it is cancelled; then it checks that it got what
/// RabbitMQ's documentation says.
/// </summary>
internal static class AmqpAttacks
{
    public static IReadOnlyDictionary<string, Func<DragomanServer, CancellationToken, Task>> All { get; } = new Dictionary<string, Func<DragomanServer, CancellationToken, Task>>
    {
        ["a consumer that never acknowledges"] = NeverAcknowledgeAsync,
        ["consumers that never read"] = NeverReadAsync,
        ["clients that die in mid-frame"] = DieInMidFrameAsync,
        ["five thousand channels"] = ManyChannelsAsync,
        ["messages of 100 MB"] = LargeMessagesAsync,
        ["circles of dead-letter queues"] = CirclesAsync,
        ["frames that are nonsense"] = NonsenseAsync,
    };

    private static async Task NeverAcknowledgeAsync(DragomanServer server, CancellationToken cancellation)
    {
        const int Messages = 20_000;
        await using var connection = await ConnectAsync(server);
        await using var channel = await ConfirmingAsync(connection);
        await FillAsync(channel, "never-acknowledged", Messages, 1000);
        var received = 0;
        await using (var stuck = await ConnectAsync(server))
        {
            await using var consuming = await stuck.CreateChannelAsync(cancellationToken: CancellationToken.None);
            var consumer = new AsyncEventingBasicConsumer(consuming);
            consumer.ReceivedAsync += (_, _) =>
            {
                Interlocked.Increment(ref received);
                return Task.CompletedTask;
            };
            await consuming.BasicConsumeAsync("never-acknowledged", autoAck: false, consumer, CancellationToken.None);
            await Eventually.TrueAsync(() => Volatile.Read(ref received) == Messages, "it gets everything, as it sets no limit", TimeSpan.FromSeconds(60));
            Assert.Equal(0u, await channel.MessageCountAsync("never-acknowledged", CancellationToken.None));
            await HoldAsync(cancellation);
        }
        // All of it comes back when it goes.
        await Eventually.TrueAsync(async () => await channel.MessageCountAsync("never-acknowledged") == Messages, "everything comes back", TimeSpan.FromSeconds(60));
        Assert.True((await channel.BasicGetAsync("never-acknowledged", autoAck: true, CancellationToken.None))!.Redelivered);
    }

    private static async Task NeverReadAsync(DragomanServer server, CancellationToken cancellation)
    {
        await using var connection = await ConnectAsync(server);
        await using var channel = await ConfirmingAsync(connection);
        await FillAsync(channel, "never-read", 10_000, 8000);
        var clients = new List<RawAmqpClient>();
        for (var n = 0; n < 20; n++)
        {
            var client = await RawAmqpClient.ConnectAsync(server.EndPoint("amqp"), CancellationToken.None);
            clients.Add(client);
            client.Add(1, new BasicConsume { Queue = "never-read", ConsumerTag = "c", NoAck = n % 2 == 0, Arguments = FieldTable.Empty });
            // It asks for more all the time, too.
            for (var i = 0; i < 1000; i++) client.Add(1, new BasicQos { PrefetchCount = 0 });
            await client.SendAsync(CancellationToken.None);
        }
        await HoldAsync(cancellation);
        foreach (var client in clients) client.Dispose();
        // What was never written goes back; what was settled as it was sent is gone, and that is bounded by what connections hold.
        await Eventually.TrueAsync(async () => await channel.MessageCountAsync("never-read") > 4_000, "what was not sent is still there", TimeSpan.FromSeconds(60));
    }

    private static async Task DieInMidFrameAsync(DragomanServer server, CancellationToken cancellation)
    {
        await using var connection = await ConnectAsync(server);
        await using var channel = await ConfirmingAsync(connection);
        await channel.QueueDeclareAsync("half", durable: true, exclusive: false, autoDelete: false, cancellationToken: CancellationToken.None);
        var random = new Random(1);
        for (var n = 0; n < 300 && !cancellation.IsCancellationRequested; n++)
        {
            using var client = await RawAmqpClient.ConnectAsync(server.EndPoint("amqp"), CancellationToken.None);
            client.AddPublish("half", new byte[400_000]);
            await client.SendAsync(CancellationToken.None, 0.01 + 0.98 * random.NextDouble());
            if (n % 2 == 0) client.Reset();
        }
        await HoldAsync(cancellation);
        // Of a message that did not wholly arrive nothing is there.
        Assert.Equal(0u, await channel.MessageCountAsync("half", CancellationToken.None));
    }

    private static async Task ManyChannelsAsync(DragomanServer server, CancellationToken cancellation)
    {
        var connections = new List<IConnection>();
        try
        {
            var channels = new List<IChannel>();
            for (var c = 0; c < 3; c++)
            {
                var connection = await ConnectAsync(server);
                connections.Add(connection);
                for (var n = 0; n < 1667; n++) channels.Add(await connection.CreateChannelAsync(cancellationToken: CancellationToken.None));
            }
            Assert.Equal(5001, channels.Count);
            await channels[0].QueueDeclareAsync("many", durable: true, exclusive: false, autoDelete: false, cancellationToken: CancellationToken.None);
            foreach (var channel in channels) await channel.BasicPublishAsync("", "many", "x"u8.ToArray(), CancellationToken.None);
            await Eventually.TrueAsync(async () => await channels[0].MessageCountAsync("many") == 5001, "each channel works", TimeSpan.FromSeconds(60));
            // Beyond what was agreed the client itself refuses.
            await Assert.ThrowsAsync<ChannelAllocationException>(async () =>
            {
                for (var n = 0; n < 400; n++) await connections[0].CreateChannelAsync(cancellationToken: CancellationToken.None);
            });
            await HoldAsync(cancellation);
        }
        finally
        {
            foreach (var connection in connections) await connection.DisposeAsync();
        }
    }

    private static async Task LargeMessagesAsync(DragomanServer server, CancellationToken cancellation)
    {
        await using var connection = await ConnectAsync(server);
        await using var channel = await ConfirmingAsync(connection);
        await channel.QueueDeclareAsync("large", durable: true, exclusive: false, autoDelete: false, cancellationToken: CancellationToken.None);
        var body = new byte[100_000_000];
        new Random(1).NextBytes(body);
        for (var n = 0; n < 2; n++)
        {
            await channel.BasicPublishAsync("", "large", mandatory: true, new BasicProperties { Persistent = true }, body, CancellationToken.None);
            var got = await channel.BasicGetAsync("large", autoAck: true, CancellationToken.None);
            Assert.True(body.AsSpan().SequenceEqual(got!.Body.Span), "A large message came back as another one.");
        }
        await using var greedy = await ConfirmingAsync(connection);
        await Assert.ThrowsAnyAsync<Exception>(() => greedy.BasicPublishAsync("", "large", new byte[(128 << 20) + 1], CancellationToken.None).AsTask());
        await Eventually.TrueAsync(() => greedy.CloseReason is not null, "the channel is closed");
        Assert.Equal("PRECONDITION_FAILED - message size 134217729 is larger than configured max size 134217728", greedy.CloseReason!.ReplyText);
        await HoldAsync(cancellation);
    }

    private static async Task CirclesAsync(DragomanServer server, CancellationToken cancellation)
    {
        await using var connection = await ConnectAsync(server);
        await using var channel = await ConfirmingAsync(connection);
        await DeclareAsync(channel, "circle-a", "circle-b", lifetime: 1);
        await DeclareAsync(channel, "circle-b", "circle-a", lifetime: 1);
        await DeclareAsync(channel, "refused", "again");
        await DeclareAsync(channel, "again", "refused", lifetime: 1);
        for (var i = 0; i < 500; i++)
        {
            await channel.BasicPublishAsync("", "circle-a", mandatory: true, new BasicProperties { Persistent = true }, new byte[500], CancellationToken.None);
            await channel.BasicPublishAsync("", "refused", mandatory: true, new BasicProperties { Persistent = true }, new byte[500], CancellationToken.None);
        }
        // Whoever refuses sends them round and round, and their history does not grow with that.
        await using var refusing = await connection.CreateChannelAsync(cancellationToken: CancellationToken.None);
        await refusing.BasicQosAsync(0, 100, global: false, CancellationToken.None);
        var rounds = 0L;
        var longest = 0;
        var over = false;
        var consumer = new AsyncEventingBasicConsumer(refusing);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            if (delivery.BasicProperties.Headers?.TryGetValue("x-death", out var deaths) == true) longest = Math.Max(longest, ((IList<object?>)deaths!).Count);
            Interlocked.Increment(ref rounds);
            if (!Volatile.Read(ref over)) await refusing.BasicRejectAsync(delivery.DeliveryTag, requeue: false, CancellationToken.None);
        };
        await refusing.BasicConsumeAsync("refused", autoAck: false, consumer, CancellationToken.None);
        await Eventually.TrueAsync(() => Interlocked.Read(ref rounds) > 1500, "what is refused comes round", TimeSpan.FromSeconds(60));
        await HoldAsync(cancellation);
        Volatile.Write(ref over, true);
        await Eventually.TrueAsync(async () => await channel.MessageCountAsync("circle-a") + await channel.MessageCountAsync("circle-b") == 0, "circles that nobody refuses end", TimeSpan.FromSeconds(60));
        Assert.Equal(2, longest);
    }

    private static async Task NonsenseAsync(DragomanServer server, CancellationToken cancellation)
    {
        var random = new Random(1);
        for (var n = 0; n < 300 && !cancellation.IsCancellationRequested; n++)
        {
            using var client = await RawClient.ConnectAsync(server.EndPoint("amqp"), CancellationToken.None);
            var bytes = new byte[random.Next(8, 3000)];
            random.NextBytes(bytes);
            if (n % 2 == 0) ProtocolHeader.Bytes.CopyTo(bytes);
            await client.SendAsync(bytes, CancellationToken.None);
        }
        await HoldAsync(cancellation);
    }

    private static Task<IConnection> ConnectAsync(DragomanServer server) =>
        new ConnectionFactory { HostName = "127.0.0.1", Port = server.Port("amqp"), AutomaticRecoveryEnabled = false, MaxInboundMessageBodySize = 256 << 20 }.CreateConnectionAsync();

    private static Task<IChannel> ConfirmingAsync(IConnection connection) =>
        connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));

    private static async Task FillAsync(IChannel channel, string queue, int messages, int size)
    {
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        var properties = new BasicProperties { Persistent = true };
        var body = new byte[size];
        for (var left = messages; left > 0; left -= 100)
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => channel.BasicPublishAsync("", queue, mandatory: true, properties, body).AsTask()));
    }

    private static Task<RabbitMQ.Client.QueueDeclareOk> DeclareAsync(IChannel channel, string queue, string deadLetters, int? lifetime = null)
    {
        var arguments = new Dictionary<string, object?> { ["x-dead-letter-exchange"] = "", ["x-dead-letter-routing-key"] = deadLetters };
        if (lifetime is not null) arguments["x-message-ttl"] = lifetime;
        return channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments);
    }

    private static Task HoldAsync(CancellationToken cancellation) => Task.Delay(Timeout.Infinite, cancellation).ContinueWith(static _ => { }, TaskScheduler.Default);
}
