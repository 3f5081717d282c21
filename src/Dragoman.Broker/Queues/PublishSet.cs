using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Queues;

/// <summary>How the publish of a set ended.</summary>
/// <param name="Status"><see cref="QueueStatus.Ok"/> if it was carried out, even if queues refused messages.</param>
/// <param name="Refused">The messages that a queue refused because it is full; they were not taken. Null for none.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct PublishSetAnswer(QueueStatus Status, IReadOnlyList<int>? Refused = null, string? Message = null);

/// <summary>
/// Messages that are published in one commit, each to targets of its own, in an order that is the set's for every target: what
/// is kept on disk is there as a whole, or not at all. Not safe for concurrent use.
/// </summary>
public sealed class PublishSet : IDisposable
{
    private readonly List<Section> _sections = [];
    private readonly Dictionary<LocalQueue, int> _lastSection = [];
    private readonly List<(MessageBatch Batch, LocalPartition Partition)> _appends = [];
    private readonly List<(MessageBatch Batch, IReadOnlyList<RuledRoute> Routes)> _ruled = [];
    private readonly List<ulong> _fingerprints = [];

    /// <summary>Messages for the same queues, and which of the set's messages each is.</summary>
    internal sealed record Section(MessageBatch Batch, LocalQueue[] Queues, List<int> Indexes);

    /// <summary>How many messages there are, those that go nowhere included.</summary>
    public int Count => _fingerprints.Count;

    /// <summary>Bytes that the commit takes at most.</summary>
    public long Cost { get; private set; }

    internal IReadOnlyList<Section> Sections => _sections;

    internal IReadOnlyList<ulong> Fingerprints => _fingerprints;

    /// <summary>What a message would add to <see cref="Cost"/> at most.</summary>
    public static long CostOf(IReadOnlyList<IQueueHandle> queues, IReadOnlyList<ITopicHandle> logs, long bytes)
    {
        ArgumentNullException.ThrowIfNull(queues);
        ArgumentNullException.ThrowIfNull(logs);
        var copies = logs.Count + 1;
        foreach (var queue in queues)
            if (((LocalQueue)queue).MaySelect) copies++;
        return (512L + bytes) * copies + 128L * queues.Count + sizeof(ulong);
    }

    /// <summary>Adds a message.</summary>
    /// <param name="properties">What queues act upon.</param>
    /// <param name="routingKey">The routing key, which is the record's key in logs.</param>
    /// <param name="value">The value.</param>
    /// <param name="headers">The record headers; copied.</param>
    /// <param name="queues">The queues that it goes to, each once; none is allowed.</param>
    /// <param name="logs">The topics whose logs keep it, each once.</param>
    /// <param name="routes">The routes with rules that it takes; null for none.</param>
    /// <param name="fingerprint">What a link knows it again by.</param>
    public void Add(
        in MessageProperties properties, ReadOnlySpan<byte> routingKey, ReadOnlySpan<byte> value, RecordHeaders headers, IReadOnlyList<IQueueHandle> queues, IReadOnlyList<ITopicHandle> logs,
        IReadOnlyList<RuledRoute>? routes = null, ulong fingerprint = 0)
    {
        ArgumentNullException.ThrowIfNull(queues);
        ArgumentNullException.ThrowIfNull(logs);
        Cost += CostOf(queues, logs, routingKey.Length + (long)value.Length + headers.Encoded.Length);
        if (queues.Count > 0)
        {
            var section = SectionFor(queues);
            section.Batch.Add(properties, default, value, headers);
            section.Indexes.Add(_fingerprints.Count);
        }
        foreach (var log in logs)
        {
            var partitions = log.Partitions.Count;
            var partition = partitions == 1 ? 0 : KeyPartitioner.Choose(routingKey, partitions);
            BatchFor((LocalPartition)log.Partitions[partition]).Add(properties, routingKey.IsEmpty ? default : new NullableBytes(routingKey), value, headers);
        }
        if (routes is { Count: > 0 })
        {
            Cost += CostOf([], [], routingKey.Length + (long)value.Length + headers.Encoded.Length) * (1 + routes.Count);
            if (_ruled.Count == 0 || _ruled[^1].Batch.Bytes >= MessageBatch.MaxBytes || !_ruled[^1].Routes.SequenceEqual(routes)) _ruled.Add((MessageBatch.Rent(), [.. routes]));
            _ruled[^1].Batch.Add(properties, default, value, headers);
        }
        _fingerprints.Add(fingerprint);
    }

    /// <summary>Splits it into what is kept on disk and what is kept in memory.</summary>
    /// <param name="onDisk">Takes what is kept on disk.</param>
    /// <param name="inMemory">Takes what is kept in memory.</param>
    /// <param name="ruled">Takes what routes with rules make of the messages.</param>
    /// <param name="now">The time, in milliseconds since 1970.</param>
    /// <param name="mode">The strongest mode that a target asks for.</param>
    internal void Fill(QueueCommit onDisk, QueueCommit inMemory, RuledBatches ruled, long now, out CommitMode mode)
    {
        mode = CommitMode.Written;
        foreach (var (batch, routes) in _ruled) ruled.Add(batch, routes, now);
        foreach (var (made, queue, _) in ruled.Batches)
        {
            (queue.Subscription.IsVolatile ? inMemory : onDisk).Add(made, [queue]);
            if (!queue.Subscription.IsVolatile && queue.Settings.CommitMode > mode) mode = queue.Settings.CommitMode;
        }
        foreach (var (batch, queues, _) in _sections)
        {
            var durable = Array.FindAll(queues, static q => !q.Subscription.IsVolatile);
            var transient = Array.FindAll(queues, static q => q.Subscription.IsVolatile);
            // Built once: both commits take the same bytes.
            if (durable.Length > 0 && transient.Length > 0) batch.Build();
            if (durable.Length > 0) onDisk.Add(batch, durable);
            if (transient.Length > 0) inMemory.Add(batch, transient);
            foreach (var queue in durable)
                if (queue.Settings.CommitMode > mode) mode = queue.Settings.CommitMode;
        }
        foreach (var (batch, partition) in _appends)
        {
            (partition.CommitMode == CommitMode.Memory ? inMemory : onDisk).Add(batch, partition);
            if (partition.CommitMode > mode) mode = partition.CommitMode;
        }
        if (mode == CommitMode.Memory) mode = CommitMode.Fsync;
    }

    /// <summary>The set's messages that a commit did not get into every queue that they were for.</summary>
    internal void AddRefused(QueueCommit commit, SortedSet<int> refused)
    {
        foreach (var (batch, queue, from) in commit.Refusals)
        {
            // What a full queue passes on, it has taken.
            if (queue.PassesOn) continue;
            // What a route made of a message goes to the route's dead letters.
            if (_sections.Find(s => ReferenceEquals(s.Batch, batch)) is not { } section) continue;
            for (var i = from; i < section.Indexes.Count; i++) refused.Add(section.Indexes[i]);
        }
    }

    /// <summary>Gives back what it holds, and is empty.</summary>
    public void Clear()
    {
        foreach (var section in _sections) section.Batch.Dispose();
        foreach (var (batch, _) in _appends) batch.Dispose();
        foreach (var (batch, _) in _ruled) batch.Dispose();
        _ruled.Clear();
        _sections.Clear();
        _lastSection.Clear();
        _appends.Clear();
        _fingerprints.Clear();
        Cost = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    /// <summary>The section of some queues that no later message of one of them is behind already; a new one if there is none.</summary>
    private Section SectionFor(IReadOnlyList<IQueueHandle> queues)
    {
        if (_lastSection.TryGetValue((LocalQueue)queues[0], out var last) && _sections[last] is var known && known.Batch.Bytes < MessageBatch.MaxBytes && known.Queues.Length == queues.Count)
        {
            var isSame = true;
            for (var i = 0; i < queues.Count && isSame; i++)
                isSame = ReferenceEquals(known.Queues[i], queues[i]) && _lastSection.TryGetValue(known.Queues[i], out var other) && other == last;
            if (isSame) return known;
        }
        var section = new Section(MessageBatch.Rent(), [.. queues.Cast<LocalQueue>()], []);
        foreach (var queue in section.Queues) _lastSection[queue] = _sections.Count;
        _sections.Add(section);
        return section;
    }

    private MessageBatch BatchFor(LocalPartition partition)
    {
        var last = _appends.FindLastIndex(a => a.Partition == partition);
        if (last >= 0 && _appends[last].Batch.Bytes < MessageBatch.MaxBytes) return _appends[last].Batch;
        var batch = MessageBatch.Rent();
        _appends.Add((batch, partition));
        return batch;
    }
}
