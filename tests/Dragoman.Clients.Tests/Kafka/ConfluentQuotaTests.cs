using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<ConfluentKafka>]
public sealed class ConfluentQuotaTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Fact, Rows("K22")]
    public async Task A_producer_over_its_quota_is_told_to_wait_and_another_is_not()
    {
        var topic = SharedBroker.Unique("t");
        (await broker.Server.RunAsync("topic", "create", topic)).Succeeded();
        await LimitAsync("greedy", "producer_byte_rate", 100_000);
        var (greedy, told) = Send("greedy");
        Assert.True(told > TimeSpan.Zero, "it was told of no throttling");
        // Over windows of eleven seconds it may send what they hold, and no more; a machine that is busy only takes longer.
        Assert.True(greedy > TimeSpan.FromSeconds(5), $"2 MB took {greedy} at 100 kB/s");
        Assert.Equal(TimeSpan.Zero, Send("modest").Told);

        (TimeSpan Took, TimeSpan Told) Send(string client)
        {
            var longest = 0L;
            using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = broker.Kafka, ClientId = client, StatisticsIntervalMs = 100, BatchSize = 20_000, LingerMs = 0 })
                .SetLogHandler((_, _) => { })
                .SetStatisticsHandler((_, json) =>
                {
                    foreach (var (_, node) in JsonNode.Parse(json)!["brokers"]!.AsObject()) longest = Math.Max(longest, (long)node!["throttle"]!["max"]!);
                })
                .Build();
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < 200; i++) producer.Produce(topic, new() { Value = new byte[10_000] });
            Assert.Equal(0, producer.Flush(TimeSpan.FromMinutes(2)));
            var took = Stopwatch.GetElapsedTime(start);
            // What was told last is in the next statistics.
            for (var end = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(end) < TimeSpan.FromMilliseconds(300);) producer.Poll(TimeSpan.FromMilliseconds(50));
            return (took, TimeSpan.FromMilliseconds(longest));
        }
    }

    // The client has no request for it: AlterClientQuotas, version 0 (KIP-546).
    private async Task LimitAsync(string client, string kind, double limit)
    {
        var body = new MemoryStream();
        Int16(49);
        Int16(0);
        Int32(1);
        Text("tests");
        Int32(1);
        Int32(1);
        Text("client-id");
        Text(client);
        Int32(1);
        Text(kind);
        var value = new byte[8];
        BinaryPrimitives.WriteDoubleBigEndian(value, limit);
        body.Write(value);
        body.WriteByte(0);
        body.WriteByte(0);
        using var socket = new TcpClient();
        await socket.ConnectAsync(broker.Server.EndPoint("kafka"));
        var stream = socket.GetStream();
        var size = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(size, (int)body.Length);
        await stream.WriteAsync(size);
        await stream.WriteAsync(body.ToArray());
        await stream.ReadExactlyAsync(size);
        var answer = new byte[BinaryPrimitives.ReadInt32BigEndian(size)];
        await stream.ReadExactlyAsync(answer);
        // After correlation, throttle time and the count of entries.
        Assert.Equal(0, BinaryPrimitives.ReadInt16BigEndian(answer.AsSpan(12)));

        void Int16(short number)
        {
            var bytes = new byte[2];
            BinaryPrimitives.WriteInt16BigEndian(bytes, number);
            body.Write(bytes);
        }
        void Int32(int number)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(bytes, number);
            body.Write(bytes);
        }
        void Text(string text)
        {
            Int16((short)text.Length);
            body.Write(Encoding.ASCII.GetBytes(text));
        }
    }
}
