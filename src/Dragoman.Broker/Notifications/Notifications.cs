using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Channels;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Routing.Filters;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Notifications;

/// <summary>The topics with subscriptions of this node. Their routes follow from the state, at a start and with each change.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed partial class Notifications : INotifications
{
    /// <summary>For how long a topic that keeps order knows a copy of a message.</summary>
    public const long DeduplicationWindowMs = 5 * 60 * 1000;

    /// <summary>The name of the transformation that routes of subscriptions use.</summary>
    public const string Transformation = "notification";

    private readonly StateLog _state;
    private readonly NotificationState _machine;
    private readonly TopicRouting _routing;
    private readonly Queues.Queues _queues;
    private readonly Func<IChannels> _channels;
    private readonly Store _store;
    private readonly ConcurrentDictionary<TopicName, SemaphoreSlim> _turns = new();

    public Notifications(Store store, StateLog state, TopicRouting routing, Queues.Queues queues, Func<IChannels> channels)
    {
        _store = store;
        _state = state;
        _machine = (NotificationState)state.Machine;
        _routing = routing;
        _queues = queues;
        _channels = channels;
        foreach (var topic in _machine.Topics.Keys) routing.Announce(topic);
        foreach (var subscription in _machine.Subscriptions.Values) Route(subscription);
    }

    public NotificationTopic? Find(TopicName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        lock (_state.Lock) return _machine.Topics.GetValueOrDefault(name);
    }

    public NotificationSubscription? Find(Guid id)
    {
        lock (_state.Lock) return _machine.Subscriptions.GetValueOrDefault(id);
    }

    public IReadOnlyList<NotificationTopic> ListTopics()
    {
        List<NotificationTopic> all;
        lock (_state.Lock) all = [.. _machine.Topics.Values];
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name.ToString(), b.Name.ToString()));
        return all;
    }

    public IReadOnlyList<NotificationSubscription> ListSubscriptions(TopicName? topic)
    {
        List<NotificationSubscription> all;
        lock (_state.Lock) all = [.. _machine.Subscriptions.Values.Where(s => topic is null || s.Topic == topic)];
        all.Sort(static (a, b) => a.CreatedAtMs != b.CreatedAtMs ? a.CreatedAtMs.CompareTo(b.CreatedAtMs) : a.Id.CompareTo(b.Id));
        return all;
    }

    public async ValueTask<TopicChange> ChangeTopicAsync(TopicName name, Func<NotificationTopic?, NotificationTopic?> change, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(change);
        if (!TopicName.IsValid(name.Name)) return new TopicChange(NotificationStatus.InvalidName, null, null, $"'{name.Name}' is not a name for a topic.");
        var wanted = Find(name);
        var size = (int)Math.Min(MaxTopicBytes, Math.Max(wanted?.EncodedSize ?? 0, change(wanted)?.EncodedSize ?? 0) + (long)MaxGrowthBytes);
        var answer = await ExecuteAsync(
            commit =>
            {
                var before = _machine.Topics.GetValueOrDefault(name);
                var after = change(before);
                if (after?.EncodedSize > MaxTopicBytes) return new TopicChange(NotificationStatus.TooLarge, before, before, "The topic's attributes and tags are too long.");
                if (after?.EncodedSize > size) throw ChangedMeanwhile();
                if (after is not null && after != before)
                {
                    _state.Emit(commit, NotificationState.Put(after));
                    _routing.Announce(name);
                    // What routes know of their topic changes with it.
                    if (before is not null && before.Attributes != after.Attributes) RouteAll(name);
                }
                else if (after is null && before is not null)
                {
                    foreach (var id in _machine.Subscriptions.Values.Where(s => s.Topic == name).Select(static s => s.Id).ToList())
                    {
                        _state.Emit(commit, NotificationState.Remove(id));
                        _routing.Remove(name, id);
                    }
                    _state.Emit(commit, NotificationState.Remove(name));
                    _turns.TryRemove(name, out _);
                }
                return new TopicChange(NotificationStatus.Ok, before, after);
            },
            static (status, message) => new TopicChange(status, null, null, message), Store.TypicalCommandBytes + size + SubscriptionIdsOf(name), cancellation);
        if (answer is { Status: NotificationStatus.Ok, Before: not null, After: null } && Find(name) is null) _routing.Withdraw(name);
        return answer;
    }

    public ValueTask<SubscriptionChange> SubscribeAsync(NotificationSubscription subscription, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        if (subscription.EncodedSize > MaxTopicBytes) return ValueTask.FromResult(new SubscriptionChange(NotificationStatus.TooLarge, null, null, "The subscription's endpoint and attributes are too long."));
        return ExecuteAsync(
            commit =>
            {
                if (!_machine.Topics.ContainsKey(subscription.Topic)) return new SubscriptionChange(NotificationStatus.NotFound, null, null);
                foreach (var known in _machine.Subscriptions.Values)
                    if (known.Topic == subscription.Topic && known.Protocol == subscription.Protocol && known.Endpoint == subscription.Endpoint) return new SubscriptionChange(NotificationStatus.Ok, known, known);
                var added = Started(subscription, null);
                _state.Emit(commit, NotificationState.Put(added));
                Route(added);
                return new SubscriptionChange(NotificationStatus.Ok, null, added);
            },
            static (status, message) => new SubscriptionChange(status, null, null, message), Store.TypicalCommandBytes + subscription.EncodedSize + MaxPartitionBytes, cancellation);
    }

    public ValueTask<SubscriptionChange> ChangeSubscriptionAsync(Guid id, Func<NotificationSubscription, NotificationSubscription?> change, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (Find(id) is not { } current) return ValueTask.FromResult(new SubscriptionChange(NotificationStatus.NotFound, null, null));
        var size = (int)Math.Min(MaxTopicBytes, Math.Max(current.EncodedSize, change(current)?.EncodedSize ?? 0) + (long)MaxGrowthBytes);
        return ExecuteAsync(
            commit =>
            {
                if (!_machine.Subscriptions.TryGetValue(id, out var before)) return new SubscriptionChange(NotificationStatus.NotFound, null, null);
                var after = change(before);
                if (after is null)
                {
                    _state.Emit(commit, NotificationState.Remove(id));
                    _routing.Remove(before.Topic, id);
                }
                else if (after.EncodedSize > MaxTopicBytes)
                {
                    return new SubscriptionChange(NotificationStatus.TooLarge, before, before, "The subscription's attributes are too long.");
                }
                else if (after.EncodedSize > size)
                {
                    throw ChangedMeanwhile();
                }
                else if (after != before)
                {
                    after = Started(after, before);
                    _state.Emit(commit, NotificationState.Put(after));
                    Route(after);
                }
                return new SubscriptionChange(NotificationStatus.Ok, before, after);
            },
            static (status, message) => new SubscriptionChange(status, null, null, message), Store.TypicalCommandBytes + size + MaxPartitionBytes, cancellation);
    }

    public ReadOnlyMemory<byte>? GetSetting(string name)
    {
        lock (_state.Lock) return _machine.Settings.TryGetValue(name, out var value) ? value : (ReadOnlyMemory<byte>?)null;
    }

    public IReadOnlyList<string> ListSettings(string prefix)
    {
        lock (_state.Lock) return [.. _machine.Settings.Keys.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    public ValueTask<NotificationStatus> ChangeSettingAsync(string name, Func<ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>?> change, int maxBytes, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(change);
        return ExecuteAsync(
            commit =>
            {
                var before = _machine.Settings.TryGetValue(name, out var value) ? value : (ReadOnlyMemory<byte>?)null;
                if (change(before) is { } after) _state.Emit(commit, NotificationState.Put(name, after.Span));
                else if (before is not null) _state.Emit(commit, NotificationState.RemoveSetting(name));
                return NotificationStatus.Ok;
            },
            static (status, _) => status, Store.TypicalCommandBytes + (3 * name.Length) + maxBytes, cancellation);
    }

    /// <summary>The most that a topic or a subscription takes.</summary>
    private const int MaxTopicBytes = 2 << 20;

    /// <summary>What others may add to a topic or a subscription while a change of it waits for its turn.</summary>
    private const int MaxGrowthBytes = 4096;

    private const int MaxPartitionBytes = 1 << 17;

    private static StorageFullException ChangedMeanwhile() => new("It was changed by somebody else at the same moment; try again.");

    private int SubscriptionIdsOf(TopicName topic)
    {
        // Those that come meanwhile have room too.
        lock (_state.Lock) return 96 * (1024 + _machine.Subscriptions.Values.Count(s => s.Topic == topic));
    }

    /// <summary>A subscription that is confirmed begins at the end of the topic's log, if it has one.</summary>
    private NotificationSubscription Started(NotificationSubscription subscription, NotificationSubscription? before)
    {
        if (!subscription.IsConfirmed || before is { IsConfirmed: true }) return subscription;
        var (topic, offsets) = _routing.EndOf(subscription.Topic);
        return subscription with { StartsIn = topic, StartOffsets = offsets };
    }

    private void RouteAll(TopicName topic)
    {
        foreach (var subscription in _machine.Subscriptions.Values)
            if (subscription.Topic == topic) Route(subscription);
    }

    private void Route(NotificationSubscription subscription)
    {
        if (!subscription.IsConfirmed || subscription.Target is not { } target)
        {
            _routing.Remove(subscription.Topic, subscription.Id);
            return;
        }
        var arguments = subscription.Attributes.ToBuilder();
        arguments["protocol"] = subscription.Protocol;
        arguments["endpoint"] = subscription.Endpoint;
        if (_machine.Topics.TryGetValue(subscription.Topic, out var topic))
            foreach (var (name, value) in topic.Attributes) arguments[$"topic:{name}"] = value;
        _routing.Put(new RuledRoute
        {
            Id = subscription.Id,
            Source = subscription.Topic,
            Target = target,
            DeadLetters = subscription.DeadLetters,
            Filter = subscription.FilterPolicy is { } policy ? FilterPolicy.Parse(policy, subscription.FilterScope) : null,
            Transformation = Transformation,
            Arguments = arguments.ToImmutable(),
            StartOffsets = subscription.StartOffsets,
            StartsIn = subscription.StartsIn,
        });
    }

    private async ValueTask<T> ExecuteAsync<T>(Func<Commit, T> decide, Func<NotificationStatus, string, T> failed, int maxBytes, CancellationToken cancellation)
    {
        try
        {
            return await _state.ExecuteAsync(CommitMode.Fsync, decide, maxBytes, cancellation: cancellation);
        }
        catch (StorageFullException error)
        {
            return failed(NotificationStatus.Full, error.Message);
        }
        catch (StoreFailedException error)
        {
            return failed(NotificationStatus.StorageError, error.Message);
        }
    }
}
