using System.Text;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Clients.Tests.Amqp;

/// <summary>Restarts and crashes, with a client that recovers by itself.</summary>
[Uses<RabbitMqClient>]
public sealed class RabbitMqClientRecoveryTests
{
    [Theory, Rows("R9", "R13", "R20")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_recovers_its_topology_and_consumers_over_a_restart(bool crash)
    {
        await using var server = await DragomanServer.StartAsync();
        await using var connection = await RabbitMqClient.ConnectAsync(server.Port("amqp"), recovers: true);
        var recovered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.RecoverySucceededAsync += (_, _) =>
        {
            recovered.TrySetResult();
            return Task.CompletedTask;
        };
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        await channel.QueueDeclareAsync("work", durable: true, exclusive: false, autoDelete: false);
        await channel.ExchangeDeclareAsync("ex", ExchangeType.Direct, durable: true);
        await channel.QueueBindAsync("work", "ex", "k");
        var own = (await channel.QueueDeclareAsync()).QueueName;
        await channel.QueueBindAsync(own, "ex", "own");
        await channel.BasicQosAsync(0, 2, global: false);
        var inbox = await Inbox.OpenAsync(channel, "work", autoAck: false);
        for (var i = 0; i < 4; i++) await channel.BasicPublishAsync("ex", "k", mandatory: true, new BasicProperties { Persistent = true }, Encoding.UTF8.GetBytes($"{i}"));
        var held = new[] { await inbox.NextAsync(), await inbox.NextAsync() };
        await channel.BasicAckAsync(held[0].DeliveryTag, multiple: false);
        Assert.Equal("2", Encoding.UTF8.GetString((await inbox.NextAsync()).Body.Span));
        if (crash) await server.KillAsync();
        else if (await server.StopAsync() is not 0 and var code) Assert.Fail($"The broker ended with {code}: {server.Error}");
        await server.StartAgainAsync();
        await recovered.Task.WaitAsync(RabbitMqClient.Patience);
        // What was not acknowledged comes again. An acknowledgement that a crash was quicker than may be lost, and then so does its message.
        var again = new List<string>();
        while (again.Count < 2 || again[^1] != "3")
        {
            var message = await inbox.NextAsync();
            await channel.BasicAckAsync(message.DeliveryTag, multiple: false);
            again.Add(Encoding.UTF8.GetString(message.Body.Span));
        }
        Assert.Equal(["1", "2", "3"], again.SkipWhile(text => crash && text == "0"));
        // The exclusive queue, whose name the server had chosen, is there again too.
        await channel.BasicPublishAsync("ex", "own", mandatory: true, "mine"u8.ToArray());
    }

    [Fact, Rows("R9", "R20")]
    public async Task Confirmed_messages_survive_a_crash()
    {
        await using var server = await DragomanServer.StartAsync();
        var confirmed = 0;
        await using (var connection = await RabbitMqClient.ConnectAsync(server.Port("amqp")))
        {
            await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
            await channel.QueueDeclareAsync("q", durable: true, exclusive: false, autoDelete: false);
            var publishing = Task.Run(async () =>
            {
                for (var i = 0; ; i++)
                {
                    await channel.BasicPublishAsync("", "q", mandatory: true, new BasicProperties { Persistent = true }, Encoding.UTF8.GetBytes($"{i}"));
                    Volatile.Write(ref confirmed, i + 1);
                }
            });
            await Eventually.TrueAsync(() => Volatile.Read(ref confirmed) > 200, "messages are confirmed");
            await server.KillAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => publishing.WaitAsync(RabbitMqClient.Patience));
        }
        await server.StartAgainAsync();
        await using var again = await RabbitMqClient.ConnectAsync(server.Port("amqp"));
        await using var reading = await again.CreateChannelAsync();
        var inbox = await Inbox.OpenAsync(reading, "q");
        Assert.Equal(Enumerable.Range(0, confirmed).Select(i => $"{i}"), await inbox.NextTextsAsync(confirmed));
    }
}
