using System.Text;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Links.Tests;

/// <summary>A broker in a process of its own: Dragoman's, or Debian's RabbitMQ.</summary>
internal sealed class Upstream(DragomanServer? dragoman, RealRabbitMq? rabbit) : IAsyncDisposable
{
    public string Uri => rabbit?.Uri ?? $"amqp://guest:guest@{dragoman!.Address("amqp")}/%2F";

    public static async Task<Upstream> StartAsync(bool isRabbit) =>
        isRabbit ? new Upstream(null, await RealRabbitMq.StartAsync()) : new Upstream(await DragomanServer.StartAsync(new ServerOptions { Listeners = ["amqp", "admin"] }), null);

    /// <summary>Publishes messages whose bodies are their routing keys.</summary>
    public Task PublishAsync(string exchange, params IReadOnlyList<string> keys) => AmqpClient.OnChannelAsync(Uri, async channel =>
    {
        foreach (var key in keys) await channel.BasicPublishAsync(exchange, key, mandatory: false, new BasicProperties { DeliveryMode = DeliveryModes.Persistent }, Encoding.UTF8.GetBytes(key));
        return 0;
    }, confirms: true);

    /// <summary>Stops it in good order and starts it again.</summary>
    public async Task RestartAsync()
    {
        if (rabbit is not null)
        {
            await rabbit.StopAsync();
            await rabbit.StartAgainAsync();
            return;
        }
        await dragoman!.StopAsync();
        await dragoman.StartAgainAsync();
    }

    /// <summary>Kills it.</summary>
    public async Task KillAsync()
    {
        if (rabbit is not null) await rabbit.KillAsync();
        else await dragoman!.KillAsync();
    }

    /// <summary>Starts it again.</summary>
    public Task StartAgainAsync() => rabbit?.StartAgainAsync() ?? dragoman!.StartAgainAsync();

    public ValueTask DisposeAsync() => rabbit?.DisposeAsync() ?? dragoman!.DisposeAsync();
}
