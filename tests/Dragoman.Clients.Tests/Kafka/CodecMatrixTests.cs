using Confluent.Kafka;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

/// <summary>What any client writes, with whatever codec it has, any other reads.</summary>
[Uses<ConfluentKafka>, Uses<ConfluentKafkaPython>, Uses<KafkaJs>, Uses<KafkaPython>, Uses<Kcat>]
public sealed class CodecMatrixTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private const int Each = 500;

    [Theory, Rows("K3", "K6", "K7", "K9")]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Every_client_reads_what_every_other_wrote(string codec)
    {
        var topic = SharedBroker.Unique(codec);
        (await broker.Server.RunAsync("topic", "create", topic)).Succeeded();
        var expected = new List<string>();
        foreach (var writer in Peers().Where(p => p.Writes.Contains(codec)))
        {
            var lines = Enumerable.Range(0, Each).Select(i => $"{writer.Name} wrote {i}, and again, and again, and again").ToList();
            await writer.WriteAsync(topic, codec, lines);
            expected.AddRange(lines);
        }
        Assert.True(expected.Count >= 3 * Each);
        foreach (var reader in Peers().Where(p => p.Reads.Contains(codec))) Assert.Equal(expected, await reader.ReadAsync(topic));
    }

    private sealed record Peer(
        string Name, IReadOnlyList<string> Writes, IReadOnlyList<string> Reads, Func<string, string, List<string>, Task> WriteAsync, Func<string, Task<List<string>>> ReadAsync);

    private IEnumerable<Peer> Peers()
    {
        string[] all = ["none", "gzip", "snappy", "lz4", "zstd"];
        yield return new Peer(
            Kcat.Name, all, all,
            (topic, codec, lines) => Kcat.ProduceAsync(broker.Kafka, topic, string.Concat(lines.Select(l => l + "\n")), "-z", codec, "-X", "linger.ms=100"),
            async topic => [.. (await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "beginning")).Split('\n', StringSplitOptions.RemoveEmptyEntries)]);
        yield return new Peer(ConfluentKafka.Name, all, all, WriteWithConfluentAsync, ReadWithConfluentAsync);
        yield return Scripted<ConfluentKafkaPython>();
        yield return Scripted<KafkaPython>();
        yield return Scripted<KafkaJs>();
    }

    private Peer Scripted<TClient>()
        where TClient : IKafkaScript => new(
            TClient.Name, TClient.Writes, TClient.Reads,
            (topic, codec, lines) => KafkaScript<TClient>.SendAsync(broker.Kafka, lines.Select(l => KafkaRecord.Of(null, l) with { Partition = 0 }), new { topic, codec }),
            async topic => [.. (await KafkaScript<TClient>.ConsumeAsync(broker.Kafka, new { topic })).Select(r => r.Text)]);

    private Task WriteWithConfluentAsync(string topic, string codec, List<string> lines)
    {
        using var producer = ConfluentKafka.Producer(broker.Kafka, null, ("compression.type", codec), ("linger.ms", "50"));
        foreach (var line in lines) producer.Produce(topic, new() { Value = System.Text.Encoding.UTF8.GetBytes(line) });
        Assert.Equal(0, producer.Flush(ConfluentKafka.Patience));
        return Task.CompletedTask;
    }

    private Task<List<string>> ReadWithConfluentAsync(string topic) =>
        Task.FromResult(ConfluentKafka.ReadAll(broker.Kafka, new TopicPartition(topic, 0)).Select(r => System.Text.Encoding.UTF8.GetString(r.Message.Value!)).ToList());
}
