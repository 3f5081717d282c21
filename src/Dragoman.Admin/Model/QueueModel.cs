namespace Dragoman.Admin.Model;

/// <summary>Queues.</summary>
/// <param name="Queues">In the order of their names.</param>
/// <param name="Next">What to give as <c>after</c> to get the next ones; null where these are the last.</param>
public sealed record QueueList(IReadOnlyList<QueueOverview> Queues, string? Next = null);

/// <summary>A queue in a list.</summary>
/// <param name="Namespace">Its namespace, <c>tenant/namespace</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Type"><c>queue</c>; or <c>stream</c>, which keeps its messages for a time, whoever has read them.</param>
/// <param name="Durable">Whether it is there after a restart.</param>
/// <param name="CommitMode">What an acknowledged publish means.</param>
/// <param name="Ready">Messages that can be delivered.</param>
/// <param name="Leased">Messages that were delivered and are not settled, and those that are on their way elsewhere.</param>
/// <param name="Delayed">Messages that cannot be delivered yet.</param>
/// <param name="Consumers">Consumers that may get messages.</param>
public sealed record QueueOverview(string Namespace, string Name, string Type, bool Durable, string CommitMode, long Ready, long Leased, long Delayed, int Consumers);

/// <summary>A queue in full.</summary>
public sealed record QueueDetails
{
    /// <summary>Its namespace, <c>tenant/namespace</c>.</summary>
    public required string Namespace { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its id: a queue created anew has another.</summary>
    public required Guid Id { get; init; }

    /// <summary><c>queue</c> or <c>stream</c>.</summary>
    public required string Type { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Messages that can be delivered.</summary>
    public required long Ready { get; init; }

    /// <summary>Messages that were delivered and are not settled, and those that are on their way elsewhere.</summary>
    public required long Leased { get; init; }

    /// <summary>Messages that cannot be delivered yet.</summary>
    public required long Delayed { get; init; }

    /// <summary>Consumers that may get messages.</summary>
    public required int Consumers { get; init; }

    /// <summary>What it keeps: from here up to <see cref="EndOffset"/> it can be replayed.</summary>
    public required long StartOffset { get; init; }

    /// <summary>The offset that the next message gets.</summary>
    public required long EndOffset { get; init; }

    /// <summary>When the oldest message that it keeps was published; null if it keeps none.</summary>
    public DateTimeOffset? OldestAt { get; init; }

    /// <summary>Its settings.</summary>
    public required QueueSettingsModel Settings { get; init; }

    /// <summary>Where all messages have gone that ever came.</summary>
    public required QueueTotals Totals { get; init; }

    /// <summary>The routes that lead to it.</summary>
    public required IReadOnlyList<BindingModel> Bindings { get; init; }
}

/// <summary>Where messages have gone since a queue was made.</summary>
/// <param name="Accepted">Published, or moved in.</param>
/// <param name="Replayed">Brought back by a replay.</param>
/// <param name="Acknowledged">Acknowledged by consumers.</param>
/// <param name="Expired">Gone because their time was up.</param>
/// <param name="DeadLettered">Sent to the dead-letter target.</param>
/// <param name="MovedOut">Moved to other queues.</param>
/// <param name="Purged">Purged, or skipped by a replay.</param>
/// <param name="Filtered">Kept from delivery by a filter.</param>
/// <param name="Dropped">Refused by consumers without a dead-letter target, or too many.</param>
public sealed record QueueTotals(long Accepted, long Replayed, long Acknowledged, long Expired, long DeadLettered, long MovedOut, long Purged, long Filtered, long Dropped);

/// <summary>Settings of a queue. In a request, what is missing has its default. All times are in milliseconds.</summary>
public sealed record QueueSettingsModel
{
    /// <summary>Whether it is there after a restart; <c>true</c> if missing.</summary>
    public bool? Durable { get; init; }

    /// <summary>What an acknowledged publish means: <c>fsync</c> (the default), <c>written</c> or <c>memory</c>.</summary>
    public string? CommitMode { get; init; }

    /// <summary>Who gets a message: <c>shared</c> (the default), <c>failover</c>, <c>exclusive</c>, <c>byKey</c> or <c>fair</c>.</summary>
    public string? Dispatch { get; init; }

    /// <summary>How long a message that was received is held for its receiver; 30,000 if missing.</summary>
    public long? LeaseMs { get; init; }

    /// <summary>After so many deliveries a message that comes back is dead-lettered; -1 for never.</summary>
    public int? MaxDeliveries { get; init; }

    /// <summary>The queue that dead letters go to.</summary>
    public string? DeadLetterQueue { get; init; }

    /// <summary>The exchange that dead letters go to, instead; empty for the queues themselves, by routing key.</summary>
    public string? DeadLetterExchange { get; init; }

    /// <summary>What dead letters are routed by, if not by what they were published with.</summary>
    public string? DeadLetterKey { get; init; }

    /// <summary>How long messages live; -1 for ever.</summary>
    public long? MessageLifetimeMs { get; init; }

    /// <summary>The most messages that wait; -1 for no limit.</summary>
    public long? MaxLength { get; init; }

    /// <summary>The most bytes of values that wait; -1 for no limit.</summary>
    public long? MaxLengthBytes { get; init; }

    /// <summary>What happens at that length: <c>dropHead</c> (the default), <c>reject</c> or <c>rejectDeadLetter</c>.</summary>
    public string? Overflow { get; init; }

    /// <summary>How long the queue is kept if nobody uses it; -1 for ever.</summary>
    public long? ExpiresAfterMs { get; init; }

    /// <summary>Whether the queue goes with its last consumer.</summary>
    public bool? AutoDelete { get; init; }

    /// <summary>The highest priority that makes a difference, up to 255; 0 for none.</summary>
    public int? MaxPriority { get; init; }

    /// <summary>How long messages wait before they can be delivered.</summary>
    public long? DelayMs { get; init; }

    /// <summary>For how long a second message of one deduplication id is taken for a copy.</summary>
    public long? DeduplicationWindowMs { get; init; }

    /// <summary>For how long settled messages are kept for a replay.</summary>
    public long? ReplayWindowMs { get; init; }

    /// <summary>How many bytes of settled messages are kept at most; -1 for no limit.</summary>
    public long? ReplayWindowBytes { get; init; }

    /// <summary>Of a stream: how old messages get; -1 for any age. Not in requests.</summary>
    public long? RetentionMs { get; init; }

    /// <summary>Of a stream: how many bytes are kept at least; -1 for any number. Not in requests.</summary>
    public long? RetentionBytes { get; init; }
}

/// <summary>A queue to be created.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Settings">Its settings.</param>
public sealed record CreateQueueRequest(string Name, QueueSettingsModel? Settings = null);

/// <summary>A wish to drop messages.</summary>
/// <param name="Everything">Whether also those that are delayed or held by consumers.</param>
public sealed record PurgeRequest(bool Everything = false);

/// <summary>What was dropped.</summary>
/// <param name="Purged">How many messages.</param>
public sealed record PurgeResult(long Purged);

/// <summary>A wish to go to another place in a queue.</summary>
/// <param name="To"><c>earliest</c>, <c>latest</c>, an offset, a time such as <c>2026-01-31T12:00:00Z</c>, or an age such as <c>15m</c>.</param>
public sealed record ReplayRequest(string To);

/// <summary>What a replay did.</summary>
/// <param name="Replayed">Messages that came back.</param>
/// <param name="Ready">Messages that can be delivered now.</param>
public sealed record ReplayResult(long Replayed, long Ready);

/// <summary>Messages of a queue.</summary>
/// <param name="Messages">In the order of their offsets, or of their delivery.</param>
/// <param name="Next">The offset to give as <c>from</c> to see the next ones; null where these are the last, and for messages that were received.</param>
public sealed record QueueMessageList(IReadOnlyList<QueueMessage> Messages, long? Next = null);

/// <summary>
/// A message of a queue. Bytes that are UTF-8 are text; others are in the field whose name ends in Base64. Where neither is
/// there, the key or value is null, which is not the same as empty.
/// </summary>
public sealed record QueueMessage
{
    /// <summary>Its offset. Not in requests.</summary>
    public long? Offset { get; init; }

    /// <summary>When it was published, in milliseconds since 1970. Not in requests.</summary>
    public long? Timestamp { get; init; }

    /// <summary>How often it was delivered, this time included. Not in requests.</summary>
    public int? Deliveries { get; init; }

    /// <summary>What to settle it with, where it was received. Not in requests.</summary>
    public string? Lease { get; init; }

    /// <summary>The key as text.</summary>
    public string? Key { get; init; }

    /// <summary>The key as bytes.</summary>
    public byte[]? KeyBase64 { get; init; }

    /// <summary>The value as text.</summary>
    public string? Value { get; init; }

    /// <summary>The value as bytes.</summary>
    public byte[]? ValueBase64 { get; init; }

    /// <summary>The headers, in order.</summary>
    public IReadOnlyList<HeaderModel>? Headers { get; init; }

    /// <summary>Why and where it was dead-lettered, the last time first. Not in requests.</summary>
    public IReadOnlyList<DeathModel>? Deaths { get; init; }

    /// <summary>How urgent it is, 0 to 255. Only in requests; it is a header afterwards.</summary>
    public int? Priority { get; init; }

    /// <summary>Not to be delivered for so many milliseconds. Only in requests.</summary>
    public long? DelayMs { get; init; }

    /// <summary>Not worth delivering after so many milliseconds. Only in requests.</summary>
    public long? LifetimeMs { get; init; }

    /// <summary>What makes a second copy known as one. Only in requests.</summary>
    public string? DeduplicationId { get; init; }
}

/// <summary>Why a message was dead-lettered from a queue.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Reason"><c>rejected</c>, <c>expired</c>, <c>maxLength</c> or <c>deliveryLimit</c>.</param>
/// <param name="Count">How often.</param>
/// <param name="FirstAt">When for the first time.</param>
public sealed record DeathModel(string Queue, string Reason, long Count, DateTimeOffset FirstAt);

/// <summary>Messages to be published.</summary>
/// <param name="Messages">The messages.</param>
public sealed record PublishRequest(IReadOnlyList<QueueMessage> Messages);

/// <summary>What was published, and is as durable as the queue says.</summary>
/// <param name="Published">How many messages, copies included.</param>
/// <param name="Duplicates">How many of them were there already.</param>
public sealed record PublishResult(long Published, long Duplicates);

/// <summary>A wish for messages under a lease: until it ends nobody else gets them.</summary>
/// <param name="Max">How many at most, up to 1,000.</param>
/// <param name="WaitSeconds">How long to wait for the first one, up to 60.</param>
/// <param name="LeaseSeconds">How long they are held; the queue's own time if missing.</param>
public sealed record ReceiveRequest(int Max = 1, double WaitSeconds = 0, double? LeaseSeconds = null);

/// <summary>What to do with messages that were received.</summary>
/// <param name="Leases">Which: their <see cref="QueueMessage.Lease"/>.</param>
/// <param name="Action">
/// <c>acknowledge</c> (done with), <c>return</c> (to be delivered again), <c>release</c> (as if it had not been delivered) or
/// <c>reject</c> (dead-lettered).
/// </param>
/// <param name="DelaySeconds">How long a message that goes back waits.</param>
public sealed record SettleRequest(IReadOnlyList<string> Leases, string Action, double? DelaySeconds = null);

/// <summary>What was settled.</summary>
/// <param name="Settled">How many of them were held; the lease of the others was over.</param>
public sealed record SettleResult(long Settled);

/// <summary>Moves.</summary>
/// <param name="Moves">The newest first.</param>
public sealed record MoveList(IReadOnlyList<MoveModel> Moves);

/// <summary>A move to be started.</summary>
/// <param name="Source">The queue to take messages from.</param>
/// <param name="Target">The queue to move them to; where each was dead-lettered from, if missing.</param>
/// <param name="MessagesPerSecond">How many a second at most; as many as there is time for, if missing.</param>
/// <param name="MaxMessages">How many at most; all that are ready, if missing.</param>
public sealed record CreateMoveRequest(string Source, string? Target = null, double? MessagesPerSecond = null, long? MaxMessages = null);

/// <summary>A move, and how far it has come.</summary>
public sealed record MoveModel
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>The namespace of the queues.</summary>
    public required string Namespace { get; init; }

    /// <summary>The queue that messages are moved from.</summary>
    public required string Source { get; init; }

    /// <summary>The queue that they are moved to; missing where each goes back to where it was dead-lettered from.</summary>
    public string? Target { get; init; }

    /// <summary><c>running</c>, <c>cancelling</c>, <c>completed</c>, <c>cancelled</c> or <c>failed</c>.</summary>
    public required string State { get; init; }

    /// <summary>Messages a second at most; missing for no limit.</summary>
    public double? MessagesPerSecond { get; init; }

    /// <summary>Messages to be moved.</summary>
    public required long Planned { get; init; }

    /// <summary>Messages moved so far.</summary>
    public required long Moved { get; init; }

    /// <summary>Messages that stay because the queue that they were dead-lettered from is unknown or gone.</summary>
    public required long Left { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it failed, or what it waits for.</summary>
    public string? Reason { get; init; }
}
