using System.Globalization;
using System.Text.Json;
using Dragoman.Broker;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Dragoman.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Links.Tests;

/// <summary>Shovels of a Dragoman that is killed while messages flow, and whose other end is killed as well.</summary>
public sealed class KillTests
{
    // A soak has larger counts.
    private static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("DRAGOMAN_KILLS") ?? "2", CultureInfo.InvariantCulture) is var kills && kills > 5 ? kills / 5 : 2;

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Nothing_is_lost_or_doubled_when_both_sides_are_killed_in_turn(bool isRabbit, bool fromOther)
    {
        await using var other = await Upstream.StartAsync(isRabbit);
        using var workspace = new Workspace();
        await SetShovelAsync(workspace.Data, new Dictionary<string, object>
        {
            ["src-uri"] = fromOther ? other.Uri : "amqp://",
            ["src-queue"] = "from",
            ["dest-uri"] = fromOther ? "amqp://" : other.Uri,
            ["dest-queue"] = "to",
            ["src-prefetch-count"] = 200,
            ["reconnect-delay"] = 0.2,
        });
        await using var dragoman = await DragomanServer.StartAsync(new ServerOptions { Listeners = ["amqp", "admin"], Data = workspace.Data });
        var here = $"amqp://guest:guest@{dragoman.Address("amqp")}/%2F";
        var (from, to) = fromOther ? (other.Uri, here) : (here, other.Uri);
        await AmqpClient.DeclareAsync(from, "from");
        await AmqpClient.DeclareAsync(to, "to");
        var published = 0;
        for (var kill = 0; kill < 2 * Kills; kill++)
        {
            await AmqpClient.PublishAsync(from, "from", published, 2000);
            published += 2000;
            // Somewhere in the middle of it, as far as can be told.
            var goal = published - 2000 + Random.Shared.Next(100, 1500);
            await Eventually.TrueAsync(async () => await AmqpClient.CountAsync(to, "to") >= goal, $"{goal} have come", TimeSpan.FromMinutes(2));
            if (kill % 2 == 0)
            {
                await dragoman.KillAsync();
                await dragoman.StartAgainAsync();
            }
            else
            {
                await other.KillAsync();
                await other.StartAgainAsync();
            }
        }
        await AmqpClient.HoldsOnceAsync(to, "to", published);
        Assert.Equal(0u, await AmqpClient.CountAsync(from, "from"));
    }

    /// <summary>Defines a shovel in a store that nobody serves yet.</summary>
    internal static async Task SetShovelAsync(string directory, object definition)
    {
        await using var broker = await Dragoman.Broker.Broker.StartAsync(
            new BrokerOptions { Store = new StoreOptions { Directory = directory, HeadroomBytes = 0 } }, new OsFileSystem(), TimeProvider.System, ThreadPoolScheduler.Instance, new Random());
        await using var links = new Links(broker, NullLoggerFactory.Instance);
        var answer = await broker.Parameters.SetAsync(ParameterKey.Of(NamespaceName.Default, Links.ShovelComponent, "s"), JsonSerializer.SerializeToElement(definition));
        Assert.Equal((ParameterStatus.Ok, null), (answer.Status, answer.Message));
    }
}
