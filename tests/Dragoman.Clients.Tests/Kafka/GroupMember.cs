using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Dragoman.Clients.Tests.Clients;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

/// <summary>A consumer in a group, on a thread of its own: it commits what it has read, and notes what it is given and loses.</summary>
internal sealed class GroupMember : IAsyncDisposable
{
    private readonly IConsumer<byte[]?, byte[]?> _consumer;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _reading;
    private readonly Lock _lock = new();
    private readonly HashSet<TopicPartition> _assigned = [];
    private volatile bool _leaves = true;

    private GroupMember(string broker, string group, Action<IConsumer<byte[]?, byte[]?>> subscribe, Action<ConsumeResult<byte[]?, byte[]?>> read, IEnumerable<(string Name, string Value)> settings)
    {
        var all = new Dictionary<string, string>
        {
            ["bootstrap.servers"] = broker,
            ["group.id"] = group,
            ["auto.offset.reset"] = "earliest",
            ["enable.auto.commit"] = "false",
        };
        foreach (var (name, value) in settings) all[name] = value;
        if (all.GetValueOrDefault("group.protocol") != "consumer")
        {
            // Members learn of a rebalance with a heartbeat.
            all.TryAdd("heartbeat.interval.ms", "200");
            all.TryAdd("session.timeout.ms", "6000");
        }
        _consumer = new ConsumerBuilder<byte[]?, byte[]?>(all)
            .SetLogHandler((_, line) => Log.Enqueue(line.Message))
            .SetErrorHandler((_, error) => Errors.Enqueue(error))
            .SetPartitionsAssignedHandler((_, partitions) => Change(() => _assigned.UnionWith(partitions), Assignments, partitions))
            .SetPartitionsRevokedHandler((_, partitions) => Change(() => _assigned.ExceptWith(partitions.Select(p => p.TopicPartition)), Revocations, partitions.Select(p => p.TopicPartition)))
            .SetPartitionsLostHandler((_, partitions) => Change(() => _assigned.ExceptWith(partitions.Select(p => p.TopicPartition)), Losses, partitions.Select(p => p.TopicPartition)))
            .Build();
        subscribe(_consumer);
        _reading = Task.Factory.StartNew(() => Read(read), default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>The settings of the kinds of groups that a test goes through.</summary>
    public static IReadOnlyDictionary<string, (string, string)[]> Kinds { get; } = new Dictionary<string, (string, string)[]>
    {
        ["range"] = [("partition.assignment.strategy", "range")],
        ["cooperative-sticky"] = [("partition.assignment.strategy", "cooperative-sticky")],
        ["consumer"] = [("group.protocol", "consumer")],
    };

    public ConcurrentQueue<string> Log { get; } = new();

    public ConcurrentQueue<Error> Errors { get; } = new();

    /// <summary>What it was given, in order.</summary>
    public ConcurrentQueue<TopicPartition[]> Assignments { get; } = new();

    /// <summary>What it was asked to give up, in order.</summary>
    public ConcurrentQueue<TopicPartition[]> Revocations { get; } = new();

    /// <summary>What it found taken from it, in order.</summary>
    public ConcurrentQueue<TopicPartition[]> Losses { get; } = new();

    /// <summary>What it has now.</summary>
    public IReadOnlyList<TopicPartition> Assigned
    {
        get
        {
            lock (_lock) return [.. _assigned];
        }
    }

    /// <summary>Whether it still reads.</summary>
    public bool IsRunning => !_reading.IsCompleted;

    public IConsumer<byte[]?, byte[]?> Consumer => _consumer;

    public static GroupMember Start(string broker, string group, string topic, Action<ConsumeResult<byte[]?, byte[]?>>? read = null, params IEnumerable<(string Name, string Value)> settings) =>
        new(broker, group, c => c.Subscribe(topic), read ?? (_ => { }), settings);

    public static GroupMember Start(string broker, string group, IEnumerable<string> topics, params IEnumerable<(string Name, string Value)> settings) =>
        new(broker, group, c => c.Subscribe(topics), _ => { }, settings);

    /// <summary>Waits until members share out a number of partitions among them, each of them having some.</summary>
    public static Task SharedOutAsync(int partitions, params GroupMember[] members) => Eventually.TrueAsync(
        () => members.All(m => m.Assigned.Count > 0 || partitions < members.Length) && members.SelectMany(m => m.Assigned).Distinct().Count() == partitions
            && members.Sum(m => m.Assigned.Count) == partitions,
        $"{members.Length} members have {partitions} partitions", TimeSpan.FromSeconds(60));

    /// <summary>Ends as a process that is killed: without a word to the group.</summary>
    public async Task VanishAsync()
    {
        _leaves = false;
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _reading;
        _end.Dispose();
    }

    private void Change(Action change, ConcurrentQueue<TopicPartition[]> log, IEnumerable<TopicPartition> partitions)
    {
        lock (_lock) change();
        log.Enqueue([.. partitions]);
    }

    private void Read(Action<ConsumeResult<byte[]?, byte[]?>> read)
    {
        try
        {
            while (!_end.IsCancellationRequested)
            {
                try
                {
                    if (_consumer.Consume(TimeSpan.FromMilliseconds(50)) is not { } result) continue;
                    read(result);
                    _consumer.Commit(result);
                }
                catch (KafkaException error) when (!error.Error.IsFatal)
                {
                    // What was read and could not be committed is read again, by whoever has the partition now.
                    Errors.Enqueue(error.Error);
                }
            }
            if (_leaves) _consumer.Close();
        }
        finally
        {
            _consumer.Dispose();
        }
    }

    public static string Text(ConsumeResult<byte[]?, byte[]?> result) => Encoding.UTF8.GetString(result.Message.Value!);
}
