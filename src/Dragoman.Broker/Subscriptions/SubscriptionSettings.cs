using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Who gets a message.</summary>
public enum DispatchMode : byte
{
    /// <summary>Whichever consumer has credit, in turn; those of higher priority first.</summary>
    Shared = 0,

    /// <summary>One consumer at a time; when it goes, the next one takes over (AMQP's single active consumer).</summary>
    Failover = 1,

    /// <summary>One consumer; a second one is refused.</summary>
    Exclusive = 2,

    /// <summary>Any consumer, but the messages of a key in order, and to one at a time.</summary>
    ByKey = 3,

    /// <summary>
    /// Whichever consumer has credit, as <see cref="Shared"/>; but messages of keys of which less is held come first, so that the
    /// many messages of one do not hold up those of the others. Messages without a key come when it is their turn.
    /// </summary>
    Fair = 4,
}

/// <summary>Where messages whose time is up are taken out.</summary>
public enum ExpiryScope : byte
{
    /// <summary>Wherever they are, when their time is up.</summary>
    Anywhere = 0,

    /// <summary>At the head of the queue only: one that has expired stays, and counts, behind one that has not (classic AMQP).</summary>
    Head = 1,
}

/// <summary>How long a message that comes back waits before it is delivered again.</summary>
public enum BackOffGrowth : byte
{
    /// <summary>The least delay, times the number of deliveries.</summary>
    Linear = 0,

    /// <summary>Twice as long after each delivery.</summary>
    Exponential = 1,
}

/// <summary>Which messages that come back wait.</summary>
public enum BackOffScope : byte
{
    /// <summary>All whose delivery counts.</summary>
    All = 0,

    /// <summary>Those that nobody gave back: their consumer went, or their lease ended.</summary>
    Failed = 1,

    /// <summary>Those that their consumer gave back.</summary>
    Returned = 2,

    /// <summary>None.</summary>
    None = 3,
}

/// <summary>Where messages go that cannot be delivered.</summary>
/// <param name="Queue">A queue of the same namespace, or null.</param>
/// <param name="Topic">A topic of the same namespace, through which they are routed; or null. Empty is the queues themselves, by routing key.</param>
/// <param name="RoutingKey">What they are routed by, or null for what they were published with.</param>
/// <param name="KeepTimestamp">Whether they keep their age; else it begins anew.</param>
/// <param name="TakesExpired">Whether messages whose time is up go there too; else they are dropped.</param>
public sealed record DeadLetterTarget(string? Queue, string? Topic, string? RoutingKey, bool KeepTimestamp = false, bool TakesExpired = true);

/// <summary>How messages are delivered and settled. Immutable; replaced as a whole. All times are in milliseconds.</summary>
public sealed record SubscriptionSettings
{
    // Version 2 added which messages wait, and dead letters that stay; 3 whether dead-letter targets take what has expired.
    private const byte Version = 3;

    /// <summary>Settings of which nothing was said.</summary>
    public static SubscriptionSettings Default { get; } = new();

    /// <summary>Who gets a message.</summary>
    public DispatchMode Dispatch { get; init; }

    /// <summary>How long a timed lease lasts unless its taker says otherwise.</summary>
    public long LeaseMs { get; init; } = 30_000;

    /// <summary>After so many deliveries a message that comes back is dead-lettered instead; -1 for never.</summary>
    public int MaxDeliveries { get; init; } = -1;

    /// <summary>Where messages go that were refused, delivered too often, expired, or are too many; null to drop them.</summary>
    public DeadLetterTarget? DeadLetter { get; init; }

    /// <summary>The longest time that any setting makes a difference for: a thousand years, in milliseconds. What is longer is this.</summary>
    public const long MostMilliseconds = 365_250L * 24 * 3600 * 1000;

    /// <summary>How long messages live from their timestamp on; -1 for ever. A message's own lifetime counts where it is shorter.</summary>
    public long MessageLifetimeMs { get; init; } = -1;

    /// <summary>Where messages whose time is up are taken out.</summary>
    public ExpiryScope Expiry { get; init; }

    /// <summary>How long a message that comes back waits at least; 0 for not at all.</summary>
    public long MinBackOffMs { get; init; }

    /// <summary>How long it waits at most.</summary>
    public long MaxBackOffMs { get; init; }

    /// <summary>How the wait grows.</summary>
    public BackOffGrowth BackOff { get; init; }

    /// <summary>Which messages that come back wait.</summary>
    public BackOffScope BackOffScope { get; init; }

    /// <summary>
    /// Whether a dead letter stays in the queue, and is tried again, as long as no target takes it; else it is dropped then.
    /// It holds where the queue refuses new messages when it is full (<see cref="Queues.Overflow.Reject"/>).
    /// </summary>
    public bool KeepsDeadLetters { get; init; }

    /// <summary>Messages of blocked keys that are looked past when messages are delivered by key.</summary>
    public int MaxLookAhead { get; init; } = 120_000;

    /// <summary>Which messages are delivered; the others are settled without. Null for all.</summary>
    public HeaderFilter? Filter { get; init; }

    /// <summary>For how long settled messages are kept so that they can be replayed; 0 for not at all.</summary>
    public long ReplayWindowMs { get; init; }

    /// <summary>How many bytes of settled messages are kept at most within the window; -1 for no limit.</summary>
    public long ReplayWindowBytes { get; init; } = -1;

    internal void Write(in SnapshotWriter writer)
    {
        writer.Byte(Version);
        writer.Byte((byte)Dispatch);
        writer.Int64(LeaseMs);
        writer.Int32(MaxDeliveries);
        writer.Bool(DeadLetter is not null);
        if (DeadLetter is not null)
        {
            WriteOptional(writer, DeadLetter.Queue);
            WriteOptional(writer, DeadLetter.Topic);
            WriteOptional(writer, DeadLetter.RoutingKey);
            writer.Bool(DeadLetter.KeepTimestamp);
            writer.Bool(DeadLetter.TakesExpired);
        }
        writer.Int64(MessageLifetimeMs);
        writer.Byte((byte)Expiry);
        writer.Int64(MinBackOffMs);
        writer.Int64(MaxBackOffMs);
        writer.Byte((byte)BackOff);
        writer.Int32(MaxLookAhead);
        writer.Bool(Filter is not null);
        Filter?.Write(writer);
        writer.Int64(ReplayWindowMs);
        writer.Int64(ReplayWindowBytes);
        writer.Byte((byte)BackOffScope);
        writer.Bool(KeepsDeadLetters);
    }

    internal static SubscriptionSettings Read(ref SnapshotReader reader)
    {
        var version = reader.Version(Version, "subscription settings");
        var settings = new SubscriptionSettings
        {
            Dispatch = (DispatchMode)reader.Byte(),
            LeaseMs = reader.Int64(),
            MaxDeliveries = reader.Int32(),
            DeadLetter = reader.Bool() ? new DeadLetterTarget(ReadOptional(ref reader), ReadOptional(ref reader), ReadOptional(ref reader), reader.Bool(), version < 3 || reader.Bool()) : null,
            MessageLifetimeMs = reader.Int64(),
            Expiry = (ExpiryScope)reader.Byte(),
            MinBackOffMs = reader.Int64(),
            MaxBackOffMs = reader.Int64(),
            BackOff = (BackOffGrowth)reader.Byte(),
            MaxLookAhead = reader.Int32(),
            Filter = reader.Bool() ? HeaderFilter.Read(ref reader) : null,
            ReplayWindowMs = reader.Int64(),
            ReplayWindowBytes = reader.Int64(),
        };
        return version >= 2 ? settings with { BackOffScope = (BackOffScope)reader.Byte(), KeepsDeadLetters = reader.Bool() } : settings;
    }

    private static void WriteOptional(in SnapshotWriter writer, string? text)
    {
        writer.Bool(text is not null);
        if (text is not null) writer.Text(text);
    }

    private static string? ReadOptional(ref SnapshotReader reader) => reader.Bool() ? reader.Text() : null;
}
