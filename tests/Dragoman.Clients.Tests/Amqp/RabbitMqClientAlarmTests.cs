using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Clients.Tests.Amqp;

/// <summary>A full disk pauses those who publish, and tells them so; those who consume do not notice.</summary>
[Uses<RabbitMqClient>]
public sealed class RabbitMqClientAlarmTests : IDisposable
{
    private readonly SmallVolume _volume = new();

    public void Dispose() => _volume.Dispose();

    [Fact, Rows("R27")]
    public async Task Publishers_are_blocked_while_the_disk_is_full_and_consumers_are_not()
    {
        await using var server = await DragomanServer.StartAsync(new ServerOptions { Data = _volume.Data, Arguments = ["--journal-file-size", "1MiB", .. _volume.Arguments] });
        await using var publishing = await RabbitMqClient.ConnectAsync(server.Port("amqp"));
        await using var consuming = await RabbitMqClient.ConnectAsync(server.Port("amqp"));
        var blocked = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var unblocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var bystanderBlocked = false;
        publishing.ConnectionBlockedAsync += (_, blocking) =>
        {
            blocked.TrySetResult(blocking.Reason);
            return Task.CompletedTask;
        };
        publishing.ConnectionUnblockedAsync += (_, _) =>
        {
            unblocked.TrySetResult();
            return Task.CompletedTask;
        };
        consuming.ConnectionBlockedAsync += (_, _) =>
        {
            bystanderBlocked = true;
            return Task.CompletedTask;
        };
        await using var publisher = await RabbitMqClient.ConfirmingAsync(publishing);
        await using var consumer = await consuming.CreateChannelAsync();
        await publisher.QueueDeclareAsync("q", durable: true, exclusive: false, autoDelete: false);
        var properties = new BasicProperties { Persistent = true };
        var body = new byte[64 << 10];
        var accepted = 0;
        _volume.FillTo(8 << 20);
        var filling = Task.Run(async () =>
        {
            while (!blocked.Task.IsCompleted)
            {
                try
                {
                    await publisher.BasicPublishAsync("", "q", mandatory: true, properties, body);
                    Interlocked.Increment(ref accepted);
                }
                catch (PublishException)
                {
                    // What met the full disk before the alarm was up is refused.
                }
            }
        });
        Assert.Equal("low on disk", await blocked.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        var before = Volatile.Read(ref accepted);
        for (var i = 0; i < 10; i++) Assert.Equal(body.Length, (await consumer.BasicGetAsync("q", autoAck: false))!.Body.Length);
        Assert.Equal((uint)before - 10, await consumer.MessageCountAsync("q"));
        _volume.Empty();
        await unblocked.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await filling.WaitAsync(TimeSpan.FromSeconds(60));
        await publisher.BasicPublishAsync("", "q", mandatory: true, properties, body);
        Assert.False(bystanderBlocked);
    }
}
