using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Notifications;

/// <summary>How a change or a publish ended.</summary>
public enum NotificationStatus
{
    /// <summary>It was done.</summary>
    Ok,

    /// <summary>There is no such topic or subscription.</summary>
    NotFound,

    /// <summary>The name is not allowed.</summary>
    InvalidName,

    /// <summary>A log that keeps the topic's messages refuses this one.</summary>
    Refused,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The disk failed.</summary>
    StorageError,

    /// <summary>What is to be kept of a topic or a subscription is too large: 2 MiB at most, with three bytes for each character.</summary>
    TooLarge,
}

/// <summary>The answer to a change of a topic.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Before">The topic as it was; null if it was not there.</param>
/// <param name="After">The topic as it is; null if it is gone.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct TopicChange(NotificationStatus Status, NotificationTopic? Before, NotificationTopic? After, string? Message = null);

/// <summary>The answer to a change of a subscription.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Before">The subscription as it was; null if it was not there.</param>
/// <param name="After">The subscription as it is; null if it is gone.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct SubscriptionChange(NotificationStatus Status, NotificationSubscription? Before, NotificationSubscription? After, string? Message = null);

/// <summary>What is published.</summary>
public sealed record Notification
{
    /// <summary>Its id, which is the canonical header <c>message-id</c> too.</summary>
    public required Guid Id { get; init; }

    /// <summary>The value.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The ordering key; null for none.</summary>
    public string? Key { get; init; }

    /// <summary>What makes a copy known as one, in a topic that keeps order; null in others.</summary>
    public string? DeduplicationId { get; init; }

    /// <summary>The headers, encoded as <see cref="Dragoman.Storage.Records.RecordHeadersWriter"/> does.</summary>
    public required Action<Dragoman.Storage.Records.RecordHeadersWriter> WriteHeaders { get; init; }
}

/// <summary>What became of a notification.</summary>
/// <param name="Id">Its id: the first copy's, if this is another.</param>
/// <param name="Sequence">Its number in a topic that keeps order; -1 elsewhere.</param>
public readonly record struct NotificationReceipt(Guid Id, long Sequence);

/// <summary>The answer to a publish, given when all targets have it, or the topic's log.</summary>
/// <param name="Status">How it ended. Anything but <see cref="NotificationStatus.Ok"/> means that it is unknown who has what.</param>
/// <param name="Receipts">One for each notification.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct NotifyAnswer(NotificationStatus Status, IReadOnlyList<NotificationReceipt> Receipts, string? Message = null);

/// <summary>
/// Topics with subscriptions, as Amazon SNS has them: a facet that any topic may have beside its log and its exchange. What is
/// published to such a topic by whatever protocol takes the routes of its confirmed subscriptions.
/// </summary>
public interface INotifications
{
    /// <summary>A topic; null if it has no such facet.</summary>
    NotificationTopic? Find(TopicName name);

    /// <summary>A subscription; null if there is none.</summary>
    NotificationSubscription? Find(Guid id);

    /// <summary>All topics, in the order of their names.</summary>
    IReadOnlyList<NotificationTopic> ListTopics();

    /// <summary>All subscriptions, or those of a topic, in the order in which they were made.</summary>
    IReadOnlyList<NotificationSubscription> ListSubscriptions(TopicName? topic = null);

    /// <summary>
    /// Makes, changes or removes a topic's facet. Removing it removes its subscriptions.
    /// </summary>
    /// <param name="name">The topic.</param>
    /// <param name="change">
    /// Says what becomes of what is there, null for nothing. It is called under a lock, may throw to change nothing, and must be quick.
    /// </param>
    /// <param name="cancellation">Ends the wait for admission.</param>
    ValueTask<TopicChange> ChangeTopicAsync(TopicName name, Func<NotificationTopic?, NotificationTopic?> change, CancellationToken cancellation = default);

    /// <summary>Makes a subscription, unless the topic has one of its protocol and endpoint: then that is the answer's <see cref="SubscriptionChange.Before"/>.</summary>
    ValueTask<SubscriptionChange> SubscribeAsync(NotificationSubscription subscription, CancellationToken cancellation = default);

    /// <summary>Changes or removes a subscription: see <see cref="ChangeTopicAsync"/>.</summary>
    ValueTask<SubscriptionChange> ChangeSubscriptionAsync(Guid id, Func<NotificationSubscription, NotificationSubscription?> change, CancellationToken cancellation = default);

    /// <summary>Publishes to a topic.</summary>
    ValueTask<NotifyAnswer> PublishAsync(TopicName topic, IReadOnlyList<Notification> notifications, CancellationToken cancellation = default);

    /// <summary>What a front end keeps under a name; null for nothing.</summary>
    ReadOnlyMemory<byte>? GetSetting(string name);

    /// <summary>All names under which something is kept that begin with some text, in order.</summary>
    IReadOnlyList<string> ListSettings(string prefix);

    /// <summary>Keeps something under a name, or forgets it.</summary>
    /// <param name="name">The name.</param>
    /// <param name="change">Says what becomes of what is there, null for nothing; see <see cref="ChangeTopicAsync"/>.</param>
    /// <param name="maxBytes">The most bytes that it may become.</param>
    /// <param name="cancellation">Ends the wait for admission.</param>
    ValueTask<NotificationStatus> ChangeSettingAsync(string name, Func<ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>?> change, int maxBytes = 1 << 16, CancellationToken cancellation = default);
}
