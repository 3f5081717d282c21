using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
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
    private readonly ConcurrentDictionary<QueueName, LocalQueue> _byName = new();
    private readonly ConcurrentDictionary<Guid, LocalQueue> _byId = new();
    private readonly AppendTurns _turns = new();
    private readonly Lock _observersLock = new();
    private volatile IQueueObserver[] _observers = [];

    public Queues(SubscriptionHost host, StateLog state, Random random)
    {
        _store = host.Store;
        _host = host;
        _state = state;
        _registry = (QueueRegistry)state.Machine;
        _random = random;
        foreach (var entry in _registry.Queues.Values) Publish(entry);
    }

    public IDeadLetterRouter? DeadLetterRouter { get; set; }

    public IQueueHandle? Find(QueueName name) => _byName.GetValueOrDefault(name);

    public IQueueHandle? Find(Guid id) => _byId.GetValueOrDefault(id);

    public IReadOnlyList<IQueueHandle> List()
    {
        var all = new List<IQueueHandle>(_byName.Values);
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name.ToString(), b.Name.ToString()));
        return all;
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
        if (Find(name) is { } known) return new QueueAnswer(QueueStatus.AlreadyExists, known);
        if (!settings.IsDurable) return DeclareTransient(name, settings);
        return await ExecuteAsync(name, SizeOf(settings), commit =>
        {
            if (_registry.Queues.ContainsKey(name) || _byName.ContainsKey(name)) return new QueueAnswer(QueueStatus.AlreadyExists, null);
            var (log, state) = (0L, 0L);
            if (!settings.IsVolatile)
            {
                log = _store.CreateLog(commit, LogKind.Durable).Id;
                state = _store.CreateState(commit, new SubscriptionState()).Id;
            }
            _state.Emit(commit, QueueRegistry.Put(new QueueEntry(NewId(), name, Now(), log, state, settings)));
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
            if (_registry.Queues.ContainsKey(name)) return new QueueAnswer(QueueStatus.AlreadyExists, null);
            queue = Publish(new QueueEntry(NewId(), name, Now(), 0, 0, settings));
        }
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
                if (!_registry.Queues.TryGetValue(local.Name, out var entry) || entry.Id != local.Id) return NotFound(local.Name);
                if (Refuse(local, conditions) is { } refused) return refused;
                _state.Emit(commit, QueueRegistry.Remove(local.Name));
                if (entry.LogId != 0) Store.DeleteLog(commit, local.Subscription.Log);
                if (entry.StateId != 0) Store.DeleteState(commit, _store.GetState(entry.StateId));
                return new QueueAnswer(QueueStatus.Ok, local, local.Subscription.Delete());
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
            answer = new QueueAnswer(QueueStatus.Ok, local, local.Subscription.Delete());
        }
        if (local.Subscription.Log.IsVolatile) await DropAsync(local.Subscription.Log);
        foreach (var observer in _observers) observer.OnDeleted(local);
        return answer;
    }

    private static QueueAnswer? Refuse(LocalQueue queue, DeleteConditions conditions)
    {
        var counts = queue.Subscription.Counts;
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
        return ExecuteAsync(local.Name, SizeOf(local.Settings) * 2, commit =>
        {
            if (!_registry.Queues.TryGetValue(local.Name, out var entry) || entry.Id != local.Id) return NotFound(local.Name);
            if (Change(entry, change, out var changed) is { } refused) return refused;
            if (changed != entry) _state.Emit(commit, QueueRegistry.Put(changed));
            return new QueueAnswer(QueueStatus.Ok, null);
        }, cancellation);
    }

    private static QueueAnswer? Change(QueueEntry entry, Func<QueueSettings, QueueSettings> change, out QueueEntry changed)
    {
        changed = entry with { Settings = change(entry.Settings) };
        return changed.Settings.IsDurable == entry.Settings.IsDurable && changed.Settings.IsVolatile == entry.Settings.IsVolatile
            ? null
            : new QueueAnswer(QueueStatus.InvalidSettings, null, Message: "Whether a queue, and what is in it, survives a restart is settled when it is created.");
    }

    /// <summary>Publishes to one queue: the common case.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, LocalQueue queue, CommitMode? mode, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(batch);
        try
        {
            if (batch.Count == 0) return new PublishOutcome(QueueStatus.Ok, 0, -1);
            var bytes = batch.Build();
            var wanted = ModeFor(queue, mode);
            var beginning = _turns.BeginAsync(static s => s._store.BeginAsync(s.wanted, s.Length, s.cancellation), (_store, wanted, bytes.Length, cancellation), out var turn);
            ValueTask committed;
            long offset;
            try
            {
                var commit = await beginning;
                committed = Append(commit, queue, bytes, out offset);
            }
            finally
            {
                turn?.End();
            }
            if (offset < 0) return Refused(QueueStatus.NotFound, $"Queue '{queue.Name}' has been deleted.");
            await committed;
            return new PublishOutcome(QueueStatus.Ok, batch.Count, offset);
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

    private ValueTask Append(Commit commit, LocalQueue queue, Memory<byte> bytes, out long offset)
    {
        var log = queue.Subscription.Log;
        lock (log.Lock)
        {
            if (queue.IsDeleted || log.IsBeingDeleted)
            {
                _store.Abandon(commit);
                offset = -1;
                return ValueTask.CompletedTask;
            }
            offset = log.Append(commit, bytes);
            return _store.Enqueue(commit);
        }
    }

    public async ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, IReadOnlyList<IQueueHandle> queues, CommitMode? mode, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(queues);
        if (queues.Count == 1) return await PublishAsync(batch, (LocalQueue)queues[0], mode, cancellation);
        try
        {
            if (batch.Count == 0 || queues.Count == 0) return new PublishOutcome(QueueStatus.Ok, batch.Count, -1);
            var bytes = batch.Build();
            var durable = new List<LocalQueue>(queues.Count);
            var inMemory = new List<LocalQueue>();
            foreach (var queue in queues)
            {
                var local = (LocalQueue)queue;
                (local.Settings.IsVolatile ? inMemory : durable).Add(local);
            }
            // Locks are taken in the order of ids.
            durable.Sort(static (a, b) => a.Subscription.Log.Id.CompareTo(b.Subscription.Log.Id));
            inMemory.Sort(static (a, b) => a.Subscription.Log.Id.CompareTo(b.Subscription.Log.Id));
            var toDisk = durable.Count > 0 ? AppendAsync(durable, bytes, StrongestFor(durable, mode), cancellation).AsTask() : Task.FromResult(-1L);
            var toMemory = inMemory.Count > 0 ? AppendAsync(inMemory, bytes, CommitMode.Memory, cancellation).AsTask() : Task.FromResult(-1L);
            var first = await toDisk;
            var other = await toMemory;
            return new PublishOutcome(QueueStatus.Ok, batch.Count, durable.Count > 0 ? first : other);
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

    /// <summary>Appends one batch to several logs in one commit; those of queues that have gone meanwhile are left out.</summary>
    private async ValueTask<long> AppendAsync(List<LocalQueue> queues, Memory<byte> bytes, CommitMode mode, CancellationToken cancellation)
    {
        var size = bytes.Length + 64L * queues.Count;
        var beginning = _turns.BeginAsync(static s => s._store.BeginAsync(s.mode, s.size, s.cancellation), (_store, mode, size, cancellation), out var turn);
        ValueTask committed;
        var offset = -1L;
        try
        {
            var commit = await beginning;
            committed = AppendAll(commit, queues, bytes, out offset);
        }
        finally
        {
            turn?.End();
        }
        await committed;
        return offset;
    }

    private ValueTask AppendAll(Commit commit, List<LocalQueue> queues, Memory<byte> bytes, out long offset)
    {
        offset = -1;
        var locked = 0;
        try
        {
            var body = -1;
            foreach (var queue in queues)
            {
                var log = queue.Subscription.Log;
                log.Lock.Enter();
                locked++;
                if (queue.IsDeleted || log.IsBeingDeleted) continue;
                var at = log.AppendShared(commit, bytes, ref body);
                if (offset < 0) offset = at;
            }
            return _store.Enqueue(commit);
        }
        finally
        {
            for (var i = 0; i < locked; i++) queues[i].Subscription.Log.Lock.Exit();
        }
    }

    private static CommitMode ModeFor(LocalQueue queue, CommitMode? wanted)
    {
        if (queue.Settings.IsVolatile) return CommitMode.Memory;
        var mode = wanted is { } less && less < queue.Settings.CommitMode ? less : queue.Settings.CommitMode;
        return mode == CommitMode.Memory ? CommitMode.Written : mode;
    }

    private static CommitMode StrongestFor(List<LocalQueue> queues, CommitMode? wanted)
    {
        var strongest = CommitMode.Written;
        foreach (var queue in queues)
            if (ModeFor(queue, wanted) is var mode && mode > strongest) strongest = mode;
        return strongest;
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
                foreach (var observer in _observers) observer.OnCreated(current);
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
            if (_registry.Queues.TryGetValue(name, out var entry))
            {
                if (known?.Id == entry.Id)
                {
                    if (known.Entry != entry) known.Update(entry);
                    return known;
                }
                if (known is not null) Withdraw(known);
                isNew = true;
                return Publish(entry);
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
        queue.MarkDeleted();
        _byName.TryRemove(queue.Name, out _);
        _byId.TryRemove(queue.Id, out _);
    }

    private LocalQueue Publish(QueueEntry entry)
    {
        Subscription subscription;
        if (entry.LogId == 0)
        {
            // Offsets go on where an earlier life cannot have come.
            var log = _store.CreateVolatileLog(entry.Settings.IsDurable ? Now() << 20 : 0);
            var machine = new SubscriptionState();
            machine.StartAt(log.StartOffset);
            subscription = new Subscription(_host, log, null, machine, entry.Settings.Subscription);
        }
        else
        {
            var state = _store.GetState(entry.StateId);
            subscription = new Subscription(_host, _store.GetLog(entry.LogId), state, (SubscriptionState)state.Machine, entry.Settings.Subscription);
        }
        var queue = new LocalQueue(this, entry, subscription);
        _byName[entry.Name] = queue;
        _byId[entry.Id] = queue;
        return queue;
    }

    private long Now() => _store.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
