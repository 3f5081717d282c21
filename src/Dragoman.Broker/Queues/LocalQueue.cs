using Dragoman.Broker.Messages;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Queues;

/// <summary>A queue that this node owns: a log and its one subscription.</summary>
internal sealed class LocalQueue : IQueueHandle
{
    private readonly Queues _queues;
    private volatile QueueSettings _settings;
    private volatile bool _deleted;

    public LocalQueue(Queues queues, QueueEntry entry, Subscription subscription)
    {
        _queues = queues;
        Entry = entry;
        Subscription = subscription;
        _settings = entry.Settings;
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
        Subscription.Settings = entry.Settings.Subscription;
    }

    public ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, CommitMode? mode, CancellationToken cancellation) =>
        _queues.PublishAsync(batch, this, mode, cancellation);

    public ValueTask<ConsumeAnswer> ConsumeAsync(ConsumerOptions options, IDeliverySink sink, CancellationToken cancellation) =>
        ValueTask.FromResult(Subscription.Consume(options, sink));

    public ValueTask<ReceiveAnswer> ReceiveAsync(int maxMessages, TimeSpan? lease, TimeSpan wait, CancellationToken cancellation) => throw new NotImplementedException();

    public ValueTask<SubscriptionAnswer> SettleAsync(Settlement settlement, ReadOnlyMemory<LeaseToken> leases, TimeSpan? delay) => throw new NotImplementedException();

    public ValueTask<SubscriptionAnswer> ExtendAsync(ReadOnlyMemory<LeaseToken> leases, TimeSpan lease) => throw new NotImplementedException();

    public ValueTask<SubscriptionAnswer> SettleUpToAsync(long offset) => throw new NotImplementedException();

    public ValueTask<ReceiveAnswer> PeekAsync(long fromOffset, int maxMessages) => throw new NotImplementedException();

    public ValueTask<SubscriptionAnswer> PurgeAsync(bool everything) => Subscription.PurgeAsync(everything);

    public ValueTask<SubscriptionAnswer> SeekAsync(long offset) => throw new NotImplementedException();

    public ValueTask<SubscriptionAnswer> SeekAsync(DateTimeOffset time) => throw new NotImplementedException();

    public ValueTask<SubscriptionCounts> GetCountsAsync() => ValueTask.FromResult(Subscription.Counts);

    public ValueTask<Conservation> GetConservationAsync() => ValueTask.FromResult(Subscription.Conservation);
}
