namespace Dragoman.Broker.Queues.Moves;

/// <summary>Where a move stands.</summary>
public enum MoveState : byte
{
    /// <summary>It goes on, after a restart too.</summary>
    Running = 0,

    /// <summary>It is being cancelled.</summary>
    Cancelling = 1,

    /// <summary>It has moved what it was to move.</summary>
    Completed = 2,

    /// <summary>It was cancelled: what had been moved before stays where it is now.</summary>
    Cancelled = 3,

    /// <summary>It cannot go on; <see cref="Move.Reason"/> says why. What had been moved before stays where it is now.</summary>
    Failed = 4,
}

/// <summary>What a move is to do.</summary>
public sealed record MoveOptions
{
    /// <summary>The queue to move to, of the same namespace; null for the queue that each message was dead-lettered from.</summary>
    public string? Target { get; init; }

    /// <summary>Messages a second at most; 0 for as many as there is time for.</summary>
    public double MessagesPerSecond { get; init; }

    /// <summary>Messages at most; -1 for all that are ready when it begins.</summary>
    public long MaxMessages { get; init; } = -1;
}

/// <summary>A move of messages from one queue to others, and how far it has come.</summary>
public sealed record Move
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>The queue that messages are moved from.</summary>
    public required QueueName Source { get; init; }

    /// <summary>That queue's id: one that is created anew under its name is another.</summary>
    public required Guid SourceId { get; init; }

    /// <summary>The queue to move to; null for the one that each message was dead-lettered from.</summary>
    public required string? Target { get; init; }

    /// <summary>Messages a second at most; 0 for as many as there is time for.</summary>
    public required double MessagesPerSecond { get; init; }

    /// <summary>Messages to be moved: those that were ready when it began, or fewer if fewer were asked for.</summary>
    public required long Planned { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Where it stands.</summary>
    public MoveState State { get; init; }

    /// <summary>Messages moved so far.</summary>
    public long Moved { get; init; }

    /// <summary>Messages that stay because the queue that they were dead-lettered from is unknown or gone.</summary>
    public long Left { get; init; }

    /// <summary>When it ended; null while it goes on.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it failed, or what it waits for; null otherwise.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => State > MoveState.Cancelling;
}

/// <summary>The answer to a wish that concerns a move.</summary>
/// <param name="Status">
/// How it ended: <see cref="QueueStatus.InUse"/> where messages of the queue are being moved already, or the move has ended;
/// <see cref="QueueStatus.InvalidSettings"/> where the options make no sense.
/// </param>
/// <param name="Move">The move; null if there is none.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct MoveAnswer(QueueStatus Status, Move? Move, string? Message = null);

/// <summary>
/// Moves of messages from queues to other queues, such as from a dead-letter queue back to where they came from. A move runs
/// by itself, at its rate, until what was ready when it began is moved; it goes on after a restart. Each message is
/// appended to its target and settled at its source in one commit: it is never lost, and never in both, whenever the
/// broker ends. (A queue that keeps messages in memory has none after a crash, so there the two are two commits: what
/// is on disk is settled last.)
/// </summary>
/// <remarks>
/// A moved message is a new one of its target: its age and its deliveries count from then. It keeps key, value, and headers
/// with its history and its own time of expiry, but no delay and no deduplication id. Where the target refuses it for its
/// length, the move waits until there is room.
/// </remarks>
public interface IMoves
{
    /// <summary>Starts a move. The answer comes when it is on disk that it is to go on until its end.</summary>
    ValueTask<MoveAnswer> StartAsync(IQueueHandle source, MoveOptions options, CancellationToken cancellation = default);

    /// <summary>Ends a move. The answer comes when that is on disk; messages may be on their way still.</summary>
    ValueTask<MoveAnswer> CancelAsync(Guid id, CancellationToken cancellation = default);

    /// <summary>A move by its id; null if it is not known, or not any more.</summary>
    Move? Find(Guid id);

    /// <summary>The moves that go on, and of those that have ended the last ten of each queue; the newest first.</summary>
    IReadOnlyList<Move> List();
}
