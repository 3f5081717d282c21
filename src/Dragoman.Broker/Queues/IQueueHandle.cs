using Dragoman.Broker.Messages;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Queues;

/// <summary>What a queue keeps: messages that are not settled, and those that are and can be replayed.</summary>
/// <param name="StartOffset">The first offset that it keeps.</param>
/// <param name="EndOffset">The offset that the next message gets.</param>
/// <param name="OldestTimestamp">When the first one was published, in milliseconds since 1970; -1 if it keeps none.</param>
public readonly record struct KeptMessages(long StartOffset, long EndOffset, long OldestTimestamp);

/// <summary>
/// A queue. A handle stays valid, but answers <see cref="QueueStatus.NotFound"/>, once the queue is gone; any operation
/// may answer <see cref="QueueStatus.Moved"/>.
/// </summary>
public interface IQueueHandle : ISubscriptionHandle
{
    /// <summary>The name.</summary>
    QueueName Name { get; }

    /// <summary>The id: a queue created anew under the same name has another.</summary>
    Guid Id { get; }

    /// <summary>The settings as they are now: what it was declared with, and what policies make of that.</summary>
    QueueSettings Settings { get; }

    /// <summary>The settings that it was declared with.</summary>
    QueueSettings Declared { get; }

    /// <summary>When it was created.</summary>
    DateTimeOffset CreatedAt { get; }

    /// <summary>Whether the queue has been deleted.</summary>
    bool IsDeleted { get; }

    /// <summary>What was counted of its messages since the node was started.</summary>
    MessageCounters Counters { get; }

    /// <summary>What it keeps.</summary>
    ValueTask<KeptMessages> GetKeptAsync();

    /// <summary>Bytes that a message of it takes in its log on average, headers included; 0 if it keeps none.</summary>
    double AverageBytes { get; }

    /// <summary>Publishes messages to this queue alone: see <see cref="IQueues.PublishAsync(MessageBatch, IReadOnlyList{IQueueHandle}, CommitMode?, CancellationToken)"/>.</summary>
    ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, CommitMode? mode = null, CancellationToken cancellation = default);
}
