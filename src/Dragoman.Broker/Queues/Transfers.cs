using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Queues;

/// <summary>
/// Moves messages from a queue to others: dead letters, and what is moved by hand. A message is settled at its source in
/// the commit that appends it to its targets, so it is never lost, and never there twice.
/// </summary>
internal sealed class Transfers(Queues queues, Store store, QueueDefects defects)
{
    private const int ReadBytes = 64 << 10;

    /// <summary>What becomes of departures: batches for the same queues, and whether each has somewhere to go.</summary>
    private sealed class Plan : IDisposable
    {
        public List<(MessageBatch Batch, IReadOnlyList<LocalQueue> Queues)> Sections { get; } = [];

        public List<(MessageBatch Batch, LocalPartition Partition)> Appends { get; } = [];

        public List<Leaving> Leaving { get; } = [];

        public void Dispose()
        {
            foreach (var (batch, _) in Sections) batch.Dispose();
            foreach (var (batch, _) in Appends) batch.Dispose();
        }
    }

    /// <summary>A message, and where it goes.</summary>
    /// <param name="Departure">The message.</param>
    /// <param name="Batch">The batch in which it goes to queues, or null.</param>
    /// <param name="Index">Which one it is there.</param>
    /// <param name="Queues">The queues.</param>
    /// <param name="HasTopic">Whether it goes to a topic that keeps it.</param>
    /// <param name="IsCycle">Whether it would only go round, and is dropped for that.</param>
    private sealed record Leaving(Departure Departure, MessageBatch? Batch, int Index, IReadOnlyList<LocalQueue> Queues, bool HasTopic, bool IsCycle)
    {
        /// <summary>What becomes of it.</summary>
        /// <param name="onDisk">What was appended to queues on disk.</param>
        /// <param name="inMemory">What was appended to queues in memory.</param>
        /// <param name="stays">Whether it stays as long as a target does not take it, or there is none.</param>
        public DepartureEnd EndIn(QueueCommit onDisk, QueueCommit inMemory, bool stays)
        {
            var taken = 0;
            foreach (var queue in Queues)
                if ((queue.Subscription.IsVolatile ? inMemory : onDisk).IsTaken(Batch!, Index, queue)) taken++;
            if (stays) return taken == Queues.Count && (taken > 0 || HasTopic) ? DepartureEnd.Taken : DepartureEnd.Stays;
            return taken > 0 || HasTopic ? DepartureEnd.Taken : DepartureEnd.Dropped;
        }
    }

    /// <summary>Moves messages; it fails as a whole, and then nothing was moved.</summary>
    public async Task RunAsync(LocalQueue source, IReadOnlyList<Departure> departures)
    {
        using var plan = Read(source, departures);
        var onDisk = new QueueCommit(store);
        var inMemory = new QueueCommit(store);
        var mode = source.Settings.CommitMode;
        var toMemory = false;
        var keeps = source.Settings.KeepsDeadLetters;
        foreach (var (batch, targets) in plan.Sections)
        {
            var (durable, transient) = Split(targets);
            if (durable.Count > 0) onDisk.Add(batch, durable, keeps);
            if (transient.Count > 0) inMemory.Add(batch, transient, keeps);
            toMemory |= transient.Count > 0;
            foreach (var queue in durable)
                if (queue.Settings.CommitMode > mode) mode = queue.Settings.CommitMode;
        }
        foreach (var (batch, partition) in plan.Appends)
        {
            var isInMemory = partition.CommitMode == CommitMode.Memory;
            (isInMemory ? inMemory : onDisk).Add(batch, partition);
            toMemory |= isInMemory;
            if (partition.CommitMode > mode) mode = partition.CommitMode;
        }
        var subscription = source.Subscription;
        // A full queue refuses dead letters too: they are dropped, and counted so, unless it passes them on or they may stay.
        var leaving = new DepartureSource(subscription, departures.Count, () => plan.Leaving.ConvertAll(l => (l.Departure, l.EndIn(onDisk, inMemory, keeps && l.Departure.Reason is not null && !l.IsCycle))));
        if (subscription.IsVolatile)
        {
            // What is in memory is lost in a crash anyway, so it may go on existing until the target has it on disk.
            await onDisk.RunAsync(mode == CommitMode.Memory ? CommitMode.Fsync : mode, queues.BeginAsync);
            await inMemory.RunAsync(CommitMode.Memory, queues.BeginAsync, leaving);
            await PassOnAsync(onDisk, inMemory);
            return;
        }
        if (defects.SettleEarly)
        {
            await new QueueCommit(store).RunAsync(mode, queues.BeginAsync, leaving);
            await onDisk.RunAsync(mode, queues.BeginAsync);
            return;
        }
        if (toMemory) await inMemory.RunAsync(CommitMode.Memory, queues.BeginAsync);
        await onDisk.RunAsync(mode, queues.BeginAsync, leaving);
        await PassOnAsync(onDisk, inMemory);
    }

    /// <summary>Sends on what full queues refused that have a dead-letter target for that.</summary>
    private async ValueTask PassOnAsync(QueueCommit onDisk, QueueCommit inMemory)
    {
        foreach (var commit in new[] { onDisk, inMemory })
            foreach (var (batch, queue, from) in commit.Refusals) await queues.DeadLetterRefusedAsync(queue, batch, from);
    }

    /// <summary>Sends messages that a full queue refused to its dead-letter target; they were never in it.</summary>
    public async ValueTask BuryAsync(LocalQueue source, MessageBatch refused)
    {
        using var plan = new Plan();
        using var headers = new RecordHeadersWriter();
        refused.ForEach((in MessageView message) => Add(plan, source, new Departure(-1, DeathReason.MaxLength), message, headers));
        foreach (var (batch, targets) in plan.Sections)
        {
            var (durable, transient) = Split(targets);
            foreach (var (targeted, isVolatile) in new[] { (durable, false), (transient, true) })
            {
                if (targeted.Count == 0) continue;
                var commit = new QueueCommit(store);
                commit.Add(batch, targeted);
                await commit.RunAsync(isVolatile ? CommitMode.Memory : CommitMode.Fsync, queues.BeginAsync);
            }
        }
        foreach (var (batch, partition) in plan.Appends)
        {
            var commit = new QueueCommit(store);
            commit.Add(batch, partition);
            await commit.RunAsync(partition.CommitMode, queues.BeginAsync);
        }
    }

    private static (List<LocalQueue> Durable, List<LocalQueue> Transient) Split(IReadOnlyList<LocalQueue> queues)
    {
        var (durable, transient) = (new List<LocalQueue>(), new List<LocalQueue>());
        foreach (var queue in queues) (queue.Subscription.IsVolatile ? transient : durable).Add(queue);
        return (durable, transient);
    }

    private Plan Read(LocalQueue source, IReadOnlyList<Departure> departures)
    {
        var plan = new Plan();
        var cursor = new LogCursor(source.Subscription.Log);
        using var headers = new RecordHeadersWriter();
        try
        {
            foreach (var departure in departures)
            {
                if (!cursor.TryMoveTo(departure.Offset)) cursor.Fill(departure.Offset, long.MaxValue, ReadBytes);
                if (!cursor.TryMoveTo(departure.Offset) || cursor.Current.Offset != departure.Offset)
                    throw new CorruptDataException($"Message {departure.Offset} of queue '{source.Name}' is to be moved and is not there.");
                Add(plan, source, departure, cursor.Read(), headers);
            }
            return plan;
        }
        catch
        {
            plan.Dispose();
            throw;
        }
        finally
        {
            cursor.Drop();
        }
    }

    private void Add(Plan plan, LocalQueue source, Departure departure, in MessageView message, RecordHeadersWriter headers)
    {
        var now = store.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var target = departure.Reason is null ? source.MoveTarget : source.Settings.Subscription.DeadLetter;
        var deaths = departure.Reason is { } reason && !source.IsHolding ? DeadLetters.Bury(source.Name, reason, departure.Deliveries, message, now) : null;
        var topics = new List<ITopicHandle>();
        var routes = new List<RuledRoute>();
        var targets = target is null ? [] : Find(source, target, message, topics, routes);
        var circles = deaths is null ? 0 : targets.RemoveAll(queue => DeadLetters.IsCycle(queue.Name.Name, deaths) && queue.Name.Namespace == source.Name.Namespace);
        var batch = targets.Count > 0 ? BatchFor(plan, targets) : null;
        var isRuled = AddRuled(plan, message, routes, now);
        plan.Leaving.Add(new Leaving(departure, batch, batch?.Count ?? 0, targets, topics.Count > 0 || isRuled, circles > 0 && targets.Count == 0));
        if (batch is not null) AddTo(batch, message);
        foreach (var topic in topics) AddTo(BatchFor(plan, PartitionFor((LocalTopic)topic, target!, message)), message);

        void AddTo(MessageBatch to, in MessageView view) => DeadLetters.AddTo(
            to, view, deaths, target!.Topic is { Length: > 0 } name ? name : null, target.RoutingKey, target.KeepTimestamp ? view.Timestamp : now, headers);
    }

    /// <summary>Adds what routes with rules make of a message.</summary>
    /// <returns>Whether one takes it.</returns>
    private bool AddRuled(Plan plan, in MessageView message, List<RuledRoute> routes, long now)
    {
        var isTaken = false;
        foreach (var route in routes)
        {
            if (route.Transformer is null || queues.Find(route.Target) is not LocalQueue queue || (route.Filter is { } filter && !filter.Matches(message))) continue;
            isTaken = true;
            RuledBatches.Transform(BatchFor(plan, [queue]), new RoutedMessage(route.Source, RuledBatches.IdOf(message) ?? queues.MakeId(), now, message, queue.Settings), route, null);
        }
        return isTaken;
    }

    private static MessageBatch BatchFor(Plan plan, List<LocalQueue> targets)
    {
        if (plan.Sections.Count > 0 && plan.Sections[^1] is var last && last.Batch.Bytes < MessageBatch.MaxBytes && Same(last.Queues, targets)) return last.Batch;
        var batch = MessageBatch.Rent();
        plan.Sections.Add((batch, targets));
        return batch;
    }

    private static MessageBatch BatchFor(Plan plan, LocalPartition partition)
    {
        var last = plan.Appends.FindLastIndex(a => a.Partition == partition);
        if (last >= 0 && plan.Appends[last].Batch.Bytes < MessageBatch.MaxBytes) return plan.Appends[last].Batch;
        var batch = MessageBatch.Rent();
        plan.Appends.Add((batch, partition));
        return batch;
    }

    private static LocalPartition PartitionFor(LocalTopic topic, DeadLetterTarget target, in MessageView message)
    {
        var partitions = topic.Partitions.Count;
        var chosen = partitions == 1 ? 0 : KeyPartitioner.Choose(message.Key.IsNull ? Encoding.UTF8.GetBytes(RoutingKeyOf(target, message)) : message.Key.Span, partitions);
        return (LocalPartition)topic.Partitions[chosen];
    }

    private static string RoutingKeyOf(DeadLetterTarget target, in MessageView message) =>
        target.RoutingKey ?? Encoding.UTF8.GetString(message.Headers.TryGetLast(CanonicalHeaders.RoutingKey, out var value) ? value.Span : message.Key.Span);

    private static bool Same(IReadOnlyList<LocalQueue> one, List<LocalQueue> other)
    {
        if (one.Count != other.Count) return false;
        for (var i = 0; i < other.Count; i++)
            if (!ReferenceEquals(one[i], other[i])) return false;
        return true;
    }

    private List<LocalQueue> Find(LocalQueue source, DeadLetterTarget target, in MessageView message, List<ITopicHandle> topics, List<RuledRoute> routes)
    {
        var found = new List<LocalQueue>();
        if (target.Queue is { } name)
        {
            if (queues.Find(new QueueName(source.Name.Namespace, name)) is LocalQueue queue) found.Add(queue);
            return found;
        }
        var key = RoutingKeyOf(target, message);
        if (string.IsNullOrEmpty(target.Topic))
        {
            if (queues.Find(new QueueName(source.Name.Namespace, key)) is LocalQueue queue) found.Add(queue);
            return found;
        }
        var routed = new List<IQueueHandle>();
        queues.DeadLetterRouter?.Route(source.Name, target.Topic, key, message, routed, topics, routes);
        if (source.IsHolding)
        {
            var more = new List<ITopicHandle>();
            var moreRoutes = new List<RuledRoute>();
            foreach (var header in message.Headers)
                if (header.Key.SequenceEqual(CanonicalHeaders.MoreRoutingKeys)) queues.DeadLetterRouter?.Route(source.Name, target.Topic, Encoding.UTF8.GetString(header.Value.Span), message, routed, more, moreRoutes);
            topics.AddRange(more.Except(topics));
            routes.AddRange(moreRoutes.Except(routes));
        }
        foreach (var handle in routed.Distinct()) found.Add((LocalQueue)handle);
        return found;
    }
}
