using System.Buffers.Binary;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Tests.Handlers;

public sealed class ConnectionTests
{
    [Fact]
    [Trait("Row", "K1")]
    [Trait("Row", "K2")]
    public async Task Api_versions_list_what_is_served_and_two_ranges_that_old_clients_need()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        for (short version = 0; version <= 4; version++)
        {
            var response = await client.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(new() { ClientSoftwareName = "tests", ClientSoftwareVersion = "1.0" }, version);
            Assert.Equal(ErrorCode.None, response.ErrorCode);
            var ranges = response.ApiKeys.ToDictionary(a => a.ApiKey, a => (a.MinVersion, a.MaxVersion));
            Assert.Equal((0, 11), ranges[ApiKey.Produce]);
            Assert.Equal((4, 16), ranges[ApiKey.Fetch]);
            Assert.Equal((0, 4), ranges[ApiKey.ApiVersions]);
            Assert.DoesNotContain(ApiKey.ControlledShutdown, ranges.Keys);
            Assert.Equal((0, 1), ranges[ApiKey.ConsumerGroupHeartbeat]);
            Assert.Equal(version >= 3 ? [("group.version", (short)1)] : [], response.FinalizedFeatures.Select(f => (f.Name, f.MaxVersionLevel)));
            Assert.Equal(version >= 4 ? 1 : 0, response.SupportedFeatures.Count);
            // Version 5 belongs to a feature that is not finalised.
            Assert.Equal((0, 4), ranges[ApiKey.EndTxn]);
        }
        var refused = await client.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(new() { ClientSoftwareName = "-", ClientSoftwareVersion = "1" }, 3);
        Assert.Equal(ErrorCode.InvalidRequest, refused.ErrorCode);
    }

    [Fact]
    [Trait("Row", "K1")]
    public async Task An_unknown_version_of_api_versions_is_answered_in_version_0_with_the_whole_list()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        await client.SendAsync(Header(ApiKey.ApiVersions, 77, 5, "whatever comes here"u8));
        var response = await client.ReceiveAsync<ApiVersionsResponse>(5, 0);
        Assert.Equal(ErrorCode.UnsupportedVersion, response.ErrorCode);
        Assert.Contains(response.ApiKeys, a => a is { ApiKey: ApiKey.ApiVersions, MinVersion: 0, MaxVersion: 4 });
        Assert.Contains(response.ApiKeys, a => a.ApiKey == ApiKey.Metadata);
        // The connection is as good as before.
        Assert.Equal(ErrorCode.None, (await client.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 0)).ErrorCode);
    }

    [Fact]
    public async Task Bytes_behind_a_request_are_ignored_as_librdkafka_needs()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        // Its request for the metadata of all topics: a four-byte null array where one byte is right.
        await client.SendAsync(Header(ApiKey.Metadata, 13, 5, [0, 0, 0, 0, 0, 0, 0, 0]));
        Assert.Equal(ErrorCode.None, (await client.ReceiveAsync<MetadataResponse>(5, 13)).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 0)).ErrorCode);
    }

    public static TheoryData<string, byte[], string> Hostile => new()
    {
        { "2 GB", [0x7F, 0xFF, 0xFF, 0xFF], "2147483647 bytes" },
        { "negative", [0xFF, 0xFF, 0xFF, 0xFF], "-1 bytes" },
        { "empty", [0, 0, 0, 0], "0 bytes" },
        { "TLS", [0x16, 0x03, 0x01, 0x00, 0xF1, 0x01], "TLS" },
        { "HTTP", "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), "HTTP" },
        { "unknown request", Header((ApiKey)999, 0, 1), "999" },
        { "old version", Header(ApiKey.Produce, 2, 1), "version 2" },
        { "negative version", Header(ApiKey.Metadata, -1, 1), "version -1" },
        { "not advertised", Header(ApiKey.ControlledShutdown, 0, 1), "ControlledShutdown" },
        { "malformed body", Header(ApiKey.Metadata, 9, 1, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]), "Kafka request" },
        { "truncated body", Header(ApiKey.Metadata, 1, 1, [0, 0, 0, 1]), "malformed" },
        { "large control request", [0x01, 0x00, 0x00, 0x00, 0x00, 0x03], "16777216 bytes" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task What_is_no_request_closes_the_connection_with_one_line_in_the_log(string what, byte[] bytes, string logged)
    {
        await using var broker = await BrokerFixture.StartAsync();
        var other = broker.Connect();
        var client = broker.Connect();
        await client.SendAsync(bytes);
        Assert.Null(await client.ReceiveFrameAsync());
        await client.Ended.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Contains(logged, Assert.Single(broker.Warnings), StringComparison.Ordinal);
        Assert.NotEmpty(what);
        Assert.Equal(0, broker.FrontEnd.Budget.Used);
        Assert.Equal(ErrorCode.None, (await other.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 0)).ErrorCode);
    }

    [Fact]
    public async Task What_was_asked_before_a_bad_request_is_answered()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        var good = TestConnection.Encode(TestConnection.ProduceOf("t", Batches.Of("a")), 11, 1);
        await client.SendAsync([.. good, .. good, .. Header((ApiKey)999, 0, 1)]);
        Assert.Equal(0, (await client.ReceiveAsync<ProduceResponse>(1, 11)).Responses[0].PartitionResponses[0].BaseOffset);
        Assert.Equal(1, (await client.ReceiveAsync<ProduceResponse>(1, 11)).Responses[0].PartitionResponses[0].BaseOffset);
        Assert.Null(await client.ReceiveFrameAsync());
    }

    [Fact]
    public async Task Random_bytes_never_hurt()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var random = new Random(20);
        byte[][] good =
        [
            TestConnection.Encode(TestConnection.ProduceOf("t", Batches.Of("abc")), 11, 1),
            TestConnection.Encode(new MetadataRequest { Topics = [new() { Name = "t" }] }, 12, 1),
            TestConnection.Encode(new FetchRequest { Topics = [new() { Topic = "t", Partitions = [new() { PartitionMaxBytes = 10 }] }] }, 12, 1),
            TestConnection.Encode(new CreateTopicsRequest { Topics = [new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1 }] }, 5, 1),
        ];
        for (var i = 0; i < 400; i++)
        {
            var bytes = (byte[])good[i % good.Length].Clone();
            // The length and the request's number stay, so that the damage gets through to the decoders.
            for (var n = random.Next(1, 5); n > 0; n--) bytes[random.Next(8, bytes.Length)] = (byte)random.Next(256);
            var client = broker.Connect();
            await client.SendAsync(bytes);
            client.Disconnect();
            await client.Ended.WaitAsync(TimeSpan.FromSeconds(10));
        }
        Assert.Equal(0, broker.FrontEnd.Budget.Used);
        Assert.Equal(ErrorCode.None, (await broker.Connect().ProduceAsync("t", Batches.Of("z"))).ErrorCode);
        Assert.DoesNotContain(broker.Warnings, w => w.Contains("failed:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Bytes_that_come_one_by_one_make_a_request()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t");
        var client = broker.Connect();
        foreach (var b in TestConnection.Encode(TestConnection.ProduceOf("t", Batches.Of("a")), 11, 1)) await client.SendAsync([b]);
        Assert.Equal(ErrorCode.None, (await client.ReceiveAsync<ProduceResponse>(1, 11)).Responses[0].PartitionResponses[0].ErrorCode);
    }

    [Fact]
    public async Task A_large_length_alone_takes_no_memory()
    {
        await using var broker = await BrokerFixture.StartAsync();
        var client = broker.Connect();
        await client.SendAsync([0x06, 0, 0, 0, 0, 0, 0, 11]);
        await Task.Delay(50);
        Assert.Equal(0, broker.FrontEnd.Budget.Used);
        Assert.False(client.Ended.IsCompleted);
        for (var i = 0; i < 10; i++) await client.SendAsync(new byte[20_000]);
        Assert.True(SpinWait.SpinUntil(() => broker.FrontEnd.Budget.Used > 0, 5000));
        Assert.InRange(broker.FrontEnd.Budget.Used, 1, 1 << 20);
        client.Disconnect();
        await client.Ended.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(0, broker.FrontEnd.Budget.Used);
    }

    [Fact]
    public async Task Large_requests_arrive_whole()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await broker.CreateTopicAsync("t", 1, ("max.message.bytes", "10000000"));
        var client = broker.Connect();
        foreach (var size in new[] { 10_000, 16_300, 70_000, 300_000, 3_000_000 })
            Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Batches.Sized(size))).ErrorCode);
        Assert.Equal(0, broker.FrontEnd.Budget.Used);
    }

    [Theory]
    [InlineData("orders", "orders")]
    [InlineData("a b", "a%20b")]
    [InlineData("50%", "50%25")]
    [InlineData("größe", "gr%C3%B6%C3%9Fe")]
    public void Names_that_kafka_cannot_spell_are_escaped_and_found_again(string name, string escaped)
    {
        var topic = Dragoman.Broker.Topics.TopicName.InDefault(name);
        Assert.Equal(escaped, KafkaTopicNames.Format(topic));
        Assert.Equal(topic, KafkaTopicNames.Parse(escaped));
    }

    private static byte[] Header(ApiKey key, short version, int correlation, ReadOnlySpan<byte> body = default)
    {
        var bytes = new byte[14 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length - 4);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(4), (short)key);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(6), version);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), correlation);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(12), -1);
        body.CopyTo(bytes.AsSpan(14));
        return bytes;
    }
}
