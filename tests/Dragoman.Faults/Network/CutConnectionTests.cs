using System.Globalization;
using System.Net;
using Dragoman.Faults.Load;
using Dragoman.TestKit;

namespace Dragoman.Faults.Network;

/// <summary>Connections that break in the midst of requests and answers: nothing is lost, and nothing is there twice.</summary>
public sealed class CutConnectionTests(ITestOutputHelper output)
{
    private const string Topic = "orders";
    private const int Partitions = 2;

    [Fact]
    public async Task Idempotent_producers_lose_and_repeat_nothing_when_connections_break()
    {
        var port = FreePort.Next();
        await using var server = await DragomanServer.StartAsync("--partitions", "2", "--advertised-port", port.ToString(CultureInfo.InvariantCulture));
        var seed = Random.Shared.Next();
        // Clients connect again after a while, so few bytes a connection is what makes many cuts.
        await using var proxy = new CuttingProxy(new IPEndPoint(IPAddress.Loopback, port), server.EndPoint("kafka"), seed, mostBytes: 60_000);
        var address = $"127.0.0.1:{port}";
        await using var load = KafkaLoad.Start(address, Topic, Partitions, producers: 3, window: 100);
        await using var reader = new FollowingReader(address, Topic, Partitions);
        var wanted = Counts.Kills * 10;
        await Eventually.TrueAsync(() => load.Failure is not null || (proxy.CutsInRequests >= wanted && load.Acknowledged >= 1000), $"{wanted} connections cut in the midst of requests", TimeSpan.FromMinutes(5));
        proxy.IsCutting = false;
        var kept = await load.FinishAsync();
        output.WriteLine($"seed {seed}: {proxy.Cuts} connections cut, {proxy.CutsInRequests} in the midst of a request; {kept.Count} records acknowledged");
        for (var partition = 0; partition < Partitions; partition++)
        {
            var records = KafkaReader.ReadAll(address, Topic, partition);
            kept.AssertAllIn(partition, records);
            await reader.AssertSeenIsKeptAsync(partition, records);
        }
    }
}
