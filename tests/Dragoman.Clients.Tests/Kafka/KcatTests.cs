using System.Text.RegularExpressions;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<Kcat>]
public sealed class KcatTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Fact, Rows("K1", "K2")]
    public async Task It_negotiates_versions_and_sees_the_old_minimum_that_it_needs_to_compress()
    {
        var result = await Kcat.RunAsync(broker.Kafka, (byte[]?)null, "-L", "-X", "debug=feature");
        result.Succeeded();
        Assert.Matches(@"ApiKey Produce \(0\) Versions 0\.\.1\d", result.Error);
        // Features that librdkafka has only where the ranges of several APIs suit it.
        foreach (var feature in new[] { "MsgVer2", "LZ4", "ZSTD", "IdempotentProducer", "OffsetTime" }) Assert.Contains($"Enabling feature {feature}\n", result.Error);
    }

    [Fact, Rows("K4")]
    public async Task It_lists_topics_and_partitions()
    {
        var (one, three) = (SharedBroker.Unique("one"), SharedBroker.Unique("three"));
        foreach (var (topic, partitions) in new[] { (one, 1), (three, 3) }) (await broker.Server.RunAsync("topic", "create", topic, "--partitions", $"{partitions}")).Succeeded();
        var all = (await Kcat.RunAsync(broker.Kafka, (byte[]?)null, "-L")).Succeeded().Output;
        Assert.Contains($"broker 1 at {broker.Kafka} (controller)", all);
        Assert.Contains($"topic \"{one}\" with 1 partitions:", all);
        Assert.Contains($"topic \"{three}\" with 3 partitions:", all);
        var named = (await Kcat.RunAsync(broker.Kafka, (byte[]?)null, "-L", "-t", three)).Succeeded().Output;
        Assert.DoesNotContain(one, named);
        Assert.Contains("partition 2, leader 1, replicas: 1, isrs: 1", named);
    }

    [Fact, Rows("K4", "K9")]
    public async Task A_producer_makes_the_topic_and_a_consumer_reads_it_to_the_end()
    {
        var topic = SharedBroker.Unique("auto");
        await Kcat.ProduceAsync(broker.Kafka, topic, "one\ntwo\nthree\n");
        Assert.Equal("0 one\n1 two\n2 three\n", await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "beginning", "-f", "%o %s\n"));
        Assert.Equal("2 three\n", await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "-1", "-f", "%o %s\n"));
        Assert.Equal("1 two\n2 three\n", await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "1", "-f", "%o %s\n"));
    }

    [Fact, Rows("K29")]
    public async Task Keys_headers_and_null_come_back()
    {
        var topic = SharedBroker.Unique("headers");
        await Kcat.ProduceAsync(broker.Kafka, topic, "k1:v1\n:empty key\nk3:\n", "-K:", "-H", "a=1", "-H", "a=2", "-H", "empty=");
        await Kcat.ProduceAsync(broker.Kafka, topic, "k4:\n:both\n", "-K:", "-Z");
        Assert.Equal(
            "k1(2)=v1(2) a=1,a=2,empty=\n(0)=empty key(9) a=1,a=2,empty=\nk3(2)=(0) a=1,a=2,empty=\nk4(2)=(-1) \n(-1)=both(4) \n",
            await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "beginning", "-f", "%k(%K)=%s(%S) %h\n"));
    }

    [Theory, Rows("K6", "K7")]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Batches_stay_compressed_as_they_came(string codec)
    {
        var topic = SharedBroker.Unique(codec);
        var text = string.Concat(Enumerable.Range(0, 2_000).Select(i => $"line {i} of a text that says the same again and again\n"));
        await Kcat.ProduceAsync(broker.Kafka, topic, text, "-z", codec, "-X", "linger.ms=200");
        Assert.Equal(text, await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "beginning", "-X", "check.crcs=true"));
        var described = System.Text.Json.Nodes.JsonNode.Parse((await broker.Server.RunAsync("topic", "describe", topic, "--json")).Succeeded().Output)!;
        var bytes = (long)described["partitions"]![0]!["bytes"]!;
        Assert.True(codec == "none" ? bytes > text.Length : bytes < text.Length / 2, $"{text.Length} bytes of text with {codec} take {bytes} on the log");
    }

    [Theory, Rows("K8")]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("-1")]
    public async Task Every_kind_of_acknowledgement(string acks)
    {
        var topic = SharedBroker.Unique("acks");
        (await broker.Server.RunAsync("topic", "create", topic)).Succeeded();
        var lines = string.Concat(Enumerable.Range(0, 500).Select(i => $"{i}\n"));
        await Kcat.ProduceAsync(broker.Kafka, topic, lines, "-X", $"acks={acks}");
        await TestKit.Eventually.TrueAsync(async () => await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "beginning") == lines, "what was sent is there");
    }

    [Fact, Rows("K10")]
    public async Task Offsets_are_found_by_time()
    {
        var topic = SharedBroker.Unique("times");
        await Kcat.ProduceAsync(broker.Kafka, topic, "a\nb\n");
        await Task.Delay(20, TestContext.Current.CancellationToken);
        await Kcat.ProduceAsync(broker.Kafka, topic, "c\n");
        var times = (await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "beginning", "-f", "%T\n")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, times.Length);
        var third = long.Parse(times[2]);
        var asked = (await Kcat.RunAsync(broker.Kafka, (byte[]?)null, "-Q", "-t", $"{topic}:0:{third}", "-t", $"{topic}:0:-1", "-t", $"{topic}:0:-2")).Succeeded().Output;
        Assert.Contains($"{topic} [0] offset", asked);
        Assert.Equal("c\n", await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", $"s@{third}"));
        Assert.Equal("a\nb\n", await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "beginning", "-o", $"e@{third}"));
    }

    [Fact, Rows("K28")]
    public async Task Errors_have_the_codes_that_it_knows()
    {
        var missing = await Kcat.RunAsync(broker.Kafka, (byte[]?)null, "-C", "-t", SharedBroker.Unique("missing"), "-e");
        Assert.NotEqual(0, missing.ExitCode);
        Assert.Contains("Unknown topic or partition", missing.Error);
        var topic = SharedBroker.Unique("one");
        await Kcat.ProduceAsync(broker.Kafka, topic, "a\n");
        var partition = await Kcat.RunAsync(broker.Kafka, "x\n", "-P", "-t", topic, "-p", "7");
        Assert.NotEqual(0, partition.ExitCode);
        Assert.Matches(new Regex("unknown partition", RegexOptions.IgnoreCase), partition.Error);
    }

    [Fact, Rows("K14")]
    public async Task An_idempotent_producer_works()
    {
        var topic = SharedBroker.Unique("idempotent");
        var lines = string.Concat(Enumerable.Range(0, 5_000).Select(i => $"{i}\n"));
        await Kcat.ProduceAsync(broker.Kafka, topic, lines, "-X", "enable.idempotence=true", "-X", "batch.num.messages=50");
        Assert.Equal(lines, await Kcat.ConsumeAsync(broker.Kafka, topic, "-o", "beginning"));
    }
}
