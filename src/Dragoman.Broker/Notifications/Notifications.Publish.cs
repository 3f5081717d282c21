using System.Globalization;
using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Notifications;

/// <content>Publishing: to the topic's log if it keeps one, else to all targets in one commit.</content>
internal sealed partial class Notifications
{
    /// <summary>The header that has a notification's number in a topic that keeps order.</summary>
    private static ReadOnlySpan<byte> SequenceHeader => "sns-sequence"u8;

    public async ValueTask<NotifyAnswer> PublishAsync(TopicName topic, IReadOnlyList<Notification> notifications, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentNullException.ThrowIfNull(notifications);
        if (Find(topic) is not { } facet) return new NotifyAnswer(NotificationStatus.NotFound, []);
        if (facet.IsOrdered) return await PublishOrderedAsync(topic, notifications, cancellation);
        var (status, message) = await SendAsync(topic, notifications, null, null, cancellation);
        return new NotifyAnswer(status, [.. notifications.Select(static n => new NotificationReceipt(n.Id, -1))], message);
    }

    /// <summary>One call after the other: the order of numbers is that in which messages are where they go.</summary>
    private async ValueTask<NotifyAnswer> PublishOrderedAsync(TopicName topic, IReadOnlyList<Notification> notifications, CancellationToken cancellation)
    {
        var turn = _turns.GetOrAdd(topic, static _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancellation);
        try
        {
            var now = Now;
            var receipts = new NotificationReceipt[notifications.Count];
            var fresh = new List<Notification>();
            var published = new List<(string Key, PublishedOnce Published)>();
            lock (_state.Lock)
            {
                var next = _machine.NextSequence(topic);
                for (var i = 0; i < receipts.Length; i++)
                {
                    var notification = notifications[i];
                    var key = notification.DeduplicationId ?? notification.Id.ToString();
                    var known = published.FindIndex(p => p.Key == key);
                    if ((known >= 0 ? published[known].Published : _machine.FindFirst(topic, key, now)) is { } first)
                    {
                        receipts[i] = new NotificationReceipt(first.Id, first.Sequence);
                        continue;
                    }
                    receipts[i] = new NotificationReceipt(notification.Id, next);
                    published.Add((key, new PublishedOnce(notification.Id, next++, now)));
                    fresh.Add(notification);
                }
            }
            if (fresh.Count == 0) return new NotifyAnswer(NotificationStatus.Ok, receipts);
            var (status, message) = await SendAsync(topic, fresh, published, new Source(this, topic, published), cancellation);
            return new NotifyAnswer(status, receipts, message);
        }
        finally
        {
            turn.Release();
        }
    }

    private long Now => _store.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private async ValueTask<(NotificationStatus Status, string? Message)> SendAsync(
        TopicName topic, IReadOnlyList<Notification> notifications, List<(string Key, PublishedOnce Published)>? numbers, Source? source, CancellationToken cancellation)
    {
        using var headers = new RecordHeadersWriter();
        // By the first one: where headers decide, each goes its own way.
        var result = new RouteResult();
        WriteHeaders(topic, notifications[0], numbers?[0].Published.Sequence, headers);
        _routing.Resolve(topic, notifications[0].Key ?? "", headers.Headers, result);
        if (notifications.Count > 1 && (result.DependsOnHeaders || result.DependsOnKey || result.Varies))
        {
            for (var i = 0; i < notifications.Count; i++)
            {
                var part = numbers?.GetRange(i, 1);
                var sent = await SendAsync(topic, [notifications[i]], part, part is null ? null : new Source(this, topic, part), cancellation);
                if (sent.Status != NotificationStatus.Ok) return sent;
            }
            return (NotificationStatus.Ok, null);
        }
        var appends = new List<(MessageBatch Batch, LocalPartition Partition)>();
        try
        {
            foreach (var log in result.Logs)
            {
                // What is published once is in the log in the same commit that says so.
                var (status, message) = source is null
                    ? await AppendAsync(topic, (LocalTopic)log, notifications, headers, cancellation)
                    : AddAppends(appends, topic, (LocalTopic)log, notifications, numbers, headers);
                if (status != NotificationStatus.Ok) return (status, message);
            }
            return await SendAsync(topic, notifications, numbers, source, result, appends, headers, cancellation);
        }
        finally
        {
            foreach (var (batch, _) in appends) batch.Dispose();
        }
    }

    /// <summary>Hands notifications to queues and channels, and to partitions in the same commit.</summary>
    private async ValueTask<(NotificationStatus Status, string? Message)> SendAsync(
        TopicName topic,
        IReadOnlyList<Notification> notifications,
        List<(string Key, PublishedOnce Published)>? numbers,
        Source? source,
        RouteResult result,
        List<(MessageBatch Batch, LocalPartition Partition)> appends,
        RecordHeadersWriter headers,
        CancellationToken cancellation)
    {
        var batch = MessageBatch.Rent();
        for (var i = 0; i < notifications.Count; i++)
        {
            var notification = notifications[i];
            WriteHeaders(topic, notification, numbers?[i].Published.Sequence, headers);
            batch.Add(new MessageProperties { Timestamp = Now, DeduplicationId = notification.DeduplicationId }, KeyOf(notification), notification.Body.Span, headers.Headers);
        }
        if (result.Queues.Count == 0 && result.Routes.Count == 0 && source is null) batch.Dispose();
        else
        {
            var outcome = await _queues.PublishAsync(batch, result.Queues, result.Routes, source, appends, null, cancellation);
            if (outcome.Status is QueueStatus.Full) return (NotificationStatus.Full, outcome.Message);
            if (outcome.Status is not (QueueStatus.Ok or QueueStatus.QueueFull or QueueStatus.NotFound)) return (NotificationStatus.StorageError, outcome.Message);
        }
        foreach (var name in result.Channels)
        {
            var space = _channels().In(name.Namespace);
            if (space.IsEmpty) continue;
            foreach (var notification in notifications) space.Publish(Encoding.UTF8.GetBytes(name.Name), notification.Body.Span);
        }
        return (NotificationStatus.Ok, null);
    }

    private async ValueTask<(NotificationStatus Status, string? Message)> AppendAsync(
        TopicName topic, LocalTopic log, IReadOnlyList<Notification> notifications, RecordHeadersWriter headers, CancellationToken cancellation)
    {
        var batches = new SortedDictionary<int, RecordBatchBuilder>();
        try
        {
            foreach (var notification in notifications)
            {
                WriteHeaders(topic, notification, null, headers);
                var key = KeyOf(notification);
                var partition = PartitionOf(notification, key, log);
                if (!batches.TryGetValue(partition, out var batch)) batches[partition] = batch = new RecordBatchBuilder();
                batch.Add(Now, key is null ? default : (NullableBytes)key, notification.Body.Span, headers.Headers);
            }
            foreach (var (partition, batch) in batches)
            {
                var answer = await log.Partitions[partition].AppendAsync(batch.Build(new BatchOptions()), cancellation);
                if (answer.Status != PartitionStatus.Ok) return (answer.Status == PartitionStatus.Full ? NotificationStatus.Full : NotificationStatus.Refused, answer.Message ?? answer.Status.ToString());
            }
            return (NotificationStatus.Ok, null);
        }
        finally
        {
            foreach (var batch in batches.Values) batch.Dispose();
        }
    }

    /// <summary>As <see cref="AppendAsync"/>, for a commit that is yet to come.</summary>
    private (NotificationStatus Status, string? Message) AddAppends(
        List<(MessageBatch Batch, LocalPartition Partition)> appends,
        TopicName topic,
        LocalTopic log,
        IReadOnlyList<Notification> notifications,
        List<(string Key, PublishedOnce Published)>? numbers,
        RecordHeadersWriter headers)
    {
        var first = appends.Count;
        for (var i = 0; i < notifications.Count; i++)
        {
            var notification = notifications[i];
            WriteHeaders(topic, notification, numbers?[i].Published.Sequence, headers);
            if (notification.DeduplicationId is { } id) headers.Add(CanonicalHeaders.DeduplicationId, Encoding.UTF8.GetBytes(id));
            var key = KeyOf(notification);
            var partition = (LocalPartition)log.Partitions[PartitionOf(notification, key, log)];
            var place = appends.FindIndex(first, a => a.Partition == partition);
            if (place < 0)
            {
                place = appends.Count;
                appends.Add((MessageBatch.Rent(), partition));
            }
            appends[place].Batch.Add(new MessageProperties { Timestamp = Now }, key, notification.Body.Span, headers.Headers);
        }
        foreach (var (batch, partition) in appends[first..])
        {
            var answer = partition.Examine(batch.Build());
            if (answer.Status != PartitionStatus.Ok) return (NotificationStatus.Refused, answer.Message ?? answer.Status.ToString());
        }
        log.NamespaceCounters.Add(MessageCounter.Publish, notifications.Count);
        return (NotificationStatus.Ok, null);
    }

    private static int PartitionOf(Notification notification, byte[]? key, LocalTopic log) =>
        log.Partitions.Count == 1 ? 0 : KeyPartitioner.Choose(key ?? notification.Id.ToByteArray(), log.Partitions.Count);

    private static byte[]? KeyOf(Notification notification) => notification.Key is null ? null : Encoding.UTF8.GetBytes(notification.Key);

    private static void WriteHeaders(TopicName topic, Notification notification, long? sequence, RecordHeadersWriter headers)
    {
        headers.Clear();
        headers.Add(CanonicalHeaders.Topic, Encoding.UTF8.GetBytes(topic.Name));
        headers.Add(CanonicalHeaders.MessageId, Encoding.ASCII.GetBytes(notification.Id.ToString()));
        if (sequence is { } number) headers.Add(SequenceHeader, Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
        notification.WriteHeaders(headers);
    }

    /// <summary>What was published once, as a part of the commit that hands it to its targets.</summary>
    private sealed class Source(Notifications owner, TopicName topic, List<(string Key, PublishedOnce Published)> published) : ICommitSource
    {
        public Lock Gate => owner._state.Lock;

        public long GateOrder => owner._state.Id;

        public PartitionLog? Log => null;

        public long BytesWanted => BytesNeeded;

        public long BytesNeeded
        {
            get
            {
                long size = 0;
                foreach (var (key, _) in published) size += 128 + 3 * (key.Length + topic.Name.Length + topic.Namespace.Tenant.Length + topic.Namespace.Name.Length);
                return size;
            }
        }

        public bool IsGone => !owner._machine.Topics.ContainsKey(topic);

        public void Emit(Commit commit)
        {
            foreach (var (key, once) in published) owner._state.Emit(commit, NotificationState.Publish(topic, key, once));
        }

        public void ChangeLog(Commit commit)
        {
        }
    }
}
