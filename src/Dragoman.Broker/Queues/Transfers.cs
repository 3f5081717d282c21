using Dragoman.Broker.Messages;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Queues;

/// <summary>
/// Moves messages from a queue to others: dead letters, and what is moved by hand. A message is settled at its source in
/// the commit that appends it to its targets, so it is never lost, and never there twice.
/// </summary>
internal sealed class Transfers(Queues queues, Store store)
{
    private const int ReadBytes = 64 << 10;

    /// <summary>What becomes of departures: batches for the same queues, and whether each has somewhere to go.</summary>
    private sealed class Plan : IDisposable
    {
        public List<(MessageBatch Batch, IReadOnlyList<LocalQueue> Queues)> Sections { get; } = [];

        public List<(Departure Departure, bool HasTarget)> Departures { get; } = [];

        public void Dispose()
        {
            foreach (var (batch, _) in Sections) batch.Dispose();
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
        foreach (var (batch, targets) in plan.Sections)
        {
            var (durable, transient) = Split(targets);
            if (durable.Count > 0) onDisk.Add(batch, durable);
            if (transient.Count > 0) inMemory.Add(batch, transient);
            toMemory |= transient.Count > 0;
            foreach (var queue in durable)
                if (queue.Settings.CommitMode > mode) mode = queue.Settings.CommitMode;
        }
        var subscription = source.Subscription;
        if (subscription.IsVolatile)
        {
            // What is in memory is lost in a crash anyway, so it may go on existing until the target has it on disk.
            await onDisk.RunAsync(mode == CommitMode.Memory ? CommitMode.Fsync : mode, queues.BeginAsync);
            await inMemory.RunAsync(CommitMode.Memory, queues.BeginAsync, subscription, plan.Departures);
            return;
        }
        if (toMemory) await inMemory.RunAsync(CommitMode.Memory, queues.BeginAsync);
        await onDisk.RunAsync(mode, queues.BeginAsync, subscription, plan.Departures);
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
        var deaths = departure.Reason is { } reason ? DeadLetters.Bury(source.Name, reason, message, now) : null;
        var targets = target is null ? [] : Find(source, target, message);
        if (deaths is not null) targets.RemoveAll(queue => DeadLetters.IsCycle(queue.Name.Name, deaths) && queue.Name.Namespace == source.Name.Namespace);
        plan.Departures.Add((departure, targets.Count > 0));
        if (targets.Count == 0) return;
        var batch = plan.Sections.Count > 0 && plan.Sections[^1] is var last && last.Batch.Bytes < MessageBatch.MaxBytes && Same(last.Queues, targets)
            ? last.Batch
            : null;
        if (batch is null) plan.Sections.Add((batch = MessageBatch.Rent(), targets));
        DeadLetters.AddTo(batch, message, deaths, target!.Topic is { Length: > 0 } topic ? topic : null, target.RoutingKey, target.KeepTimestamp ? message.Timestamp : now, headers);
    }

    private static bool Same(IReadOnlyList<LocalQueue> one, List<LocalQueue> other)
    {
        if (one.Count != other.Count) return false;
        for (var i = 0; i < other.Count; i++)
            if (!ReferenceEquals(one[i], other[i])) return false;
        return true;
    }

    private List<LocalQueue> Find(LocalQueue source, DeadLetterTarget target, in MessageView message)
    {
        var found = new List<LocalQueue>();
        if (target.Queue is { } name)
        {
            if (queues.Find(new QueueName(source.Name.Namespace, name)) is LocalQueue queue) found.Add(queue);
            return found;
        }
        var key = target.RoutingKey ?? (message.Headers.TryGetLast(CanonicalHeaders.RoutingKey, out var value) ? System.Text.Encoding.UTF8.GetString(value.Span) : "");
        if (string.IsNullOrEmpty(target.Topic))
        {
            if (queues.Find(new QueueName(source.Name.Namespace, key)) is LocalQueue queue) found.Add(queue);
            return found;
        }
        var routed = new List<IQueueHandle>();
        queues.DeadLetterRouter?.Route(source.Name, target.Topic, key, message, routed);
        foreach (var handle in routed) found.Add((LocalQueue)handle);
        return found;
    }
}
