using System.Globalization;
using System.Text;
using Dragoman.Faults.Hostile;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Faults.Volume;

/// <summary>Many queues at once, each with a message: all are there after a kill, each with its own, and memory stays small.</summary>
public sealed class ManyQueuesTests(ITestOutputHelper output)
{
    private const int AtOnce = 64;
    private const long MostMemory = 640L << 20;

    [Fact]
    public async Task Every_queue_keeps_its_message_through_a_kill()
    {
        await using var server = await DragomanServer.StartAsync();
        var start = TimeProvider.System.GetTimestamp();
        await EachAsync(server, async (channel, queue) =>
        {
            await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
            await channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties { DeliveryMode = DeliveryModes.Persistent }, Encoding.UTF8.GetBytes(queue));
        });
        output.WriteLine($"{Counts.Queues} queues declared and written to after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s");
        await server.KillAsync();
        await server.StartAgainAsync();
        await EachAsync(server, async (channel, queue) =>
        {
            var message = await channel.BasicGetAsync(queue, autoAck: true);
            Assert.True(message is not null, $"{queue} lost its message.");
            Assert.Equal(queue, Encoding.UTF8.GetString(message.Body.Span));
            Assert.True(message.MessageCount == 0 && await channel.BasicGetAsync(queue, autoAck: true) is null, $"{queue} has more than its message.");
        });
        var peak = ProcessMemory.Peak(server.ProcessId);
        output.WriteLine($"all read after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s; the broker held {peak >> 20} MiB at most");
        Assert.True(peak < MostMemory, $"The broker held {peak} bytes in memory, and {MostMemory} are allowed.");
    }

    /// <summary>Does something with every queue, several at a time.</summary>
    private static async Task EachAsync(DragomanServer server, Func<IChannel, string, Task> work)
    {
        await using var connection = await new ConnectionFactory { HostName = "127.0.0.1", Port = server.Port("amqp"), AutomaticRecoveryEnabled = false }.CreateConnectionAsync();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async worker =>
        {
            // Publishing ends when the broker has confirmed.
            await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
            for (var number = worker; number < Counts.Queues; number += AtOnce) await work(channel, string.Create(CultureInfo.InvariantCulture, $"queue-{number}"));
        }));
    }
}
