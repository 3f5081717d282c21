using Confluent.Kafka.Admin;
using Dragoman.Faults.Load;
using Dragoman.TestKit;

namespace Dragoman.Faults.Kills;

/// <summary><c>kill -9</c> under idempotent load: what was acknowledged is there, in order, and none of it twice.</summary>
public sealed class KafkaKillTests(ITestOutputHelper output)
{
    private const string Topic = "orders";
    private const int Partitions = 4;

    [Theory]
    [InlineData("fsync")]
    [InlineData("written")]
    public async Task Every_acknowledged_record_survives_in_order_and_once(string mode)
    {
        // Journal files as small as they may be: kills also meet rolls, checkpoints and file switches.
        await using var server = await DragomanServer.StartAsync("--journal-file-size", "1MiB", "--commit-mode", mode);
        await CreateTopicAsync(server);
        await using var load = KafkaLoad.Start(server.Address("kafka"), Topic, Partitions, producers: 3);
        await using var reader = new FollowingReader(server.Address("kafka"), Topic, Partitions);
        // The two modes share the number of kills.
        await new KillCampaign(server, load, output.WriteLine, Random.Shared.Next()).RunAsync(mode == "fsync" ? (Counts.Kills + 1) / 2 : Counts.Kills / 2);
        var acknowledged = await load.FinishAsync();
        for (var partition = 0; partition < Partitions; partition++)
        {
            var records = KafkaReader.ReadAll(server.Address("kafka"), Topic, partition);
            acknowledged.AssertAllIn(partition, records);
            await reader.AssertSeenIsKeptAsync(partition, records);
        }
        output.WriteLine($"{acknowledged.Count} records acknowledged and found; a reader saw {reader.Count} of them on the way");
        Assert.True(reader.Count > 0, "The reader that followed saw nothing.");
    }

    private static async Task CreateTopicAsync(DragomanServer server)
    {
        using var admin = new Confluent.Kafka.AdminClientBuilder(new Confluent.Kafka.AdminClientConfig { BootstrapServers = server.Address("kafka") }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = Topic, NumPartitions = Partitions }]);
    }
}
