using System.Collections.Concurrent;
using Confluent.Kafka;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<ConfluentKafka>]
public sealed class RestartTests
{
    private static readonly TopicPartition s_partition = new("t", 0);

    [Theory, Rows("K14", "K28")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_idempotent_producer_goes_on_over_a_restart_and_nothing_is_lost_doubled_or_out_of_order(bool kill)
    {
        await using var server = await DragomanServer.StartAsync();
        const int Count = 6_000;
        var failures = new ConcurrentQueue<string>();
        var delivered = 0;
        using (var producer = ConfluentKafka.Producer(server.Address("kafka"), null, ("enable.idempotence", "true"), ("batch.num.messages", "10"), ("linger.ms", "0"), ("reconnect.backoff.max.ms", "200")))
        {
            for (var i = 0; i < Count; i++)
            {
                producer.Produce(s_partition, new() { Value = BitConverter.GetBytes(i) }, report =>
                {
                    if (report.Error.IsError) failures.Enqueue($"{BitConverter.ToInt32(report.Message.Value!)}: {report.Error.Reason}");
                    Interlocked.Increment(ref delivered);
                });
                // Twice, with requests on their way.
                if (i is not (Count / 3 or 2 * Count / 3)) continue;
                await Eventually.TrueAsync(() => Volatile.Read(ref delivered) >= i / 2, "half of what was sent is acknowledged");
                if (kill) await server.KillAsync();
                else Assert.Equal(0, await server.StopAsync());
                await server.StartAgainAsync();
            }
            Assert.Equal(0, producer.Flush(ConfluentKafka.Patience));
        }
        Assert.Empty(failures);
        Assert.Equal(Enumerable.Range(0, Count), ConfluentKafka.ReadAll(server.Address("kafka"), s_partition).Select(r => BitConverter.ToInt32(r.Message.Value!)));
    }

    [Theory, Rows("K9", "K23", "K28")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_consumer_goes_on_where_it_was_over_a_restart(bool kill)
    {
        await using var server = await DragomanServer.StartAsync();
        var log = new ConcurrentQueue<string>();
        using var producer = ConfluentKafka.Producer(server.Address("kafka"), null, ("reconnect.backoff.max.ms", "200"));
        using var consumer = ConfluentKafka.Consumer(server.Address("kafka"), log, ("debug", "protocol,fetch"), ("reconnect.backoff.max.ms", "200"), ("enable.partition.eof", "false"), ("topic.metadata.refresh.interval.ms", "500"));
        for (var i = 0; i < 100; i++) await producer.ProduceAsync(s_partition, new() { Value = BitConverter.GetBytes(i) });
        consumer.Assign(new TopicPartitionOffset(s_partition, 0));
        for (var i = 0; i < 50; i++) Assert.Equal(i, BitConverter.ToInt32(ConfluentKafka.Next(consumer).Message.Value!));
        if (kill) await server.KillAsync();
        else Assert.Equal(0, await server.StopAsync());
        await server.StartAgainAsync();
        for (var i = 100; i < 200; i++) await producer.ProduceAsync(s_partition, new() { Value = BitConverter.GetBytes(i) });
        for (var i = 50; i < 200; i++) Assert.Equal(i, BitConverter.ToInt32(ConfluentKafka.Next(consumer).Message.Value!));
        // A crash is a new leader epoch, and the client asks whether what it has read is still so.
        if (kill) await Eventually.TrueAsync(() => log.Any(l => l.Contains("OffsetForLeaderEpoch", StringComparison.Ordinal)), "the client asks for the end of the epoch that it knows");
    }
}
