using Dragoman.Broker.Links;
using Dragoman.TestKit;

namespace Dragoman.Links.Tests;

/// <summary>Shovels from and to Debian's rabbitmq-server, which is stopped, killed and started again while messages flow.</summary>
public sealed class RabbitMqTests
{
    private const int Messages = 6000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_is_lost_or_doubled_over_restarts_of_either_side(bool fromRabbit)
    {
        await using var rabbit = await RealRabbitMq.StartAsync();
        await using var local = await LocalBroker.StartAsync();
        var (from, to) = fromRabbit ? (rabbit.Uri, local.Uri) : (local.Uri, rabbit.Uri);
        await AmqpClient.DeclareAsync(from, "from");
        await AmqpClient.PublishAsync(from, "from", 0, Messages);
        await local.ShovelAsync("s", new Dictionary<string, object>
        {
            ["src-uri"] = fromRabbit ? rabbit.Uri : "amqp://",
            ["src-queue"] = "from",
            ["dest-uri"] = fromRabbit ? "amqp://" : rabbit.Uri,
            ["dest-queue"] = "to",
            ["src-prefetch-count"] = 100,
            ["reconnect-delay"] = 1,
        });
        await RunsAsync(local, 500);
        await rabbit.StopAsync();
        await rabbit.StartAgainAsync();
        await RunsAsync(local, 1000);
        await rabbit.KillAsync();
        await rabbit.StartAgainAsync();
        await RunsAsync(local, 1500);
        await local.RestartAsync();
        await AmqpClient.HoldsOnceAsync(to, "to", Messages);
    }

    private static Task RunsAsync(LocalBroker local, int forwarded) =>
        Eventually.TrueAsync(() => local.Shovel("s").Status is { State: LinkState.Running } status && status.Forwarded >= forwarded, $"the shovel has carried {forwarded}", TimeSpan.FromMinutes(2));
}
