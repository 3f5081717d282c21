using System.Security.Cryptography;
using Confluent.Kafka;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Kafka;

public sealed class RealTextTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Theory, Rows("K6", "K7", "K9"), Uses<Kcat>, Uses<ConfluentKafka>, Uses<ConfluentKafkaPython>]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task A_real_text_goes_in_through_one_client_and_out_of_others_before_and_after_a_restart(string codec)
    {
        var text = await RealText.LinesAsync();
        var hash = Convert.ToHexString(SHA256.HashData(text));
        var topic = SharedBroker.Unique(codec);
        (await broker.Server.RunAsync("topic", "create", topic)).Succeeded();
        (await Kcat.RunAsync(broker.Kafka, text, "-P", "-t", topic, "-p", "0", "-z", codec)).Succeeded();
        Assert.Equal(hash, HashWithConfluent(topic));
        Assert.Equal(hash, await HashWithPythonAsync(topic));
        await broker.Server.RestartAsync();
        Assert.Equal(hash, await HashWithPythonAsync(topic));
        await broker.Server.KillAsync();
        await broker.Server.StartAgainAsync();
        Assert.Equal(hash, HashWithConfluent(topic));
        // What it was compressed to on the way in is what it takes on the log.
        var described = System.Text.Json.Nodes.JsonNode.Parse((await broker.Server.RunAsync("topic", "describe", topic, "--json")).Succeeded().Output)!;
        var bytes = (long)described["partitions"]![0]!["bytes"]!;
        Assert.True(codec == "none" ? bytes > text.Length : bytes < text.Length * 2L / 3, $"{text.Length} bytes of text with {codec} take {bytes} on the log");
    }

    private string HashWithConfluent(string topic)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var consumer = ConfluentKafka.Consumer(broker.Kafka);
        consumer.Assign(new TopicPartitionOffset(topic, 0, 0));
        for (var next = 0L; ; next++)
        {
            var result = ConfluentKafka.Next(consumer);
            if (result.IsPartitionEOF) return Convert.ToHexString(hash.GetHashAndReset());
            Assert.Equal(next, result.Offset.Value);
            hash.AppendData(result.Message.Value!);
            hash.AppendData("\n"u8);
        }
    }

    private async Task<string> HashWithPythonAsync(string topic) =>
        Convert.ToHexString(SHA256.HashData((await ConfluentKafkaPython.RunAsync(["copy", broker.Kafka, $$"""{"topic":"{{topic}}"}"""], null)).Succeeded().OutputBytes));
}
