using Confluent.Kafka.Admin;
using Dragoman.Faults.Load;
using Dragoman.TestKit;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Dragoman.Faults.Kills;

/// <summary><c>kill -9</c> between Kafka's producers and AMQP's queues: what was acknowledged to the one arrives with the other, once and in order.</summary>
public sealed class InteropKillTests(ITestOutputHelper output)
{
    private const string Topic = "orders";
    private const string Queue = "all orders";
    private const int Partitions = 4;

    [Fact]
    public async Task Every_record_that_a_producer_was_told_is_safe_is_in_the_queue_once()
    {
        await using var server = await DragomanServer.StartAsync("--journal-file-size", "1MiB");
        await SetUpAsync(server);
        await using var load = KafkaLoad.Start(server.Address("kafka"), Topic, Partitions, producers: 3);
        await new KillCampaign(server, load, output.WriteLine, Random.Shared.Next()).RunAsync(Counts.Kills);
        var acknowledged = await load.FinishAsync();
        var arrived = await DrainAsync(server, acknowledged.Count);
        // Idempotent producers have sent no more than was acknowledged, so neither may the queue have more.
        var next = new Dictionary<(int Producer, int Partition), long>();
        foreach (var message in arrived)
        {
            var due = next.GetValueOrDefault((message.Producer, message.Partition));
            Assert.True(message.Sequence == due, $"{message} came where number {due} should be: {(message.Sequence < due ? "it is there twice" : "something is missing")}.");
            next[(message.Producer, message.Partition)] = due + 1;
        }
        Assert.Equal(acknowledged.Count, arrived.Count);
        output.WriteLine($"{acknowledged.Count} records acknowledged, and as many messages in the queue");
    }

    private static async Task SetUpAsync(DragomanServer server)
    {
        using (var admin = new Confluent.Kafka.AdminClientBuilder(new Confluent.Kafka.AdminClientConfig { BootstrapServers = server.Address("kafka") }).Build())
            await admin.CreateTopicsAsync([new TopicSpecification { Name = Topic, NumPartitions = Partitions }]);
        await using var connection = await ConnectAsync(server);
        await using var channel = await connection.CreateChannelAsync();
        await channel.QueueDeclareAsync(Queue, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync(Queue, Topic, "");
    }

    /// <summary>Takes messages out of the queue until there are so many, and then whatever else there is.</summary>
    private static async Task<List<LoadMessage>> DrainAsync(DragomanServer server, int count)
    {
        var messages = new List<LoadMessage>();
        var got = System.Threading.Channels.Channel.CreateUnbounded<byte[]>();
        await using var connection = await ConnectAsync(server);
        await using var channel = await connection.CreateChannelAsync();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            got.Writer.TryWrite(delivery.Body.ToArray());
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(Queue, autoAck: true, consumer);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (messages.Count < count) messages.Add(LoadMessage.Parse(await got.Reader.ReadAsync(limit.Token)));
        // One that goes to the queue itself comes last: whatever is there twice would come before it.
        await channel.BasicPublishAsync("", Queue, "last"u8.ToArray());
        while (await got.Reader.ReadAsync(limit.Token) is var body && body.Length != 4) messages.Add(LoadMessage.Parse(body));
        return messages;
    }

    private static Task<IConnection> ConnectAsync(DragomanServer server) =>
        new ConnectionFactory { HostName = "127.0.0.1", Port = server.Port("amqp"), AutomaticRecoveryEnabled = false }.CreateConnectionAsync();
}
