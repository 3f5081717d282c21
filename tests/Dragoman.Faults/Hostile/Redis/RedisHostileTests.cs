using Dragoman.TestKit;

namespace Dragoman.Faults.Hostile.Redis;

/// <summary>
/// Whatever subscribers do, publishers go on and other subscribers hear all that is published, in order; the broker's
/// memory stays bounded.
/// </summary>
public sealed class RedisHostileTests(ITestOutputHelper output)
{
    private const long MostMemory = 900L << 20;

    [Fact]
    public async Task Subscribers_that_stop_reading_are_disconnected()
    {
        await using var server = await StartAsync();
        using var publisher = await RawRedis.ConnectAsync(server.EndPoint("redis"));
        using var good = await RawRedis.ConnectAsync(server.EndPoint("redis"));
        await good.SubscribeAsync("c");
        var stuck = new List<RawRedis>();
        for (var i = 0; i < 20; i++)
        {
            stuck.Add(await RawRedis.ConnectAsync(server.EndPoint("redis")));
            await stuck[i].SubscribeAsync("c");
        }
        var payload = new byte[64 << 10];
        // Twice the limit of each, and what the system holds for it.
        for (var n = 0; n < 1200; n++)
        {
            await publisher.PublishAsync("c", payload);
            await good.ReadMessageAsync("c", payload.Length);
        }
        await Eventually.TrueAsync(async () => await publisher.PublishAsync("c", payload) == 1 && await good.ReadMessageAsync("c", payload.Length), "only the one that reads still listens");
        foreach (var client in stuck) client.Dispose();
        var peak = ProcessMemory.Peak(server.ProcessId);
        output.WriteLine($"{peak >> 20} MiB at most");
        Assert.True(peak < MostMemory, $"{peak >> 20} MiB were resident.");
        AssertQuiet(server);
    }

    [Fact]
    public async Task Ten_thousand_subscribers_hear_everything()
    {
        const int Subscribers = 10_000;
        await using var server = await StartAsync();
        using var publisher = await RawRedis.ConnectAsync(server.EndPoint("redis"));
        var all = new List<RawRedis>();
        try
        {
            for (var i = 0; i < Subscribers; i++)
            {
                var client = await RawRedis.ConnectAsync(server.EndPoint("redis"));
                all.Add(client);
                await client.SubscribeAsync("c");
            }
            var payload = new byte[100];
            for (var n = 0; n < 5; n++)
            {
                Assert.Equal(Subscribers, await publisher.PublishAsync("c", payload));
                foreach (var client in all) await client.ReadMessageAsync("c", payload.Length);
            }
            var resident = ProcessMemory.Resident(server.ProcessId);
            output.WriteLine($"{resident >> 20} MiB resident with {Subscribers} subscribers");
            Assert.True(resident < MostMemory, $"{resident >> 20} MiB are resident.");
        }
        finally
        {
            foreach (var client in all) client.Dispose();
        }
        await Eventually.TrueAsync(async () => await publisher.PublishAsync("c", new byte[1]) == 0, "those who are gone listen no longer");
        AssertQuiet(server);
    }

    [Fact]
    public async Task A_storm_of_patterns_holds_nobody_up()
    {
        const int Patterns = 10_000;
        await using var server = await StartAsync();
        using var publisher = await RawRedis.ConnectAsync(server.EndPoint("redis"));
        using var good = await RawRedis.ConnectAsync(server.EndPoint("redis"));
        await good.SubscribeAsync("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        using var storm = await RawRedis.ConnectAsync(server.EndPoint("redis"));
        // Such as take exponential time where stars are tried at every place.
        for (var i = 0; i < Patterns; i++) await storm.SendAsync("PSUBSCRIBE", $"a*a*a*a*a*a*a*a*a*a*{i}");
        for (var i = 0; i < Patterns; i++) await storm.ReadReplyAsync();
        var payload = new byte[100];
        for (var n = 0; n < 200; n++)
        {
            Assert.Equal(1, await publisher.PublishAsync("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", payload));
            await good.ReadMessageAsync("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", payload.Length);
        }
        var peak = ProcessMemory.Peak(server.ProcessId);
        Assert.True(peak < MostMemory, $"{peak >> 20} MiB were resident.");
        AssertQuiet(server);
    }

    private static Task<DragomanServer> StartAsync() => DragomanServer.StartAsync(new ServerOptions { Listeners = ["redis"], Arguments = ["--log-level", "error"] });

    private static void AssertQuiet(DragomanServer server)
    {
        Assert.DoesNotContain("ERROR", server.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("CRIT", server.Error, StringComparison.Ordinal);
    }
}
