using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;

namespace Dragoman.Broker.Queues;

/// <summary>A queue that this node owns: a log and its one subscription.</summary>
internal sealed class LocalQueue : IQueueHandle, ISubscriptionOwner
{
    private readonly Queues _queues;
    private volatile QueueSettings _settings;
    private volatile bool _deleted;
    private int _holding;

    private readonly KeptQueue? _kept;
    private Subscription _subscription;

    public LocalQueue(Queues queues, QueueEntry entry, SubscriptionHost host, Func<ISubscriptionOwner, Subscription> subscribe)
    {
        _queues = queues;
        Entry = entry;
        _settings = queues.EffectiveOf(entry);
        NamespaceCounters = queues.Statistics.Of(entry.Name.Namespace);
        _subscription = subscribe(this);
        if (_settings.Retention is not { } retention) return;
        Subscription.Log.Retention = retention;
        _kept = new KeptQueue(host, Subscription.Log, Counters);
    }

    public QueueEntry Entry { get; private set; }

    public Subscription Subscription => Volatile.Read(ref _subscription);

    public QueueName Name => Entry.Name;

    public Guid Id => Entry.Id;

    public QueueSettings Settings => _settings;

    public QueueSettings Declared => Entry.Settings;

    public DateTimeOffset CreatedAt => DateTimeOffset.FromUnixTimeMilliseconds(Entry.CreatedAtMs);

    public bool IsDeleted => _deleted;

    public MessageCounters Counters { get; } = new();

    /// <summary>The counters of its namespace.</summary>
    public MessageCounters NamespaceCounters { get; }

    public void MarkDeleted() => _deleted = true;

    /// <summary>Takes what was declared of it, and what policies make of that.</summary>
    public void Update(QueueEntry entry)
    {
        Entry = entry;
        var settings = _queues.EffectiveOf(entry);
        if (settings == _settings) return;
        _settings = settings;
        Subscription.Settings = settings;
        if (settings.Retention is { } retention) Subscription.Log.Retention = retention;
    }

    public ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, CommitMode? mode, CancellationToken cancellation) =>
        _queues.PublishAsync(batch, this, mode, cancellation);

    public ValueTask<ConsumeAnswer> ConsumeAsync(ConsumerOptions options, IDeliverySink sink, CancellationToken cancellation) =>
        ValueTask.FromResult(_kept?.Consume(options, sink) ?? Subscription.Consume(options, sink));

    public ValueTask<ReceiveAnswer> ReceiveAsync(int maxMessages, TimeSpan? lease, TimeSpan wait, CancellationToken cancellation) =>
        _kept is null ? Subscription.ReceiveAsync(maxMessages, lease, wait, cancellation) : ValueTask.FromResult(new ReceiveAnswer(QueueStatus.InvalidSettings, null));

    public ValueTask<ReceiveAnswer> RepeatAsync(ReadOnlyMemory<LeaseToken> leases, TimeSpan? lease) =>
        _kept is null ? Subscription.RepeatAsync(leases, lease) : ValueTask.FromResult(new ReceiveAnswer(QueueStatus.InvalidSettings, null));

    public ValueTask<SubscriptionAnswer> SettleAsync(Settlement settlement, ReadOnlyMemory<LeaseToken> leases, TimeSpan? delay) =>
        _kept is null ? Subscription.SettleAsync(settlement, leases, delay) : Unsupported;

    public ValueTask<SubscriptionAnswer> ExtendAsync(ReadOnlyMemory<LeaseToken> leases, TimeSpan lease) => _kept is null ? Subscription.ExtendAsync(leases, lease) : Unsupported;

    public ValueTask<SubscriptionAnswer> SettleUpToAsync(long offset) => _kept is null ? Subscription.SettleUpToAsync(offset) : Unsupported;

    public ValueTask<ReceiveAnswer> PeekAsync(long fromOffset, int maxMessages) => ValueTask.FromResult(Subscription.Peek(fromOffset, maxMessages));

    public ValueTask<SubscriptionAnswer> PurgeAsync(bool everything) => _kept is null ? Subscription.PurgeAsync(everything) : Unsupported;

    public ValueTask<SubscriptionAnswer> SeekAsync(long offset) => _kept is null ? Subscription.SeekAsync(offset) : Unsupported;

    public ValueTask<SubscriptionAnswer> SeekAsync(DateTimeOffset time) => _kept is null ? Subscription.SeekAsync(time) : Unsupported;

    public ValueTask<SubscriptionCounts> GetCountsAsync() => ValueTask.FromResult(Counts);

    public ValueTask<Conservation> GetConservationAsync() => ValueTask.FromResult(_kept?.Conservation ?? Subscription.Conservation);

    public ValueTask<KeptMessages> GetKeptAsync()
    {
        var log = Subscription.Log;
        // The start first: it never exceeds an end that is read later.
        var start = log.StartOffset;
        var end = log.LastStableOffset;
        return ValueTask.FromResult(new KeptMessages(start, end, TimeLookup.FirstAtOrAfter(log, long.MinValue, end)?.Timestamp ?? -1));
    }

    public double AverageBytes
    {
        get
        {
            var log = Subscription.Log;
            var bytes = log.SizeBytes;
            var messages = log.HighWatermark - log.StartOffset;
            return messages > 0 ? (double)bytes / messages : 0;
        }
    }

    /// <summary>What it holds.</summary>
    public SubscriptionCounts Counts => _kept?.Counts ?? Subscription.Counts;

    /// <summary>Ends deliveries: the queue is gone.</summary>
    /// <returns>Messages that were ready.</returns>
    public long EndDeleted()
    {
        var kept = _kept?.Counts.Ready;
        _kept?.End(ConsumerEnd.Deleted);
        var ready = Subscription.Delete();
        return kept ?? ready;
    }

    /// <summary>Ends deliveries: the broker stops.</summary>
    public Task StopAsync()
    {
        _kept?.End(ConsumerEnd.Stopped);
        return Subscription.StopAsync();
    }

    /// <summary>Has another subscription take the place of the one there is, as when the queue moves to another node.</summary>
    /// <param name="subscribe">Makes it of what is in the journal.</param>
    public void Move(Func<ISubscriptionOwner, Subscription> subscribe)
    {
        var before = Subscription;
        var left = before.MoveAway(() => Volatile.Write(ref _subscription, subscribe(this)));
        left();
        Subscription.Schedule();
    }

    private static ValueTask<SubscriptionAnswer> Unsupported => ValueTask.FromResult(new SubscriptionAnswer(QueueStatus.InvalidSettings, 0, KeptQueue.Unsupported));

    /// <summary>Whether messages wait here until they are due and then go on as they are, past all history.</summary>
    public bool IsHolding => HoldingQueues.IsHolding(_settings);

    /// <summary>True once: for the one who sees to it that they go on.</summary>
    public bool TakeHolding() => Interlocked.Exchange(ref _holding, 1) == 0;

    /// <summary>Where messages go that are moved by hand.</summary>
    public DeadLetterTarget? MoveTarget { get; set; }

    /// <summary>Whether what it refuses because it is full goes on to its own dead-letter target.</summary>
    public bool PassesOn => _settings is { Overflow: Overflow.RejectDeadLetter, Subscription.DeadLetter: not null };

    /// <summary>Whether the queue may take some of a batch and not others.</summary>
    public bool MaySelect => _settings is { DeduplicationWindowMs: > 0 } or { Overflow: not Overflow.DropHead };

    public Task DepartAsync(Subscription subscription, IReadOnlyList<Departure> departures) => _queues.Transfers.RunAsync(this, departures);

    public void OnUnused(Subscription subscription) => _queues.DeleteUnused(this);
}
