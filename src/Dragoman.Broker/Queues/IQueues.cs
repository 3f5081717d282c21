using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Queues;

/// <summary>How an operation on a queue ended.</summary>
public enum QueueStatus
{
    /// <summary>It was done.</summary>
    Ok,

    /// <summary>A queue of that name is there already.</summary>
    AlreadyExists,

    /// <summary>There is no such queue.</summary>
    NotFound,

    /// <summary>The name is not allowed.</summary>
    InvalidName,

    /// <summary>The settings contradict each other, or change what cannot be changed.</summary>
    InvalidSettings,

    /// <summary>The queue has consumers, or another consumer has it to itself.</summary>
    InUse,

    /// <summary>The queue holds messages.</summary>
    NotEmpty,

    /// <summary>Messages were refused because the queue has reached its greatest length.</summary>
    QueueFull,

    /// <summary>Batches of this idempotent producer are missing before this one.</summary>
    OutOfOrderSequence,

    /// <summary>A newer instance of the idempotent producer has taken over.</summary>
    StaleProducer,

    /// <summary>The position lies before what is kept.</summary>
    OutOfRange,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The disk failed.</summary>
    StorageError,

    /// <summary>Another node owns the queue now; ask the topology again.</summary>
    Moved,
}

/// <summary>The answer to a change of the queues.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Queue">The queue, where there is one.</param>
/// <param name="Messages">Messages that went with a deletion.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct QueueAnswer(QueueStatus Status, IQueueHandle? Queue, long Messages = 0, string? Message = null);

/// <summary>The answer to a publish, given when the messages are what the commit mode says.</summary>
/// <param name="Status">
/// <see cref="QueueStatus.Ok"/> if all queues took all messages; <see cref="QueueStatus.QueueFull"/> if a queue refused
/// those from <paramref name="Accepted"/> on; anything else means that no message is in any queue, except after
/// <see cref="QueueStatus.StorageError"/>, where that is unknown.
/// </param>
/// <param name="Accepted">How many messages, counted from the first, all queues took. A duplicate counts as taken.</param>
/// <param name="BaseOffset">Offset of the first message in the (first) queue, or -1. Without duplicates the others follow.</param>
/// <param name="Duplicates">The messages that were there already, and at which offsets; null if none was.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct PublishOutcome(
    QueueStatus Status, int Accepted, long BaseOffset, IReadOnlyList<(int Index, long Offset)>? Duplicates = null, string? Message = null);

/// <summary>Conditions of a deletion.</summary>
[Flags]
public enum DeleteConditions
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Only if it has no consumers.</summary>
    IfUnused = 1,

    /// <summary>Only if it has no messages.</summary>
    IfEmpty = 2,

    /// <summary>Only if it has been unused for as long as its settings allow, or goes with the last consumer and has none.</summary>
    IfStillUnused = 4,
}

/// <summary>Hears what becomes of queues. Called with no lock held; must be quick and must not throw.</summary>
public interface IQueueObserver
{
    /// <summary>A queue is there.</summary>
    void OnCreated(IQueueHandle queue);

    /// <summary>A queue is gone, by a client's wish, with its last consumer or because nobody used it.</summary>
    void OnDeleted(IQueueHandle queue);
}

/// <summary>
/// Finds where dead letters go to through a topic. Routing implements it.
/// </summary>
public interface IDeadLetterRouter
{
    /// <summary>Adds what a message published to a topic reaches; nothing drops it.</summary>
    /// <param name="source">The queue that the message comes from: its namespace is the topic's.</param>
    /// <param name="topic">The topic; empty for the queues themselves.</param>
    /// <param name="routingKey">What to route by.</param>
    /// <param name="message">The message.</param>
    /// <param name="queues">Takes the queues, each once.</param>
    /// <param name="topics">Takes the topics whose logs keep the message and carry it on, each once.</param>
    /// <param name="routes">Takes the routes with rules of their own, each once.</param>
    void Route(QueueName source, string topic, string routingKey, in Subscriptions.MessageView message, List<IQueueHandle> queues, List<ITopicHandle> topics, List<RuledRoute> routes);
}

/// <summary>The queues of all namespaces.</summary>
public interface IQueues
{
    /// <summary>A queue by name; null if there is none.</summary>
    IQueueHandle? Find(QueueName name);

    /// <summary>A queue by id; null if there is none.</summary>
    IQueueHandle? Find(Guid id);

    /// <summary>All queues, in no order: for those who count or look for some.</summary>
    IEnumerable<IQueueHandle> All { get; }

    /// <summary>All queues, in the order of their names.</summary>
    IReadOnlyList<IQueueHandle> List();

    /// <summary>
    /// Creates a queue. The answer comes when it is on disk, if it is durable. Where a queue of that name is there,
    /// the answer is <see cref="QueueStatus.AlreadyExists"/> with its handle, whatever its settings.
    /// </summary>
    ValueTask<QueueAnswer> DeclareAsync(QueueName name, QueueSettings settings, CancellationToken cancellation = default);

    /// <summary>Deletes a queue and all that it holds; its consumers hear of it.</summary>
    ValueTask<QueueAnswer> DeleteAsync(IQueueHandle queue, DeleteConditions conditions = DeleteConditions.None, CancellationToken cancellation = default);

    /// <summary>
    /// Replaces the settings of a queue by what a function makes of them; it may be called under a lock and must be pure.
    /// Durability, and whether messages are kept in memory, cannot change.
    /// </summary>
    ValueTask<QueueAnswer> ChangeSettingsAsync(IQueueHandle queue, Func<QueueSettings, QueueSettings> change, CancellationToken cancellation = default);

    /// <summary>
    /// Publishes messages to several queues: each gets all of them, their bodies are stored once, and one crash loses
    /// all or none. Publishes by one caller that do not wait for each other are in the queues in the order of the calls.
    /// </summary>
    /// <param name="batch">The messages; the call owns and gives back the batch.</param>
    /// <param name="queues">The queues, each once. None is allowed: the batch is given back.</param>
    /// <param name="mode">
    /// What the answer shall mean at most: a transient message is <see cref="CommitMode.Written"/>. Null for what the
    /// queues say; a queue's own mode is never exceeded.
    /// </param>
    /// <param name="cancellation">Ends the wait for admission; what was admitted runs to its end.</param>
    ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, IReadOnlyList<IQueueHandle> queues, CommitMode? mode = null, CancellationToken cancellation = default);

    /// <summary>
    /// Publishes messages as <see cref="PublishAsync(MessageBatch, IReadOnlyList{IQueueHandle}, CommitMode?, CancellationToken)"/>
    /// does, and in the same commit what routes with rules make of them. A target of those that is gone or full
    /// refuses nothing: the message goes to the route's dead letters.
    /// </summary>
    ValueTask<PublishOutcome> PublishAsync(MessageBatch batch, IReadOnlyList<IQueueHandle> queues, IReadOnlyList<RuledRoute> routes, CommitMode? mode = null, CancellationToken cancellation = default);

    /// <summary>The <see cref="PublishSet.Cost"/> up to which a set goes into one commit.</summary>
    long MaxSetCost { get; }

    /// <summary>Publishes a set of messages, each to its own targets: one crash loses all that is kept on disk, or none.</summary>
    /// <param name="set">The messages; they stay the caller's.</param>
    /// <param name="cancellation">Ends the wait for admission; what was admitted runs to its end.</param>
    ValueTask<PublishSetAnswer> PublishAsync(PublishSet set, CancellationToken cancellation = default);

    /// <summary>Calls an observer from now on.</summary>
    void AddObserver(IQueueObserver observer);

    /// <summary>Who finds where dead letters go to through a topic.</summary>
    IDeadLetterRouter? DeadLetterRouter { get; set; }
}
