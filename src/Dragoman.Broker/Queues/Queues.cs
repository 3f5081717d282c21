using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Queues;

/// <summary>The queues of this node. What is not committed yet is in the registry, and nobody can find it.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed class Queues : IQueues
{
    private readonly Store _store;
    private readonly StateLog _state;
    private readonly QueueRegistry _registry;
    private readonly SubscriptionHost _host;
    private readonly Random _random;
    private readonly Func<QueueName, QueueSettings, QueueSettings> _effect;
    private readonly ConcurrentDictionary<QueueName, LocalQueue> _byName = new();
    private readonly ConcurrentDictionary<Guid, LocalQueue> _byId = new();
    private readonly AppendTurns _turns = new();
    private readonly Transfers _transfers;
    private readonly Lock _observersLock = new();
    private volatile IQueueObserver[] _observers = [];

    /// <param name="host">What subscriptions share.</param>
    /// <param name="state">The registry's state.</param>
    /// <param name="random">Makes ids.</param>
    /// <param name="statistics">What is counted.</param>
    /// <param name="effect">The settings by which a queue works that was declared with some: what policies make of them. It takes no lock.</param>
    public Queues(SubscriptionHost host, StateLog state, Random random, BrokerStatistics statistics, Func<QueueName, QueueSettings, QueueSettings> effect)
    {
        _effect = effect;
        Statistics = statistics;
        _store = host.Store;
        _host = host;
        _state = state;
        _registry = (QueueRegistry)state.Machine;
        _random = random;
        _transfers = new Transfers(this, host.Store, host.Defects);
        foreach (var entry in _registry.Entries.Values) Publish(entry);
    }

    /// <summary>Begins to act by itself, once all is there that dead letters may need on their way.</summary>
    internal void Start()
    {
        // In the order of their names: a simulation goes the same way each time.
        foreach (LocalQueue queue in List())
            if (queue.Subscription.HasBusinessOnStart) queue.Subscription.Schedule();
    }

    internal Transfers Transfers => _transfers;

    internal BrokerStatistics Statistics { get; }

    internal Exception? LastError => _host.LastError;

    public IDeadLetterRouter? DeadLetterRouter { get; set; }

    public IQueueHandle? Find(QueueName name) => _byName.GetValueOrDefault(name);

    public IQueueHandle? Find(Guid id) => _byId.GetValueOrDefault(id);

    public IReadOnlyList<IQueueHandle> List()
    {
        var all = All.ToArray();
        // Each name is spelled once, not at every comparison.
        var names = Array.ConvertAll(all, static q => q.Name.ToString());
        Array.Sort(names, all, StringComparer.Ordinal);
        return all;
    }

    public IEnumerable<IQueueHandle> All
    {
        get
        {
            foreach (var (_, queue) in _byName) yield return queue;
        }
    }

    public void AddObserver(IQueueObserver observer)
    {
        lock (_observersLock) _observers = [.. _observers, observer];
    }

    public async ValueTask<QueueAnswer> DeclareAsync(QueueName name, QueueSettings settings, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(settings);
        if (!QueueName.IsValid(name.Name)) return new QueueAnswer(QueueStatus.InvalidName, null, Message: $"'{name.Name}' is not a name for a queue.");
        if (_byName.TryGetValue(name, out var known))
        {
            known.Subscription.Touch();
            Statistics.CountDeclared();
            return new QueueAnswer(QueueStatus.AlreadyExists, known);
        }
        if (settings is { Retention: not null, IsVolatile: true })
            return new QueueAnswer(QueueStatus.InvalidSettings, null, Message: "A queue that keeps its messages for a time keeps them on disk.");
        if (!settings.IsDurable) return DeclareTransient(name, settings);
        return await ExecuteAsync(name, SizeOf(settings), commit =>
        {
            if (_registry.Entries.ContainsKey(name) || _byName.ContainsKey(name)) return new QueueAnswer(QueueStatus.AlreadyExists, null);
            var (log, state) = (0L, 0L);
            if (!settings.IsVolatile)
            {
                log = _store.CreateLog(commit, LogKind.Durable).Id;
                state = _store.CreateState(commit, new SubscriptionState()).Id;
            }
            _state.Emit(commit, _registry.Put(new QueueEntry(NewId(), name, Now(), log, state, settings)));
            return new QueueAnswer(QueueStatus.Ok, null);
        }, cancellation);
    }

    /// <summary>A queue of which the journal knows nothing.</summary>
    private QueueAnswer DeclareTransient(QueueName name, QueueSettings settings)
    {
        LocalQueue queue;
        lock (_state.Lock)
        {
            if (_byName.TryGetValue(name, out var known)) return new QueueAnswer(QueueStatus.AlreadyExists, known);
            // A durable one of that name is being created.
            if (_registry.Entries.ContainsKey(name)) return new QueueAnswer(QueueStatus.AlreadyExists, null);
            queue = Publish(new QueueEntry(NewId(), name, Now(), 0, 0, settings));
        }
        if (queue.Subscription.HasBusinessOnStart) queue.Subscription.Schedule();
        Statistics.OnQueueCreated();
        foreach (var observer in _observers) observer.OnCreated(queue);
        return new QueueAnswer(QueueStatus.Ok, queue);
    }

    public async ValueTask<QueueAnswer> DeleteAsync(IQueueHandle queue, DeleteConditions conditions, CancellationToken cancellation)
    {
        var local = (LocalQueue)queue;
        if (local.IsDeleted) return NotFound(local.Name);
        QueueAnswer answer;
        if (local.Settings.IsDurable)
        {
            answer = await ExecuteAsync(local.Name, SizeOf(local.Settings), commit =>
            {
                if (!_registry.Entries.TryGetValue(local.Name, out var entry) || entry.Id != local.Id) return NotFound(local.Name);
                if (Refuse(local, conditions) is { } refused) return refused;
                _state.Emit(commit, _registry.Remove(local.Name));
                if (entry.LogId != 0) Store.DeleteLog(commit, local.Subscription.Log);
                if (entry.StateId != 0) Store.DeleteState(commit, _store.GetState(entry.StateId));
                return new QueueAnswer(QueueStatus.Ok, local, local.EndDeleted());
            }, cancellation, urgent: true);
            if (answer.Status != QueueStatus.Ok) return answer;
        }
        else
        {
            lock (_state.Lock)
            {
                if (local.IsDeleted) return NotFound(local.Name);
                if (Refuse(local, conditions) is { } refused) return refused;
                Withdraw(local);
            }
            answer = new QueueAnswer(QueueStatus.Ok, local, local.EndDeleted());
        }
        if (local.Subscription.Log.IsVolatile) await DropAsync(local.Subscription.Log);
        foreach (var observer in _observers) observer.OnDeleted(local);
        return answer;
    }

    private static QueueAnswer? Refuse(LocalQueue queue, DeleteConditions conditions)
    {
        if (conditions.HasFlag(DeleteConditions.IfStillUnused) && !queue.Subscription.IsUnused) return new QueueAnswer(QueueStatus.InUse, queue);
        var counts = queue.Counts;
        if (conditions.HasFlag(DeleteConditions.IfUnused) && counts.Consumers > 0) return new QueueAnswer(QueueStatus.InUse, queue);
        if (conditions.HasFlag(DeleteConditions.IfEmpty) && counts.Ready > 0) return new QueueAnswer(QueueStatus.NotEmpty, queue);
        return null;
    }

    /// <summary>Frees the memory of a log that nobody finds any more.</summary>
    private async ValueTask DropAsync(PartitionLog log)
    {
        var commit = await _store.BeginAsync(CommitMode.Memory, 0, urgent: true, default);
        Store.DeleteLog(commit, log);
        await _store.Enqueue(commit);
    }

    public ValueTask<QueueAnswer> ChangeSettingsAsync(IQueueHandle queue, Func<QueueSettings, QueueSettings> change, CancellationToken cancellation)
    {
        var local = (LocalQueue)queue;
        ArgumentNullException.ThrowIfNull(change);
        if (!local.Settings.IsDurable)
        {
            lock (_state.Lock)
            {
                if (local.IsDeleted) return ValueTask.FromResult(NotFound(local.Name));
                if (Change(local.Entry, change, out var changed) is { } refused) return ValueTask.FromResult(refused);
                local.Update(changed);
            }
            return ValueTask.FromResult(new QueueAnswer(QueueStatus.Ok, local));
        }
        // What it becomes may be larger than what it is.
        var declared = local.Entry.Settings;
        var size = 2 * Math.Max(SizeOf(declared), SizeOf(change(declared)));
        return ExecuteAsync(local.Name, size, commit =>
        {
            if (!_registry.Entries.TryGetValue(local.Name, out var entry) || entry.Id != local.Id) return NotFound(local.Name);
            if (Change(entry, change, out var changed) is { } refused) return refused;
            if (SizeOf(changed.Settings) > size) throw new StorageFullException("The queue was changed by somebody else at the same moment; try again.");
            if (changed != entry) _state.Emit(commit, _registry.Put(changed));
            return new QueueAnswer(QueueStatus.Ok, null);
        }, cancellation);
    }

    private static QueueAnswer? Change(QueueEntry entry, Func<QueueSettings, QueueSettings> change, out QueueEntry changed)
    {
        changed = entry with { Settings = change(entry.Settings) };
        return changed.Settings.IsDurable == entry.Settings.IsDurable && changed.Settings.IsVolatile == entry.Settings.IsVolatile && changed.Settings.Retention is null == entry.Settings.Retention is null
            ? null
            : new QueueAnswer(QueueStatus.InvalidSettings, null, Message: "Whether a queue, and what is in it, survives a restart, and whether it keeps what was read, is settled when it is created.");
    }

    /// <summary>Publishes to one queue: the common case.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, LocalQueue queue, CommitMode? mode, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(batch);
        MessageBatch? selected = null;
        try
        {
            if (batch.Count == 0) return new PublishOutcome(QueueStatus.Ok, 0, -1);
            var wanted = ModeFor(queue, mode);
            var bytes = batch.Bytes + 64 + batch.Special.Count * 32L;
            var beginning = _turns.BeginAsync(static s => s._store.BeginAsync(s.wanted, s.bytes, s.cancellation), (_store, wanted, bytes, cancellation), out var turn);
            ValueTask committed;
            PublishOutcome outcome;
            try
            {
                var commit = await beginning;
                committed = Append(commit, queue, batch, out selected, out outcome);
            }
            finally
            {
                turn?.End();
            }
            if (wanted == CommitMode.Memory) _store.Work();
            await committed;
            if (outcome.Status == QueueStatus.QueueFull && batch.Producer is null) await DeadLetterRefusedAsync(queue, batch, outcome.Accepted);
            return outcome;
        }
        catch (StorageFullException full)
        {
            return Refused(QueueStatus.Full, full.Message);
        }
        catch (StoreFailedException failed)
        {
            return Refused(QueueStatus.StorageError, failed.Message);
        }
        finally
        {
            if (selected is not null && !ReferenceEquals(selected, batch)) selected.Dispose();
            batch.Dispose();
        }
    }

    private ValueTask Append(Commit commit, LocalQueue queue, MessageBatch batch, out MessageBatch? selected, out PublishOutcome outcome)
    {
        var subscription = queue.Subscription;
        var log = subscription.Log;
        var now = Now();
        lock (subscription.Gate)
        {
            if (queue.Subscription != subscription)
            {
                _store.Abandon(commit);
                selected = null;
                outcome = Refused(QueueStatus.Moved, $"Queue '{queue.Name}' has moved.");
                return ValueTask.CompletedTask;
            }
            if (queue.IsDeleted || subscription.IsDeleted || log.IsBeingDeleted)
            {
                _store.Abandon(commit);
                selected = null;
                outcome = Refused(QueueStatus.NotFound, $"Queue '{queue.Name}' has been deleted.");
                return ValueTask.CompletedTask;
            }
            if (batch.Producer is not null && !IsNext(log, batch, out outcome))
            {
                selected = null;
                // The first copy may not be committed yet; an empty commit behind it waits for that.
                if (outcome.Status == QueueStatus.Ok && commit.Mode != CommitMode.Memory) return _store.Enqueue(commit);
                return Abandon(commit);
            }
            queue.NamespaceCounters.Add(MessageCounter.Publish, batch.Count);
            selected = subscription.Admit(batch, now, out var accepted, out var duplicates);
            var status = accepted < batch.Count ? QueueStatus.QueueFull : QueueStatus.Ok;
            if (batch.Producer is { } && status != QueueStatus.Ok)
            {
                // Sequences have no gaps: all of it, or nothing.
                _store.Abandon(commit);
                outcome = Refused(status, $"Queue '{queue.Name}' has reached its greatest length.");
                return ValueTask.CompletedTask;
            }
            lock (log.Lock)
            {
                var offset = -1L;
                if (selected is not null)
                {
                    offset = log.Append(commit, selected.Build());
                    subscription.Arrived(commit, offset, selected, now);
                    queue.Counters.AddAlone(MessageCounter.Publish, selected.Count);
                }
                outcome = new PublishOutcome(status, accepted, offset, duplicates, status == QueueStatus.Ok ? null : $"Queue '{queue.Name}' has reached its greatest length.");
                return commit.Mode == CommitMode.Memory && selected is null ? Abandon(commit) : _store.Enqueue(commit, willWork: true);
            }
        }
    }

    /// <summary>Whether the queue lacks a batch of an idempotent producer, and has all that came before it. The caller holds the gate.</summary>
    private static bool IsNext(PartitionLog log, MessageBatch batch, out PublishOutcome outcome)
    {
        outcome = default;
        RecordBatchHeader.TryRead(batch.Build().Span, out var header);
        lock (log.Lock)
        {
            switch (log.Producers.Check(header, out var known, out _))
            {
                case ProducerCheck.Accept:
                    return true;
                case ProducerCheck.Duplicate:
                    outcome = new PublishOutcome(QueueStatus.Ok, batch.Count, known, [.. Enumerable.Range(0, batch.Count).Select(i => (i, known + i))]);
                    return false;
                case ProducerCheck.StaleEpoch:
                    outcome = Refused(QueueStatus.StaleProducer, $"Producer {header.ProducerId} has a newer instance than epoch {header.ProducerEpoch}.");
                    return false;
                default:
                    outcome = Refused(QueueStatus.OutOfOrderSequence, $"Sequence {header.BaseSequence} of producer {header.ProducerId} does not follow what the queue has.");
                    return false;
            }
        }
    }

    private ValueTask Abandon(Commit commit)
    {
        _store.Abandon(commit);
        return ValueTask.CompletedTask;
    }

    /// <summary>Sends messages that a full queue refused to its dead-letter target.</summary>
    internal async ValueTask DeadLetterRefusedAsync(LocalQueue queue, MessageBatch batch, int from)
    {
        if (queue.Settings.Overflow != Overflow.RejectDeadLetter) return;
        using var refused = batch.Select(index => index >= from);
        await _transfers.BuryAsync(queue, refused);
    }

    public async ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, IReadOnlyList<IQueueHandle> queues, CommitMode? mode, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(queues);
        if (queues.Count == 1) return await PublishAsync(batch, (LocalQueue)queues[0], mode, cancellation);
        try
        {
            if (batch.Count == 0 || queues.Count == 0) return new PublishOutcome(QueueStatus.Ok, batch.Count, -1);
            var durable = new List<LocalQueue>(queues.Count);
            var inMemory = new List<LocalQueue>();
            foreach (var queue in queues)
            {
                var local = (LocalQueue)queue;
                (local.Subscription.IsVolatile ? inMemory : durable).Add(local);
            }
            ((LocalQueue)queues[0]).NamespaceCounters.Add(MessageCounter.Publish, batch.Count);
            // Built once: both commits take the same bytes.
            batch.Build();
            var onDisk = new QueueCommit(_store);
            var toMemory = new QueueCommit(_store);
            var strongest = CommitMode.Written;
            foreach (var queue in durable)
                if (ModeFor(queue, mode) is var own && own > strongest) strongest = own;
            var writing = ValueTask.CompletedTask;
            if (durable.Count > 0)
            {
                onDisk.Add(batch, durable);
                writing = onDisk.RunAsync(strongest, (m, bytes) => BeginAsync(m, bytes, cancellation));
            }
            try
            {
                if (inMemory.Count > 0)
                {
                    toMemory.Add(batch, inMemory);
                    await toMemory.RunAsync(CommitMode.Memory, (m, bytes) => BeginAsync(m, bytes, cancellation));
                }
            }
            finally
            {
                // Whatever becomes of the one, the other has the batch's bytes until it has ended.
                await writing;
            }
            var accepted = Math.Min(durable.Count > 0 ? onDisk.Accepted : batch.Count, inMemory.Count > 0 ? toMemory.Accepted : batch.Count);
            var first = durable.Count > 0 ? onDisk : toMemory;
            if (accepted < batch.Count)
            {
                foreach (var (_, queue, from) in onDisk.Refusals) await DeadLetterRefusedAsync(queue, batch, from);
                foreach (var (_, queue, from) in toMemory.Refusals) await DeadLetterRefusedAsync(queue, batch, from);
            }
            return new PublishOutcome(accepted < batch.Count ? QueueStatus.QueueFull : QueueStatus.Ok, accepted, first.BaseOffset, first.Duplicates);
        }
        catch (StorageFullException full)
        {
            return Refused(QueueStatus.Full, full.Message);
        }
        catch (StoreFailedException failed)
        {
            return Refused(QueueStatus.StorageError, failed.Message);
        }
        finally
        {
            batch.Dispose();
        }
    }

    public ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, IReadOnlyList<IQueueHandle> queues, IReadOnlyList<RuledRoute> routes, CommitMode? mode, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(routes);
        return routes.Count == 0 ? PublishAsync(batch, queues, mode, cancellation) : PublishAsync(batch, queues, routes, null, [], mode, cancellation);
    }

    /// <summary>
    /// As <see cref="PublishAsync(MessageBatch, IReadOnlyList{IQueueHandle}, IReadOnlyList{RuledRoute}, CommitMode?, CancellationToken)"/>, with events of the
    /// messages' source in the commit, and with what goes to partitions of topics, which stays its owner's.
    /// </summary>
    internal async ValueTask<PublishOutcome> PublishAsync(
        MessageBatch batch,
        IReadOnlyList<IQueueHandle> queues,
        IReadOnlyList<RuledRoute> routes,
        ICommitSource? source,
        IReadOnlyList<(MessageBatch Batch, LocalPartition Partition)> appends,
        CommitMode? mode,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(queues);
        using var ruled = new RuledBatches(this);
        try
        {
            if (routes.FirstOrDefault(static r => r.Transformer is null) is { } unknown)
                return Refused(QueueStatus.InvalidSettings, $"What routes of '{unknown.Source}' make of messages is not known here: '{unknown.Transformation}'.");
            ruled.Add(batch, routes, Now());
            var onDisk = new QueueCommit(_store);
            var toMemory = new QueueCommit(_store);
            var strongest = source is null ? CommitMode.Written : CommitMode.Fsync;
            var durable = queues.Cast<LocalQueue>().Where(static q => !q.Subscription.IsVolatile).ToList();
            var transient = queues.Cast<LocalQueue>().Where(static q => q.Subscription.IsVolatile).ToList();
            if (queues.Count > 0)
            {
                // Built once: both commits take the same bytes.
                batch.Build();
                ((LocalQueue)queues[0]).NamespaceCounters.Add(MessageCounter.Publish, batch.Count);
            }
            if (durable.Count > 0) onDisk.Add(batch, durable);
            if (transient.Count > 0) toMemory.Add(batch, transient);
            foreach (var (made, queue, _) in ruled.Batches)
            {
                (queue.Subscription.IsVolatile ? toMemory : onDisk).Add(made, [queue]);
                if (queues.Count == 0) queue.NamespaceCounters.Add(MessageCounter.Publish, made.Count);
            }
            foreach (var queue in durable.Concat(ruled.Batches.Select(static b => b.Queue)))
                if (ModeFor(queue, mode) is var own && own != CommitMode.Memory && own > strongest) strongest = own;
            foreach (var (appended, partition) in appends) (partition.CommitMode == CommitMode.Memory ? toMemory : onDisk).Add(appended, partition);
            var writing = onDisk.IsEmpty && source is null ? ValueTask.CompletedTask : onDisk.RunAsync(strongest, (m, bytes) => BeginAsync(m, bytes, cancellation), source);
            try
            {
                if (!toMemory.IsEmpty) await toMemory.RunAsync(CommitMode.Memory, (m, bytes) => BeginAsync(m, bytes, cancellation));
            }
            finally
            {
                // Whatever becomes of the one, the other has the batches' bytes until it has ended.
                await writing;
            }
            var accepted = batch.Count;
            foreach (var (refused, queue, from) in onDisk.Refusals.Concat(toMemory.Refusals))
            {
                await DeadLetterRefusedAsync(queue, refused, from);
                if (refused == batch) accepted = Math.Min(accepted, from);
                else await BuryRuledAsync(ruled, refused, from);
            }
            var first = durable.Count > 0 ? onDisk : toMemory;
            return queues.Count == 0
                ? new PublishOutcome(QueueStatus.Ok, accepted, -1)
                : new PublishOutcome(accepted < batch.Count ? QueueStatus.QueueFull : QueueStatus.Ok, accepted, first.BaseOffset, first.Duplicates);
        }
        catch (StorageFullException full)
        {
            return Refused(QueueStatus.Full, full.Message);
        }
        catch (StoreFailedException failed)
        {
            return Refused(QueueStatus.StorageError, failed.Message);
        }
        finally
        {
            batch.Dispose();
        }
    }

    /// <summary>Sends what a full target of a route refused to the route's dead letters.</summary>
    private async ValueTask BuryRuledAsync(RuledBatches ruled, MessageBatch refused, int from)
    {
        foreach (var (batch, queue, route) in ruled.Batches)
        {
            if (batch != refused || route.DeadLetters is null || Find(route.DeadLetters) is not LocalQueue target || target == queue) continue;
            var outcome = await PublishAsync(refused.Select(index => index >= from), target, null, default);
            // Whoever published is not told that all is well while they are nowhere. What full dead letters refuse is their own affair.
            if (outcome.Status == QueueStatus.Full) throw new StorageFullException($"There is no room for what '{queue.Name}' refused: {outcome.Message}");
            if (outcome.Status == QueueStatus.StorageError) throw new StoreFailedException($"What '{queue.Name}' refused could not be kept: {outcome.Message}");
        }
    }

    /// <summary>Sends on what full queues refused: to their own dead letters, or to those of the routes that it took.</summary>
    internal async ValueTask PassOnRefusedAsync(RuledBatches ruled, params QueueCommit[] commits)
    {
        foreach (var commit in commits)
        {
            foreach (var (refused, queue, from) in commit.Refusals)
            {
                await DeadLetterRefusedAsync(queue, refused, from);
                await BuryRuledAsync(ruled, refused, from);
            }
        }
    }

    public long MaxSetCost => _store.MaxCommitBytes / 2;

    public async ValueTask<PublishSetAnswer> PublishAsync(PublishSet set, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(set);
        var (onDisk, inMemory) = (new QueueCommit(_store), new QueueCommit(_store));
        using var ruled = new RuledBatches(this);
        set.Fill(onDisk, inMemory, ruled, Now(), out var mode);
        var refused = new SortedSet<int>();
        try
        {
            if (!onDisk.IsEmpty) await onDisk.RunAsync(mode, (m, bytes) => BeginAsync(m, bytes, cancellation));
            if (!inMemory.IsEmpty) await inMemory.RunAsync(CommitMode.Memory, (m, bytes) => BeginAsync(m, bytes, cancellation));
            set.AddRefused(onDisk, refused);
            set.AddRefused(inMemory, refused);
            await PassOnRefusedAsync(ruled, onDisk, inMemory);
        }
        catch (StorageFullException full)
        {
            return new PublishSetAnswer(QueueStatus.Full, null, full.Message);
        }
        catch (StoreFailedException failed)
        {
            return new PublishSetAnswer(QueueStatus.StorageError, null, failed.Message);
        }
        return new PublishSetAnswer(QueueStatus.Ok, refused.Count > 0 ? [.. refused] : null);
    }

    /// <summary>Begins a commit when its turn has come; the turn ends when the result is disposed of.</summary>
    internal ValueTask<(Commit Commit, IDisposable? Turn)> BeginAsync(CommitMode mode, long bytes) => BeginAsync(mode, bytes, default);

    /// <inheritdoc cref="BeginAsync(CommitMode, long)"/>
    internal async ValueTask<(Commit Commit, IDisposable? Turn)> BeginAsync(CommitMode mode, long bytes, CancellationToken cancellation)
    {
        var beginning = _turns.BeginAsync(static s => s._store.BeginAsync(s.mode, s.bytes, s.cancellation), (_store, mode, bytes, cancellation), out var turn);
        try
        {
            return (await beginning, turn);
        }
        catch
        {
            turn?.End();
            throw;
        }
    }

    private static CommitMode ModeFor(LocalQueue queue, CommitMode? wanted)
    {
        if (queue.Settings.IsVolatile) return CommitMode.Memory;
        var mode = wanted is { } less && less < queue.Settings.CommitMode ? less : queue.Settings.CommitMode;
        return mode == CommitMode.Memory ? CommitMode.Written : mode;
    }

    private static PublishOutcome Refused(QueueStatus status, string message) => new(status, 0, -1, null, message);

    private static QueueAnswer NotFound(QueueName name) => new(QueueStatus.NotFound, null, Message: $"There is no queue '{name}'.");

    private static int SizeOf(QueueSettings settings)
    {
        var size = Store.TypicalCommandBytes + 4 * QueueName.MaxLength;
        foreach (var (name, value) in settings.Attributes) size += 16 + 3 * (name.Length + value.Length);
        if (settings.Subscription.DeadLetter is { } target) size += 3 * ((target.Queue?.Length ?? 0) + (target.Topic?.Length ?? 0) + (target.RoutingKey?.Length ?? 0));
        return size;
    }

    private async ValueTask<QueueAnswer> ExecuteAsync(QueueName name, int maxBytes, Func<Commit, QueueAnswer> decide, CancellationToken cancellation, bool urgent = false)
    {
        try
        {
            var answer = await _state.ExecuteAsync(CommitMode.Fsync, decide, maxBytes, urgent, cancellation);
            var current = Refresh(name, out var isNew);
            if (isNew && current is not null)
            {
                Statistics.OnQueueCreated();
                foreach (var observer in _observers) observer.OnCreated(current);
            }
            return answer.Queue is null && answer.Status != QueueStatus.NotFound ? answer with { Queue = current } : answer;
        }
        catch (StorageFullException error)
        {
            return new QueueAnswer(QueueStatus.Full, null, Message: error.Message);
        }
        catch (StoreFailedException error)
        {
            return new QueueAnswer(QueueStatus.StorageError, null, Message: error.Message);
        }
    }

    /// <summary>Lets everybody find what the registry says of a name.</summary>
    private LocalQueue? Refresh(QueueName name, out bool isNew)
    {
        lock (_state.Lock)
        {
            isNew = false;
            _byName.TryGetValue(name, out var known);
            if (_registry.Entries.TryGetValue(name, out var entry))
            {
                if (known?.Id == entry.Id)
                {
                    if (known.Entry != entry) known.Update(entry);
                    return known;
                }
                if (known is not null) Withdraw(known);
                isNew = true;
                var queue = Publish(entry);
                if (queue.Subscription.HasBusinessOnStart) queue.Subscription.Schedule();
                return queue;
            }
            if (known is { Settings.IsDurable: true })
            {
                Withdraw(known);
                return null;
            }
            return known;
        }
    }

    private void Withdraw(LocalQueue queue)
    {
        Statistics.OnQueueDeleted(queue, queue.MarkDeleted);
        _byName.TryRemove(queue.Name, out _);
        _byId.TryRemove(queue.Id, out _);
    }

    /// <summary>The settings by which a queue works.</summary>
    internal QueueSettings EffectiveOf(QueueEntry entry) => Routing.CompanionQueues.IsCompanion(entry.Settings) ? entry.Settings : _effect(entry.Name, entry.Settings);

    /// <summary>Has all queues work by what policies say now.</summary>
    internal void Reapply()
    {
        lock (_state.Lock)
        {
            foreach (var (_, queue) in _byName) queue.Update(queue.Entry);
        }
    }

    private LocalQueue Publish(QueueEntry entry)
    {
        LocalQueue queue;
        var settings = EffectiveOf(entry);
        if (entry.LogId == 0)
        {
            // Offsets go on where an earlier life cannot have come.
            var log = _store.CreateVolatileLog(entry.Settings.IsDurable ? Now() << 20 : 0);
            var machine = new SubscriptionState();
            machine.StartAt(log.StartOffset);
            queue = new LocalQueue(this, entry, _host, owner => new Subscription(_host, owner, log, null, machine, settings));
        }
        else
        {
            var state = _store.GetState(entry.StateId);
            queue = new LocalQueue(this, entry, _host, owner => new Subscription(_host, owner, _store.GetLog(entry.LogId), state, (SubscriptionState)state.Machine, settings));
        }
        _byName[entry.Name] = queue;
        _byId[entry.Id] = queue;
        return queue;
    }

    internal int Epoch => _store.Epoch;

    internal long Now() => _store.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>An id that nothing else has.</summary>
    internal Guid MakeId()
    {
        lock (_state.Lock) return NewId();
    }

    /// <summary>Has a queue on disk begin anew with what is in the journal, as when it moves to another node.</summary>
    internal void Move(LocalQueue queue)
    {
        if (queue.Entry.StateId == 0 || queue.IsDeleted) return;
        var state = _store.GetState(queue.Entry.StateId);
        queue.Move(owner => new Subscription(_host, owner, queue.Subscription.Log, state, (SubscriptionState)state.Machine, queue.Settings));
    }

    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes);
    }

    /// <summary>Deletes a queue that nobody uses, if that is so still.</summary>
    internal void DeleteUnused(LocalQueue queue) => _ = DeleteAsync(queue, DeleteConditions.IfStillUnused, default).AsTask();

    /// <summary>Ends all consumers, and commits what they have settled: the broker stops.</summary>
    internal async ValueTask StopAsync()
    {
        _host.Dispose();
        var stopping = new List<Task>();
        foreach (LocalQueue queue in List()) stopping.Add(queue.StopAsync());
        foreach (var stop in stopping) await stop;
    }
}
