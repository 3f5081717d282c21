using Dragoman.Broker.Queues;

namespace Dragoman.Broker.Subscriptions;

/// <summary>What a consumer does with a message that it holds.</summary>
public enum Settlement : byte
{
    /// <summary>It is done with: the message is gone.</summary>
    Acknowledge = 0,

    /// <summary>
    /// It goes back to its place and is delivered again: after the subscription's back-off if there is one, and not if it
    /// has been delivered too often.
    /// </summary>
    Return = 1,

    /// <summary>As <see cref="Return"/>, but the delivery does not count and there is no back-off: it was not tried.</summary>
    Release = 2,

    /// <summary>It cannot be processed: it is dead-lettered, or gone if there is no dead-letter target.</summary>
    Reject = 3,
}

/// <summary>What a subscription holds at one moment.</summary>
/// <param name="Ready">Messages that can be delivered.</param>
/// <param name="Leased">Messages that were delivered and are not settled, and those that are on their way elsewhere.</param>
/// <param name="Delayed">Messages that cannot be delivered yet.</param>
/// <param name="Consumers">Consumers that may get messages.</param>
/// <param name="ReadyBytes">Bytes of the values of messages that are not leased; approximate unless the queue's bytes are limited.</param>
public readonly record struct SubscriptionCounts(long Ready, long Leased, long Delayed, int Consumers, long ReadyBytes);

/// <summary>
/// Where every message of a subscription has gone, since it was made: at any quiet moment
/// <see cref="In"/> equals <see cref="Out"/>.
/// </summary>
public readonly record struct Conservation
{
    /// <summary>Messages published or moved in.</summary>
    public long Accepted { get; init; }

    /// <summary>Messages that came back by a seek.</summary>
    public long Replayed { get; init; }

    /// <summary>Messages acknowledged.</summary>
    public long Acknowledged { get; init; }

    /// <summary>Messages whose time was up and that had nowhere to go.</summary>
    public long Expired { get; init; }

    /// <summary>Messages moved to a dead-letter target.</summary>
    public long DeadLettered { get; init; }

    /// <summary>Messages moved elsewhere.</summary>
    public long MovedOut { get; init; }

    /// <summary>Messages purged, or skipped by a seek.</summary>
    public long Purged { get; init; }

    /// <summary>Messages that a filter kept from delivery.</summary>
    public long Filtered { get; init; }

    /// <summary>Messages dropped: refused without a dead-letter target, or too many.</summary>
    public long Dropped { get; init; }

    /// <summary>Messages that can be delivered.</summary>
    public long Ready { get; init; }

    /// <summary>Messages that cannot be delivered yet.</summary>
    public long Delayed { get; init; }

    /// <summary>Messages delivered and not settled.</summary>
    public long Leased { get; init; }

    /// <summary>All that came in.</summary>
    public long In => Accepted + Replayed;

    /// <summary>All that it became.</summary>
    public long Out => Acknowledged + Expired + DeadLettered + MovedOut + Purged + Filtered + Dropped + Ready + Delayed + Leased;
}

/// <summary>The answer to an operation on a subscription.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Count">Messages concerned.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct SubscriptionAnswer(QueueStatus Status, long Count = 0, string? Message = null);

/// <summary>The answer to a request for messages.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Deliveries">The messages, which the caller disposes of; null if there are none.</param>
public readonly record struct ReceiveAnswer(QueueStatus Status, DeliveryBatch? Deliveries);

/// <summary>The answer to a new consumer.</summary>
/// <param name="Status">How it ended: <see cref="QueueStatus.InUse"/> where another has the subscription to itself.</param>
/// <param name="Consumer">The consumer.</param>
public readonly record struct ConsumeAnswer(QueueStatus Status, IConsumer? Consumer);

/// <summary>How a consumer wants its messages.</summary>
public sealed record ConsumerOptions
{
    /// <summary>A name, for people.</summary>
    public string Name { get; init; } = "";

    /// <summary>Whether messages are settled as they are delivered.</summary>
    public bool AutoAcknowledge { get; init; }

    /// <summary>Consumers of higher priority get messages first, as long as they have credit.</summary>
    public int Priority { get; init; }

    /// <summary>Whether it wants the subscription to itself: refused while there are others, and others after it.</summary>
    public bool IsExclusive { get; init; }

    /// <summary>Where it begins to read, if the queue keeps what was read; else it means nothing.</summary>
    public ReadFrom From { get; init; }

    /// <summary>Which messages it gets, if the queue keeps what was read; null for all.</summary>
    public HeaderFilter? Filter { get; init; }

    /// <summary>
    /// Whether it only asks for messages with <see cref="IConsumer.ReceiveAsync"/>, and is not counted as a consumer nor
    /// part of any turn.
    /// </summary>
    public bool IsPassive { get; init; }
}

/// <summary>Why a consumer ended that did not end itself.</summary>
public enum ConsumerEnd
{
    /// <summary>The queue or subscription was deleted.</summary>
    Deleted,

    /// <summary>Another node owns it now.</summary>
    Moved,

    /// <summary>The broker stops.</summary>
    Stopped,
}

/// <summary>
/// Takes a consumer's messages. Calls come one at a time, with no lock held; they must be quick and must not throw.
/// </summary>
public interface IDeliverySink
{
    /// <summary>Messages that the consumer holds from now on. The sink owns the batch and disposes of it.</summary>
    void OnDeliveries(IConsumer consumer, DeliveryBatch deliveries);

    /// <summary>Whether the consumer is the one that gets messages, where there is one at a time.</summary>
    void OnActivity(IConsumer consumer, bool isActive)
    {
    }

    /// <summary>The consumer has ended, and holds nothing any more.</summary>
    void OnEnded(IConsumer consumer, ConsumerEnd reason)
    {
    }
}

/// <summary>
/// A consumer on a connection. It gets messages as long as it has credit, and holds those that it has not settled until
/// it is closed; so its leases are the connection's, and have no time limit.
/// </summary>
public interface IConsumer : IAsyncDisposable
{
    /// <summary>How it wants its messages.</summary>
    ConsumerOptions Options { get; }

    /// <summary>
    /// Adds credit: messages are delivered while both are positive, so the last one may exceed the bytes. A consumer
    /// begins without any; settling gives none back, so grant anew what was settled or sent.
    /// </summary>
    /// <param name="messages">How many more messages; <see cref="int.MaxValue"/> is no limit, then and later.</param>
    /// <param name="bytes">How many more bytes of records; <see cref="long.MaxValue"/> is no limit, then and later.</param>
    void Grant(int messages, long bytes = long.MaxValue);

    /// <summary>Takes all credit back. Messages that are on their way may still arrive.</summary>
    void Pause();

    /// <summary>
    /// Settles messages, soon. Offsets that the consumer does not hold are passed over. With the next commit it is
    /// durable; until then a crash brings the messages back.
    /// </summary>
    /// <param name="settlement">What to do with them.</param>
    /// <param name="offsets">Which.</param>
    /// <returns>How many the consumer held, or -1 if that is not known yet.</returns>
    int Settle(Settlement settlement, ReadOnlySpan<OffsetRange> offsets);

    /// <summary>As <see cref="Settle"/>; completes when it is durable.</summary>
    ValueTask<SubscriptionAnswer> SettleAsync(Settlement settlement, ReadOnlyMemory<OffsetRange> offsets);

    /// <summary>Asks for messages apart from any credit: as many as are ready, up to a number, perhaps none.</summary>
    /// <param name="maxMessages">How many at most.</param>
    ValueTask<ReceiveAnswer> ReceiveAsync(int maxMessages);

    /// <summary>Ends deliveries, but keeps what it holds, which can still be settled: AMQP's basic.cancel.</summary>
    ValueTask CancelAsync();

    /// <summary>Ends it. What it holds goes back to its place; the delivery counts.</summary>
    new ValueTask DisposeAsync();
}

/// <summary>
/// Delivers the messages of a log, and remembers who holds which and what is settled. Any operation may answer
/// <see cref="QueueStatus.Moved"/>.
/// </summary>
public interface ISubscriptionHandle
{
    /// <summary>Opens a consumer, which begins without credit.</summary>
    ValueTask<ConsumeAnswer> ConsumeAsync(ConsumerOptions options, IDeliverySink sink, CancellationToken cancellation = default);

    /// <summary>
    /// Takes messages under timed leases, which survive connections and restarts, and end by themselves.
    /// </summary>
    /// <param name="maxMessages">How many at most.</param>
    /// <param name="lease">How long the leases last; null for the subscription's own.</param>
    /// <param name="wait">How long to wait for the first message.</param>
    /// <param name="cancellation">Ends the wait: the answer is then empty.</param>
    ValueTask<ReceiveAnswer> ReceiveAsync(int maxMessages, TimeSpan? lease, TimeSpan wait, CancellationToken cancellation = default);

    /// <summary>
    /// Shows messages once more to whoever holds them under timed leases, which then last as if they began now; the delivery is
    /// the one it was. Those that are no longer held are left out.
    /// </summary>
    /// <param name="leases">Which.</param>
    /// <param name="lease">How long the leases last; null for the subscription's own.</param>
    ValueTask<ReceiveAnswer> RepeatAsync(ReadOnlyMemory<LeaseToken> leases, TimeSpan? lease);

    /// <summary>
    /// Settles messages under timed leases. Those that are held under another lease are passed over; one whose lease is over can
    /// still be acknowledged as long as nobody has had it since (but not where keys keep order: what is behind it may have been
    /// tried).
    /// </summary>
    /// <param name="settlement">What to do with them.</param>
    /// <param name="leases">Which.</param>
    /// <param name="delay">How long a message that goes back waits; null for the subscription's back-off.</param>
    /// <returns>How many were held, when that is durable.</returns>
    ValueTask<SubscriptionAnswer> SettleAsync(Settlement settlement, ReadOnlyMemory<LeaseToken> leases, TimeSpan? delay = null);

    /// <summary>Lets timed leases end so much from now.</summary>
    /// <returns>How many were held.</returns>
    ValueTask<SubscriptionAnswer> ExtendAsync(ReadOnlyMemory<LeaseToken> leases, TimeSpan lease);

    /// <summary>Settles all messages up to and including an offset, held or not: Pulsar's cumulative acknowledgement.</summary>
    ValueTask<SubscriptionAnswer> SettleUpToAsync(long offset);

    /// <summary>Shows messages that are not settled, in the order of their offsets, without taking them.</summary>
    /// <param name="fromOffset">Where to begin.</param>
    /// <param name="maxMessages">How many at most.</param>
    ValueTask<ReceiveAnswer> PeekAsync(long fromOffset, int maxMessages);

    /// <summary>Settles all messages that are ready.</summary>
    /// <param name="everything">Whether also those that are delayed or held, and the deduplication ids of all are forgotten.</param>
    ValueTask<SubscriptionAnswer> PurgeAsync(bool everything = false);

    /// <summary>
    /// Goes to an offset: what lies before is settled, what lies behind is delivered, once more if need be.
    /// <see cref="QueueStatus.OutOfRange"/> if it is no longer kept.
    /// </summary>
    ValueTask<SubscriptionAnswer> SeekAsync(long offset);

    /// <summary>Goes to the first message at or after a time.</summary>
    ValueTask<SubscriptionAnswer> SeekAsync(DateTimeOffset time);

    /// <summary>What it holds.</summary>
    ValueTask<SubscriptionCounts> GetCountsAsync();

    /// <summary>Where all messages have gone.</summary>
    ValueTask<Conservation> GetConservationAsync();
}
