using Confluent.Kafka;
using Dragoman.Faults.Hostile;
using Dragoman.Faults.Load;
using Dragoman.TestKit;

namespace Dragoman.Faults.Volume;

/// <summary>
/// Many messages through one topic and through one queue: each comes out once, in its place, and what the broker holds in
/// memory depends on what is under way, not on how much has gone through.
/// </summary>
public sealed class ManyMessagesTests(ITestOutputHelper output)
{
    private const string Name = "many";
    private const int Partitions = 4;

    /// <summary>More than what buffers, caches and their garbage may take; far less than the messages of the soak do.</summary>
    private const long MostMemory = 640L << 20;

    [Fact]
    public async Task A_topic_gives_back_every_message_once_and_in_order()
    {
        await using var server = await DragomanServer.StartAsync("--partitions", $"{Partitions}");
        var count = Counts.Messages;
        var start = TimeProvider.System.GetTimestamp();
        var reading = Task.Run(() => ReadTopic(server.Address("kafka"), count));
        await Task.Run(() => WriteTopic(server.Address("kafka"), count));
        output.WriteLine($"{count} messages acknowledged after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s");
        await reading;
        Report(server, $"{count} messages read", start);
        // What was read while it came in is the same from the start, after a kill.
        await server.KillAsync();
        await server.StartAgainAsync();
        start = TimeProvider.System.GetTimestamp();
        await Task.Run(() => ReadTopic(server.Address("kafka"), count));
        Report(server, $"{count} messages read again after a kill", start);
    }

    [Fact]
    public async Task A_queue_hands_out_every_message_once_and_in_order_and_is_empty_then()
    {
        await using var server = await DragomanServer.StartAsync();
        var count = Counts.Messages;
        var start = TimeProvider.System.GetTimestamp();
        await using (var reader = await QueueReader.StartAsync(server.Port("amqp"), Name, count))
        {
            await using var writer = await QueueWriter.StartAsync(server.Port("amqp"));
            await writer.WriteAsync(Name, count);
            output.WriteLine($"{count} messages confirmed after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s");
            await reader.Finished;
        }
        Assert.Equal(0u, await QueueReader.CountAsync(server.Port("amqp"), Name));
        Report(server, $"{count} messages delivered and settled", start);
        // Nothing that was settled comes back.
        await server.KillAsync();
        await server.StartAgainAsync();
        Assert.Equal(0u, await QueueReader.CountAsync(server.Port("amqp"), Name));
    }

    private void Report(DragomanServer server, string what, long start)
    {
        var peak = ProcessMemory.Peak(server.ProcessId);
        output.WriteLine($"{what} after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s; the broker held {peak >> 20} MiB at most");
        Assert.True(peak < MostMemory, $"The broker held {peak} bytes in memory, and {MostMemory} are allowed.");
    }

    private static void WriteTopic(string bootstrap, int count)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = bootstrap,
            EnableIdempotence = true,
            LingerMs = 5,
            MessageTimeoutMs = 120_000,
            QueueBufferingMaxMessages = 200_000,
        }).SetLogHandler(static (_, _) => { }).Build();
        Error? refused = null;
        for (long number = 0; number < count && refused is null; number++)
        {
            var message = new Message<Null, byte[]> { Value = NumberedMessage.Make(number) };
            while (true)
            {
                try
                {
                    producer.Produce(new TopicPartition(Name, (int)(number % Partitions)), message, report =>
                    {
                        if (report.Error.IsError) refused = report.Error;
                    });
                    break;
                }
                catch (ProduceException<Null, byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
                {
                    producer.Poll(TimeSpan.FromMilliseconds(10));
                }
            }
        }
        producer.Flush(TimeSpan.FromMinutes(2));
        Assert.True(refused is null, $"A message was not taken: {refused?.Reason}");
    }

    private static void ReadTopic(string bootstrap, int count)
    {
        using var consumer = KafkaReader.Consumer(bootstrap);
        consumer.Assign(Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(Name, partition, 0)));
        var next = Enumerable.Range(0, Partitions).Select(partition => (long)partition).ToArray();
        var quiet = TimeProvider.System.GetTimestamp();
        for (var read = 0; read < count;)
        {
            ConsumeResult<Ignore, byte[]>? result = null;
            try
            {
                result = consumer.Consume(TimeSpan.FromSeconds(1));
            }
            catch (ConsumeException error) when (error.Error.Code == ErrorCode.UnknownTopicOrPart)
            {
                // Nothing has been written yet.
            }
            if (result is null || result.IsPartitionEOF)
            {
                if (TimeProvider.System.GetElapsedTime(quiet) > TimeSpan.FromMinutes(2)) throw new TimeoutException($"{read} of {count} messages came, and then nothing for two minutes.");
                continue;
            }
            quiet = TimeProvider.System.GetTimestamp();
            var partition = result.Partition.Value;
            var number = NumberedMessage.Read(result.Message.Value);
            if (number != next[partition] || result.Offset.Value != number / Partitions)
                Assert.Fail($"Offset {result.Offset.Value} of partition {partition} holds message {number}, where message {next[partition]} should be.");
            next[partition] += Partitions;
            read++;
        }
    }
}
