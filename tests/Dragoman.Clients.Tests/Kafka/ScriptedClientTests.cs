using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

/// <summary>What every client of another language must be able to do. A class for each of them says which it is.</summary>
public abstract class ScriptedClientTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private protected string Broker => broker.Kafka;

    private protected async Task<string> CreateAsync(params string[] options)
    {
        var topic = SharedBroker.Unique("t");
        (await broker.Server.RunAsync(["topic", "create", topic, .. options])).Succeeded();
        return topic;
    }

    private protected static IEnumerable<KafkaRecord> Numbers(int count, int size = 40) =>
        Enumerable.Range(0, count).Select(i => KafkaRecord.Of($"{i}", $"{i} and the same again".PadRight(size)) with { Partition = 0, Timestamp = 1_000_000 + (i * 10L) });

    private protected static void AssertSame(IEnumerable<KafkaRecord> sent, IReadOnlyList<KafkaRecord> read)
    {
        var expected = sent.ToList();
        Assert.Equal(expected.Count, read.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal(i, read[i].Offset);
            Assert.Equal(expected[i].Key, read[i].Key);
            Assert.Equal(expected[i].Value, read[i].Value);
            Assert.Equal(expected[i].Timestamp, read[i].Timestamp);
            Assert.Equal(expected[i].Headers, read[i].Headers, (a, b) => a.Name == b.Name && a.Value.AsSpan().SequenceEqual(b.Value) && a.Value is null == b.Value is null);
        }
    }

    private protected async Task RoundTripAsync<TClient>(string codec)
        where TClient : IKafkaScript
    {
        var topic = await CreateAsync();
        var records = Numbers(3_000).ToList();
        await KafkaScript<TClient>.SendAsync(Broker, records, new { topic, codec });
        AssertSame(records, await KafkaScript<TClient>.ConsumeAsync(Broker, new { topic }));
        // From the middle of a batch on, and with limits below a batch.
        var rest = await KafkaScript<TClient>.ConsumeAsync(Broker, new { topic, from = 1_234, maxBytes = 100 });
        Assert.Equal(records.Skip(1_234).Select(r => r.Text), rest.Select(r => r.Text));
    }

    private protected async Task NullsHeadersAndTimesAsync<TClient>()
        where TClient : IKafkaScript
    {
        var topic = await CreateAsync();
        KafkaRecord[] records =
        [
            new(null, []) { Partition = 0, Timestamp = 1_600_000_000_123 },
            new([], null) { Partition = 0, Timestamp = 1_600_000_000_122 },
            new([0, 255], [10, 13, 0]) { Partition = 0, Timestamp = 1_600_000_000_124, Headers = [("b", [1]), ("b", []), ("ü", [2])] },
        ];
        await KafkaScript<TClient>.SendAsync(Broker, records, new { topic });
        var read = await KafkaScript<TClient>.ConsumeAsync(Broker, new { topic });
        AssertSame(records, read);
        Assert.All(read, r => Assert.True(r.TimestampType is 0 or null));
        var stamped = await CreateAsync("--timestamp-type", "logAppendTime");
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await KafkaScript<TClient>.SendAsync(Broker, records, new { topic = stamped });
        read = await KafkaScript<TClient>.ConsumeAsync(Broker, new { topic = stamped });
        Assert.Equal(3, read.Count);
        Assert.All(read, r => Assert.True(r.TimestampType is 1 or null));
        Assert.All(read, r => Assert.InRange(r.Timestamp!.Value, before, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
    }

    private protected async Task AcknowledgementsAsync<TClient>(string acks)
        where TClient : IKafkaScript
    {
        var topic = await CreateAsync();
        var answers = await KafkaScript<TClient>.ProduceAsync(Broker, Numbers(10), new { topic, acks });
        if (acks != "0") Assert.All(answers, a => Assert.InRange((long)a["offset"]!, 0, 9));
        // Nothing says when an unacknowledged record is there.
        await Eventually.TrueAsync(async () => (await KafkaScript<TClient>.OffsetsAsync(Broker, topic)).End == 10, "the records are there");
        AssertSame(Numbers(10), await KafkaScript<TClient>.ConsumeAsync(Broker, new { topic }));
    }

    private protected async Task OffsetsAsync<TClient>()
        where TClient : IKafkaScript
    {
        var topic = await CreateAsync();
        await KafkaScript<TClient>.SendAsync(Broker, Numbers(100), new { topic });
        var (beginning, end, times) = await KafkaScript<TClient>.OffsetsAsync(Broker, topic, 0, 1_000_001, 1_000_500, 1_000_990, 1_000_991);
        Assert.Equal((0, 100), (beginning, end));
        Assert.Equal([0, 1, 50, 99, null], times);
    }

    private protected async Task TooLargeAsync<TClient>(params string[] errors)
        where TClient : IKafkaScript
    {
        var topic = await CreateAsync("--max-message-bytes", "2KiB");
        var refused = Assert.Single(await KafkaScript<TClient>.ProduceAsync(Broker, [KafkaRecord.Of("k", new string('x', 5_000)) with { Partition = 0 }], new { topic }));
        Assert.Contains((string?)refused["error"], errors);
        await KafkaScript<TClient>.SendAsync(Broker, [KafkaRecord.Of("k", "small") with { Partition = 0 }], new { topic });
        Assert.Equal("small", Assert.Single(await KafkaScript<TClient>.ConsumeAsync(Broker, new { topic })).Text);
    }

    private protected async Task AutomaticTopicAsync<TClient>()
        where TClient : IKafkaScript
    {
        var topic = SharedBroker.Unique("auto");
        await KafkaScript<TClient>.SendAsync(Broker, [KafkaRecord.Of("k", "v")], new { topic });
        Assert.Equal("v", Assert.Single(await KafkaScript<TClient>.ConsumeAsync(Broker, new { topic })).Text);
    }

    private protected async Task TopicsAsync<TClient>(string exists, string unknown)
        where TClient : IKafkaScript
    {
        var topic = SharedBroker.Unique("t");
        var configs = new Dictionary<string, string> { ["retention.ms"] = "3600000" };
        Assert.Null((await AskAsync(new { action = "create", topic, partitions = 3, configs }))["error"]);
        Assert.Equal(exists, (string?)(await AskAsync(new { action = "create", topic, partitions = 3 }))["error"]);
        Assert.Contains(topic, Topics(await AskAsync(new { action = "list", topic })));
        Assert.Equal([0, 1, 2], (await AskAsync(new { action = "describe", topic }))["partitions"]!.AsArray().Select(p => (int)p!));
        Assert.Null((await AskAsync(new { action = "grow", topic, partitions = 5 }))["error"]);
        Assert.Equal(5, (await AskAsync(new { action = "describe", topic }))["partitions"]!.AsArray().Count);
        var described = await AskAsync(new { action = "configs", topic });
        Assert.Equal("3600000", (string?)described["retention.ms"]);
        Assert.Equal("delete", (string?)described["cleanup.policy"]);
        var cluster = await AskAsync(new { action = "cluster", topic });
        var node = Assert.Single(cluster["brokers"]!.AsArray())!;
        Assert.Equal((1, "127.0.0.1", broker.Server.Port("kafka")), ((int)node["node_id"]!, (string?)node["host"], (int)node["port"]!));
        Assert.Equal(1, (int)cluster["controller"]!);
        Assert.Null((await AskAsync(new { action = "delete", topic }))["error"]);
        Assert.DoesNotContain(topic, Topics(await AskAsync(new { action = "list", topic })));
        Assert.Equal(unknown, (string?)(await AskAsync(new { action = "delete", topic }))["error"]);

        Task<System.Text.Json.Nodes.JsonNode> AskAsync(object options) => KafkaScript<TClient>.AdminAsync(Broker, options);
        static IEnumerable<string?> Topics(System.Text.Json.Nodes.JsonNode answer) => answer["topics"]!.AsArray().Select(t => (string?)t);
    }
}
