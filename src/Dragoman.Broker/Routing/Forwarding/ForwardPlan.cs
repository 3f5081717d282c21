using System.Text;
using Dragoman.Broker.Channels;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Forwarding;

/// <summary>
/// Records of one partition on their way, as messages for the same queues in one batch, in an order that is the
/// partition's for every target.
/// </summary>
internal sealed class ForwardPlan(TopicName source, LogPosition partition, Queues.Queues queues, long now) : IDisposable
{
    private readonly List<(MessageBatch Batch, LocalQueue[] Queues)> _sections = [];
    private readonly Dictionary<LocalQueue, int> _lastSection = [];
    private readonly List<(MessageBatch Batch, LocalPartition Partition)> _appends = [];
    private readonly Dictionary<LocalPartition, int> _lastAppend = [];
    private readonly RecordHeadersWriter _headers = new();
    private readonly List<(Channel Channel, int Start, int Length)> _heard = [];
    private readonly PooledBuffer _payloads = new();

    /// <summary>Bytes that the commit may take at worst.</summary>
    public long Cost { get; private set; }

    /// <summary>Messages for queues, one for each queue.</summary>
    public long ForQueues { get; private set; }

    /// <summary>Records that a target could not take.</summary>
    public long Refused { get; private set; }

    /// <summary>Whether anything goes anywhere.</summary>
    public bool IsEmpty => _sections.Count == 0 && _appends.Count == 0 && _heard.Count == 0;

    /// <summary>What a record may cost at worst, at its targets.</summary>
    public static long CostOf(in MessageView message, ForwardTargets targets)
    {
        var size = 512L + message.Key.Length + message.Value.Length + message.Headers.Encoded.Length;
        // What a route with a rule makes of it may be larger: text that is escaped in text.
        var copies = targets.Topics.Length + 1 + 4 * targets.Routes.Length;
        foreach (var queue in targets.Queues)
            if (queue.MaySelect) copies++;
        return size * copies + 128L * targets.Queues.Length;
    }

    /// <summary>Adds a record.</summary>
    public void Add(in MessageView message, in RecordRoute route, ForwardTargets targets)
    {
        Cost += CostOf(message, targets);
        ForQueues += targets.Queues.Length;
        if (targets.Queues.Length > 0) AddToQueues(message, route, targets.Queues);
        foreach (var topic in targets.Topics) AddToTopic(message, route, topic);
        foreach (var ruled in targets.Routes) AddRuled(message, ruled);
        foreach (var channel in targets.Channels) AddToChannel(message, channel);
    }

    /// <summary>Lets those who listen to the topics on the way hear the records: once they are carried on.</summary>
    public void Tell()
    {
        if (_heard.Count == 0) return;
        using var run = new ChannelRun();
        foreach (var (channel, start, length) in _heard) channel.Space.Publish(channel.Name, _payloads.WrittenSpan.Slice(start, length), run);
        run.End();
    }

    /// <summary>Splits the plan into what is kept on disk and what is kept in memory.</summary>
    public void Fill(QueueCommit onDisk, QueueCommit inMemory, out CommitMode mode)
    {
        mode = CommitMode.Written;
        foreach (var (batch, queues) in _sections)
        {
            var durable = Array.FindAll(queues, static q => !q.Subscription.IsVolatile);
            var transient = Array.FindAll(queues, static q => q.Subscription.IsVolatile);
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
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (batch, _) in _sections) batch.Dispose();
        foreach (var (batch, _) in _appends) batch.Dispose();
        _headers.Dispose();
        _payloads.Dispose();
    }

    private void AddRuled(in MessageView message, RuledRoute route)
    {
        if (route.Filter is { } filter && !filter.Matches(message)) return;
        var queue = (LocalQueue?)queues.Find(route.Target);
        var reason = queue is null ? RuledBatches.Missing : null;
        if (queue is null && route.DeadLetters is { } deadLetters) queue = (LocalQueue?)queues.Find(deadLetters);
        if (queue is null) return;
        ForQueues++;
        var id = RuledBatches.IdOf(message) ?? (partition with { Offset = message.Offset }).ToId();
        RuledBatches.Transform(BatchFor([queue]), new RoutedMessage(source, id, now, message, queue.Settings), route, reason);
    }

    private void AddToQueues(in MessageView message, in RecordRoute route, LocalQueue[] queues)
    {
        var batch = BatchFor(queues);
        QueueRecords.Add(batch, message, route, source.Name, now, _headers);
    }

    private void AddToChannel(in MessageView message, in Channel channel)
    {
        // Whoever comes later has not listened when it was published.
        if (channel.Space.IsEmpty || !channel.Space.HasListeners(channel.Name)) return;
        _heard.Add((channel, _payloads.Length, message.Value.Length));
        _payloads.Write(message.Value.Span);
    }

    private void AddToTopic(in MessageView message, in RecordRoute route, LocalTopic topic)
    {
        if (topic.Settings.Compacted && message.Key.IsNull)
        {
            Refused++;
            return;
        }
        var partitions = topic.Partitions.Count;
        var chosen = partitions == 1 ? 0 : KeyPartitioner.Choose(message.Key.IsNull ? route.RoutingKey : message.Key.Span, partitions);
        var batch = BatchFor((LocalPartition)topic.Partitions[chosen]);
        _headers.Clear();
        if (!route.HasTopic) _headers.Add(CanonicalHeaders.Topic, Encoding.UTF8.GetBytes(source.Name));
        foreach (var header in message.Headers)
            if (!header.Key.SequenceEqual(CanonicalHeaders.PassedTopics)) _headers.Add(header.Key, header.Value);
        _headers.Add(CanonicalHeaders.PassedTopics, Encoding.UTF8.GetBytes(route.PassedTopics.IsEmpty ? source.Name : Encoding.UTF8.GetString(route.PassedTopics) + "\n" + source.Name));
        batch.Add(new MessageProperties { Timestamp = message.Timestamp }, message.Key, message.Value.Span, _headers.Headers);
    }

    /// <summary>The batch of some queues that no later message of one of them is behind already; a new one if there is none.</summary>
    private MessageBatch BatchFor(LocalQueue[] queues)
    {
        if (_lastSection.TryGetValue(queues[0], out var last) && _sections[last] is var section && section.Batch.Bytes < MessageBatch.MaxBytes
            && section.Queues.AsSpan().SequenceEqual(queues) && Array.TrueForAll(queues, q => _lastSection.TryGetValue(q, out var other) && other == last))
            return section.Batch;
        var batch = MessageBatch.Rent();
        foreach (var queue in queues) _lastSection[queue] = _sections.Count;
        _sections.Add((batch, queues));
        return batch;
    }

    private MessageBatch BatchFor(LocalPartition partition)
    {
        if (_lastAppend.TryGetValue(partition, out var last) && _appends[last].Batch.Bytes < MessageBatch.MaxBytes) return _appends[last].Batch;
        var batch = MessageBatch.Rent();
        _lastAppend[partition] = _appends.Count;
        _appends.Add((batch, partition));
        return batch;
    }
}
