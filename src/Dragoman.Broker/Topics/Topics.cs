using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Topics;

/// <summary>The topics of this node. What is not committed yet is in the registry, and nobody can find it.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed class Topics : ITopics
{
    private readonly Store _store;
    private readonly StateLog _state;
    private readonly BrokerStatistics _statistics;
    private readonly TopicRegistry _registry;
    private readonly Random _random;
    private long _version;
    private readonly TransactionGate _gate;
    private readonly ConcurrentDictionary<TopicName, LocalTopic> _byName = new();
    private readonly ConcurrentDictionary<Guid, LocalTopic> _byId = new();
    private readonly Lock _observersLock = new();
    private volatile ITopicObserver[] _observers = [];

    public Topics(Store store, StateLog state, Random random, TransactionGate gate, BrokerStatistics statistics)
    {
        _statistics = statistics;
        _gate = gate;
        _store = store;
        _state = state;
        _registry = (TopicRegistry)state.Machine;
        _random = random;
        foreach (var entry in _registry.Entries.Values) Publish(entry);
    }

    public long Version => Volatile.Read(ref _version);

    public ITopicHandle? Find(TopicName name) => _byName.GetValueOrDefault(name);

    public ITopicHandle? Find(Guid id) => _byId.GetValueOrDefault(id);

    public IReadOnlyList<ITopicHandle> List()
    {
        var all = new List<ITopicHandle>(_byName.Values);
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name.ToString(), b.Name.ToString()));
        return all;
    }

    public void AddObserver(ITopicObserver observer)
    {
        lock (_observersLock) _observers = [.. _observers, observer];
    }

    public ValueTask<TopicAnswer> CreateAsync(TopicName name, int partitions, TopicSettings settings, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(settings);
        if (!TopicName.IsValid(name.Name)) return ValueTask.FromResult(new TopicAnswer(TopicStatus.InvalidName, null, $"'{name.Name}' is not a name for a topic."));
        if (partitions is < 1 or > ITopics.MaxPartitions)
            return ValueTask.FromResult(new TopicAnswer(TopicStatus.InvalidPartitions, null, $"A topic has between 1 and {ITopics.MaxPartitions} partitions."));
        return ExecuteAsync(name, SizeOf(partitions, settings), commit =>
        {
            if (_registry.Entries.ContainsKey(name)) return new TopicAnswer(TopicStatus.AlreadyExists, null, $"Topic '{name}' is there already.");
            var kind = settings.CommitMode == CommitMode.Memory ? LogKind.Memory : LogKind.Durable;
            var logs = new long[partitions];
            for (var i = 0; i < partitions; i++) logs[i] = _store.CreateLog(commit, kind).Id;
            _state.Emit(commit, _registry.Put(new TopicEntry(NewId(), name, _store.Time.GetUtcNow().ToUnixTimeMilliseconds(), logs, settings)));
            return new TopicAnswer(TopicStatus.Ok, null);
        }, cancellation);
    }

    public async ValueTask<TopicAnswer> DeleteAsync(TopicName name, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        var handle = Find(name);
        if (handle is null) return NotFound(name);
        return await ExecuteAsync(name, SizeOf(handle.Partitions.Count, handle.Settings), commit =>
        {
            if (!_registry.Entries.TryGetValue(name, out var entry)) return NotFound(name);
            _state.Emit(commit, _registry.Remove(name));
            foreach (var id in entry.LogIds) Store.DeleteLog(commit, _store.GetLog(id));
            return new TopicAnswer(TopicStatus.Ok, handle);
        }, cancellation, urgent: true);
    }

    public ValueTask<TopicAnswer> AddPartitionsAsync(TopicName name, int newCount, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is not { } handle) return ValueTask.FromResult(NotFound(name));
        if (newCount > ITopics.MaxPartitions)
            return ValueTask.FromResult(new TopicAnswer(TopicStatus.InvalidPartitions, handle, $"A topic has between 1 and {ITopics.MaxPartitions} partitions."));
        return ExecuteAsync(name, SizeOf(newCount, handle.Settings), commit =>
        {
            if (!_registry.Entries.TryGetValue(name, out var entry)) return NotFound(name);
            if (newCount <= entry.LogIds.Count)
                return new TopicAnswer(TopicStatus.InvalidPartitions, null, $"Topic '{name}' has {entry.LogIds.Count} partitions, and partitions are only added.");
            var kind = entry.Settings.CommitMode == CommitMode.Memory ? LogKind.Memory : LogKind.Durable;
            var logs = new List<long>(entry.LogIds);
            while (logs.Count < newCount) logs.Add(_store.CreateLog(commit, kind).Id);
            _state.Emit(commit, _registry.Put(entry with { LogIds = logs }));
            return new TopicAnswer(TopicStatus.Ok, null);
        }, cancellation);
    }

    public ValueTask<TopicAnswer> ChangeSettingsAsync(TopicName name, Func<TopicSettings, TopicSettings> change, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(change);
        if (Find(name) is not { } handle) return ValueTask.FromResult(NotFound(name));
        return ExecuteAsync(name, SizeOf(handle.Partitions.Count, handle.Settings) * 2, commit =>
        {
            if (!_registry.Entries.TryGetValue(name, out var entry)) return NotFound(name);
            var settings = change(entry.Settings);
            if (settings != entry.Settings) _state.Emit(commit, _registry.Put(entry with { Settings = settings }));
            return new TopicAnswer(TopicStatus.Ok, null);
        }, cancellation);
    }

    private static TopicAnswer NotFound(TopicName name) => new(TopicStatus.NotFound, null, $"There is no topic '{name}'.");

    private static int SizeOf(int partitions, TopicSettings settings)
    {
        var size = Store.TypicalCommandBytes + partitions * 48 + 4 * TopicName.MaxLength;
        foreach (var (name, value) in settings.Attributes) size += 16 + 3 * (name.Length + value.Length);
        return size;
    }

    private async ValueTask<TopicAnswer> ExecuteAsync(TopicName name, int maxBytes, Func<Commit, TopicAnswer> decide, CancellationToken cancellation, bool urgent = false)
    {
        try
        {
            var answer = await _state.ExecuteAsync(CommitMode.Fsync, decide, maxBytes, urgent, cancellation);
            var current = Refresh(name);
            foreach (var observer in _observers) observer.OnChanged(name);
            return answer.Topic is null && answer.Status != TopicStatus.NotFound ? answer with { Topic = current } : answer;
        }
        catch (StorageFullException error)
        {
            return new TopicAnswer(TopicStatus.Full, null, error.Message);
        }
        catch (StoreFailedException error)
        {
            return new TopicAnswer(TopicStatus.StorageError, null, error.Message);
        }
    }

    /// <summary>Lets everybody find what the registry says of a name.</summary>
    private LocalTopic? Refresh(TopicName name)
    {
        lock (_state.Lock)
        {
            if (_registry.Entries.TryGetValue(name, out var entry)) return Publish(entry);
            if (_byName.TryRemove(name, out var gone))
            {
                _byId.TryRemove(gone.Id, out _);
                gone.MarkDeleted();
                Interlocked.Increment(ref _version);
            }
            return null;
        }
    }

    private LocalTopic Publish(TopicEntry entry)
    {
        if (_byName.TryGetValue(entry.Name, out var known) && known.Id == entry.Id)
        {
            known.Update(entry);
            Interlocked.Increment(ref _version);
            return known;
        }
        known?.MarkDeleted();
        if (known is not null) _byId.TryRemove(known.Id, out _);
        var topic = new LocalTopic(_store, _gate, entry, _statistics);
        _byName[entry.Name] = topic;
        _byId[entry.Id] = topic;
        Interlocked.Increment(ref _version);
        return topic;
    }

    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
