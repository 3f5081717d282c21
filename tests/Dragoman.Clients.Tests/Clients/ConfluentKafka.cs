using System.Collections.Concurrent;
using Confluent.Kafka;
using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>Confluent's .NET client, over the librdkafka that it ships.</summary>
internal sealed class ConfluentKafka : IForeignClient
{
    /// <summary>How long a test waits for a message; far more than it takes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static string Name => "Confluent.Kafka";

    public static Task<string> VersionAsync() =>
        Task.FromResult($"{typeof(Library).Assembly.GetName().Version!.ToString(3)} (librdkafka {Library.VersionString})");

    /// <summary>A producer of keys and values as bytes.</summary>
    /// <param name="broker">Host and port.</param>
    /// <param name="log">Where the client's own log lines go; the configuration's <c>debug</c> says which there are.</param>
    /// <param name="settings">The client's settings beyond its defaults, by their names in librdkafka.</param>
    public static IProducer<byte[]?, byte[]?> Producer(string broker, ConcurrentQueue<string>? log = null, params IEnumerable<(string Name, string Value)> settings) =>
        new ProducerBuilder<byte[]?, byte[]?>(Settings(broker, [("linger.ms", "2"), .. settings]))
            .SetLogHandler((_, line) => log?.Enqueue(line.Message)).Build();

    /// <summary>A consumer that is to be assigned partitions by hand. It must have a group by the API's rules, and does not use it.</summary>
    /// <param name="broker">Host and port.</param>
    /// <param name="log">Where the client's own log lines go.</param>
    /// <param name="settings">The client's settings beyond its defaults, by their names in librdkafka.</param>
    public static IConsumer<byte[]?, byte[]?> Consumer(string broker, ConcurrentQueue<string>? log = null, params IEnumerable<(string Name, string Value)> settings) =>
        new ConsumerBuilder<byte[]?, byte[]?>(Settings(
                broker, [("group.id", "none"), ("enable.auto.commit", "false"), ("auto.offset.reset", "error"), ("check.crcs", "true"), ("enable.partition.eof", "true"), .. settings]))
            .SetLogHandler((_, line) => log?.Enqueue(line.Message)).Build();

    /// <summary>An administrator.</summary>
    public static IAdminClient Admin(string broker) => new AdminClientBuilder(Settings(broker, [])).SetLogHandler((_, _) => { }).Build();

    /// <summary>Reads one partition from an offset to its end.</summary>
    public static List<ConsumeResult<byte[]?, byte[]?>> ReadAll(string broker, TopicPartition partition, long from = 0, params IEnumerable<(string Name, string Value)> settings)
    {
        using var consumer = Consumer(broker, null, settings);
        consumer.Assign(new TopicPartitionOffset(partition, from));
        return ReadToEnd(consumer);
    }

    /// <summary>Reads what a consumer has been assigned to the end of all its partitions.</summary>
    public static List<ConsumeResult<byte[]?, byte[]?>> ReadToEnd(IConsumer<byte[]?, byte[]?> consumer)
    {
        var read = new List<ConsumeResult<byte[]?, byte[]?>>();
        var ended = new HashSet<TopicPartition>();
        while (ended.Count < consumer.Assignment.Count)
        {
            var next = Next(consumer);
            if (next.IsPartitionEOF) ended.Add(next.TopicPartition);
            else read.Add(next);
        }
        return read;
    }

    /// <summary>The next message or end of a partition.</summary>
    public static ConsumeResult<byte[]?, byte[]?> Next(IConsumer<byte[]?, byte[]?> consumer) =>
        consumer.Consume(Patience) ?? throw new TimeoutException($"Nothing came within {Patience}.");

    private static Dictionary<string, string> Settings(string broker, IEnumerable<(string Name, string Value)> settings)
    {
        var all = new Dictionary<string, string> { ["bootstrap.servers"] = broker };
        foreach (var (name, value) in settings) all[name] = value;
        return all;
    }
}
