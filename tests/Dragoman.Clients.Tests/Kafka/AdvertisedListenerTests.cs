using Confluent.Kafka;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

public sealed class AdvertisedListenerTests
{
    [Fact, Rows("K5"), Uses<Kcat>, Uses<ConfluentKafka>, Uses<KafkaPython>, Uses<KafkaJs>]
    public async Task Clients_go_where_they_are_told_to()
    {
        // As from outside a container: the broker's own address serves for the first step, all others go by another.
        await using var forwarder = new TcpForwarder();
        await using var server = await DragomanServer.StartAsync("--advertised-host", "localhost", "--advertised-port", $"{forwarder.Port}");
        forwarder.ForwardTo(server.EndPoint("kafka"));
        var bootstrap = server.Address("kafka");
        Assert.Contains($"broker 1 at localhost:{forwarder.Port} (controller)", (await Kcat.RunAsync(bootstrap, (byte[]?)null, "-L")).Succeeded().Output);

        var value = new byte[100_000];
        Random.Shared.NextBytes(value);
        foreach (var send in new Func<Task>[]
                 {
                     async () =>
                     {
                         using var producer = ConfluentKafka.Producer(bootstrap);
                         await producer.ProduceAsync("t", new() { Value = value });
                     },
                     () => KafkaScript<KafkaPython>.SendAsync(bootstrap, [new(null, value)], new { topic = "t" }),
                     () => KafkaScript<KafkaJs>.SendAsync(bootstrap, [new(null, value)], new { topic = "t" }),
                 })
        {
            var before = forwarder.Bytes;
            await send();
            Assert.True(forwarder.Bytes - before >= value.Length, "the message did not go by the advertised address");
        }
        Assert.Equal([value, value, value], ConfluentKafka.ReadAll(bootstrap, new TopicPartition("t", 0)).Select(r => r.Message.Value));
    }

    [Fact, Rows("K5"), Uses<Kcat>]
    public async Task Unless_set_it_is_the_address_that_the_client_reached()
    {
        await using var server = await DragomanServer.StartAsync();
        Assert.Contains($"broker 1 at 127.0.0.1:{server.Port("kafka")} (controller)", (await Kcat.RunAsync($"localhost:{server.Port("kafka")}", (byte[]?)null, "-L", "-X", "broker.address.family=v4")).Succeeded().Output);
    }

    [Fact, Rows("K30"), Uses<ConfluentKafka>, Uses<KafkaPython>]
    public async Task The_rack_is_told_and_clients_that_name_theirs_are_served()
    {
        await using var server = await DragomanServer.StartAsync("--rack", "cellar");
        var cluster = await KafkaScript<KafkaPython>.AdminAsync(server.Address("kafka"), new { action = "cluster", topic = "" });
        Assert.Equal("cellar", (string?)Assert.Single(cluster["brokers"]!.AsArray())!["rack"]);
        using (var admin = ConfluentKafka.Admin(server.Address("kafka")))
        {
            var described = await admin.DescribeClusterAsync();
            Assert.Equal("cellar", Assert.Single(described.Nodes).Rack);
        }
        using (var producer = ConfluentKafka.Producer(server.Address("kafka"))) await producer.ProduceAsync("t", new() { Value = [1] });
        // In this rack, in another, and in none.
        foreach (var rack in new[] { "cellar", "attic", "" })
            Assert.Equal([[1]], ConfluentKafka.ReadAll(server.Address("kafka"), new TopicPartition("t", 0), 0, ("client.rack", rack)).Select(r => r.Message.Value));
    }

    [Fact, Rows("K4"), Uses<ConfluentKafka>, Uses<Kcat>]
    public async Task A_broker_can_be_told_to_make_no_topics()
    {
        await using var server = await DragomanServer.StartAsync("--no-auto-create");
        using var producer = ConfluentKafka.Producer(server.Address("kafka"), null, ("topic.metadata.propagation.max.ms", "100"), ("topic.metadata.refresh.fast.interval.ms", "100"));
        var refused = await Assert.ThrowsAsync<ProduceException<byte[]?, byte[]?>>(() => producer.ProduceAsync("t", new() { Value = [] }));
        Assert.Contains(refused.Error.Code, new[] { ErrorCode.Local_UnknownTopic, ErrorCode.UnknownTopicOrPart });
        Assert.Contains(" 0 topics:", (await Kcat.RunAsync(server.Address("kafka"), (byte[]?)null, "-L")).Succeeded().Output);
    }
}
