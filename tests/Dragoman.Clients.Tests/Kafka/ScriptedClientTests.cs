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

    private protected async Task GroupAsync<TClient>(string? assignor = null)
        where TClient : IKafkaScript
    {
        var topic = await CreateAsync("--partitions", "4");
        var group = SharedBroker.Unique("g");
        object options = new { topic, group, assignor = assignor ?? "range" };
        async Task SendAsync(int from, int count) => await KafkaScript<TClient>.SendAsync(
            Broker, Enumerable.Range(from, count).Select(i => KafkaRecord.Of($"{i}", $"{i}") with { Partition = i % 4 }), new { topic });
        static void AssertReads(int count, params ScriptedMember[] members) =>
            Assert.Equal(Enumerable.Range(0, count).Select(i => $"{i}").Order(), members.SelectMany(m => m.Read).Order());

        await using var first = ScriptedMember.Start<TClient>(Broker, options);
        await ScriptedMember.SharedOutAsync(4, first);
        await SendAsync(0, 20);
        await Eventually.TrueAsync(() => first.Read.Count == 20, "the first reads all there is");
        await using var second = ScriptedMember.Start<TClient>(Broker, options);
        await ScriptedMember.SharedOutAsync(4, first, second);
        Assert.Equal(2, first.Assigned.Count);
        await SendAsync(20, 40);
        await Eventually.TrueAsync(() => first.Read.Count + second.Read.Count == 60, "both read what is theirs");
        Assert.NotEmpty(second.Read);
        // What leaves gives its share back at once; what is killed when its session ends.
        await second.LeaveAsync();
        await ScriptedMember.SharedOutAsync(4, first);
        await using var third = ScriptedMember.Start<TClient>(Broker, options);
        await ScriptedMember.SharedOutAsync(4, first, third);
        await first.DisposeAsync();
        await ScriptedMember.SharedOutAsync(4, third);
        await SendAsync(60, 20);
        await Eventually.TrueAsync(() => first.Read.Count + second.Read.Count + third.Read.Count == 80, "the last one reads all that comes");
        AssertReads(80, first, second, third);
        await third.LeaveAsync();
        // The group is where it was for whoever comes next.
        await SendAsync(80, 4);
        await using var last = ScriptedMember.Start<TClient>(Broker, options);
        await Eventually.TrueAsync(() => last.Read.Count == 4, "the next one goes on where they stopped");
        AssertReads(84, first, second, third, last);
        await last.LeaveAsync();
    }

    private protected async Task GroupAdminAsync<TClient>(string? notEmpty)
        where TClient : IKafkaScript
    {
        var topic = await CreateAsync("--partitions", "2");
        var group = SharedBroker.Unique("g");
        await KafkaScript<TClient>.SendAsync(Broker, Enumerable.Range(0, 10).Select(i => KafkaRecord.Of("k", $"{i}") with { Partition = i % 2 }), new { topic });
        await using (var member = ScriptedMember.Start<TClient>(Broker, new { topic, group }))
        {
            await Eventually.TrueAsync(() => member.Read.Count == 10, "all is read");
            Assert.Contains(group, (await AskAsync("groups"))["groups"]!.AsArray().Select(g => (string?)g));
            var described = await AskAsync("group");
            Assert.Equal(("Stable", 1), ((string?)described["state"], (int)described["members"]!));
            Assert.NotEqual("", (string?)described["protocol"]);
            if (notEmpty is not null) Assert.Equal(notEmpty, (string?)(await AskAsync("deleteGroup"))["error"]);
            await member.LeaveAsync();
        }
        var empty = await AskAsync("group");
        Assert.Equal(("Empty", 0), ((string?)empty["state"], (int)empty["members"]!));
        var offsets = await AskAsync("groupOffsets");
        Assert.Equal((5, 5), ((int)offsets["0"]!, (int)offsets["1"]!));
        if (notEmpty is null) return;
        Assert.Null((await AskAsync("deleteGroup"))["error"]);
        Assert.DoesNotContain(group, (await AskAsync("groups"))["groups"]!.AsArray().Select(g => (string?)g));

        Task<System.Text.Json.Nodes.JsonNode> AskAsync(string action) => KafkaScript<TClient>.AdminAsync(Broker, new { action, topic, group });
    }

    private protected async Task TransactionAsync<TClient>()
        where TClient : IKafkaScript
    {
        var (input, topic) = (await CreateAsync(), await CreateAsync());
        var (group, id) = (SharedBroker.Unique("g"), SharedBroker.Unique("x"));
        static IEnumerable<KafkaRecord> Named(string name) => Enumerable.Range(0, 50).Select(i => KafkaRecord.Of(name, $"{name}{i}") with { Partition = 0 });
        async Task<int?> GroupIsAtAsync() => (int?)(await KafkaScript<TClient>.AdminAsync(Broker, new { action = "groupOffsets", topic = input, group }))["0"];

        await KafkaScript<TClient>.TransactAsync(Broker, Named("a"), new { topic, id, commit = true, input, group, offsets = new Dictionary<string, int> { ["0"] = 7 } });
        Assert.Equal(7, await GroupIsAtAsync());
        await KafkaScript<TClient>.TransactAsync(Broker, Named("b"), new { topic, id, commit = false, input, group, offsets = new Dictionary<string, int> { ["0"] = 9 } });
        Assert.Equal(7, await GroupIsAtAsync());
        await KafkaScript<TClient>.TransactAsync(Broker, Named("c"), new { topic, id, commit = true });
        var committed = await KafkaScript<TClient>.ConsumeAsync(Broker, new { topic, isolation = "read_committed", count = 100 });
        Assert.Equal([.. Named("a").Select(r => r.Text), .. Named("c").Select(r => r.Text)], committed.Select(r => r.Text));
        var all = await KafkaScript<TClient>.ConsumeAsync(Broker, new { topic, isolation = "read_uncommitted", count = 150 });
        Assert.Equal([.. Named("a").Select(r => r.Text), .. Named("b").Select(r => r.Text), .. Named("c").Select(r => r.Text)], all.Select(r => r.Text));
    }
}
