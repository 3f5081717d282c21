using Dragoman.Broker.Messages;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Queues;

/// <summary>A queue that this node owns: a log and its one subscription.</summary>
internal sealed class LocalQueue : IQueueHandle, ISubscriptionOwner
{
    private readonly Queues _queues;
    private volatile QueueSettings _settings;
    private volatile bool _deleted;

    public LocalQueue(Queues queues, QueueEntry entry, Func<ISubscriptionOwner, Subscription> subscribe)
    {
        _queues = queues;
        Entry = entry;
        _settings = entry.Settings;
        Subscription = subscribe(this);
    }

    public QueueEntry Entry { get; private set; }

    public Subscription Subscription { get; }

    public QueueName Name => Entry.Name;

    public Guid Id => Entry.Id;

    public QueueSettings Settings => _settings;

    public DateTimeOffset CreatedAt => DateTimeOffset.FromUnixTimeMilliseconds(Entry.CreatedAtMs);

    public bool IsDeleted => _deleted;

    public void MarkDeleted() => _deleted = true;

    public void Update(QueueEntry entry)
    {
        Entry = entry;
        _settings = entry.Settings;
        Subscription.Settings = entry.Settings;
    }

    public ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, CommitMode? mode, CancellationToken cancellation) =>
        _queues.PublishAsync(batch, this, mode, cancellation);

    public ValueTask<ConsumeAnswer> ConsumeAsync(ConsumerOptions options, IDeliverySink sink, CancellationToken cancellation) =>
        ValueTask.FromResult(Subscription.Consume(options, sink));

    public ValueTask<ReceiveAnswer> ReceiveAsync(int maxMessages, TimeSpan? lease, TimeSpan wait, CancellationToken cancellation) =>
        Subscription.ReceiveAsync(maxMessages, lease, wait, cancellation);

    public ValueTask<SubscriptionAnswer> SettleAsync(Settlement settlement, ReadOnlyMemory<LeaseToken> leases, TimeSpan? delay) =>
        Subscription.SettleAsync(settlement, leases, delay);

    public ValueTask<SubscriptionAnswer> ExtendAsync(ReadOnlyMemory<LeaseToken> leases, TimeSpan lease) => Subscription.ExtendAsync(leases, lease);

    public ValueTask<SubscriptionAnswer> SettleUpToAsync(long offset) => Subscription.SettleUpToAsync(offset);

    public ValueTask<ReceiveAnswer> PeekAsync(long fromOffset, int maxMessages) => ValueTask.FromResult(Subscription.Peek(fromOffset, maxMessages));

    public ValueTask<SubscriptionAnswer> PurgeAsync(bool everything) => Subscription.PurgeAsync(everything);

    public ValueTask<SubscriptionAnswer> SeekAsync(long offset) => Subscription.SeekAsync(offset);

    public ValueTask<SubscriptionAnswer> SeekAsync(DateTimeOffset time) => Subscription.SeekAsync(time);

    public ValueTask<SubscriptionCounts> GetCountsAsync() => ValueTask.FromResult(Subscription.Counts);

    public ValueTask<Conservation> GetConservationAsync() => ValueTask.FromResult(Subscription.Conservation);

    /// <summary>Where messages go that are moved by hand.</summary>
    public DeadLetterTarget? MoveTarget { get; set; }

    /// <summary>Whether the queue may take some of a batch and not others.</summary>
    public bool MaySelect => _settings is { DeduplicationWindowMs: > 0 } or { Overflow: not Overflow.DropHead };

    public Task DepartAsync(Subscription subscription, IReadOnlyList<Departure> departures) => _queues.Transfers.RunAsync(this, departures);

    public void OnUnused(Subscription subscription) => _queues.DeleteUnused(this);
}
