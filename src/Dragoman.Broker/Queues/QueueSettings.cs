using System.Collections.Immutable;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Queues;

/// <summary>What happens when a queue has reached its greatest length.</summary>
public enum Overflow : byte
{
    /// <summary>The oldest messages make room for the newest; they are dead-lettered if there is a target.</summary>
    DropHead = 0,

    /// <summary>New messages are refused.</summary>
    Reject = 1,

    /// <summary>New messages are refused, and dead-lettered.</summary>
    RejectDeadLetter = 2,
}

/// <summary>What kind of queue its maker asked for: policies are for some kinds or for all.</summary>
public enum QueueKind : byte
{
    /// <summary>None in particular.</summary>
    Classic = 0,

    /// <summary>One that counts deliveries, and gives up after some.</summary>
    Quorum = 1,

    /// <summary>One that keeps what was read: see <see cref="QueueSettings.Retention"/>.</summary>
    Stream = 2,
}

/// <summary>Settings that the maker of a queue named, where their values do not tell: policies do not change some of these.</summary>
[Flags]
public enum ExplicitSettings : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary><see cref="QueueSettings.Overflow"/>.</summary>
    Overflow = 1,

    /// <summary><see cref="SubscriptionSettings.MaxDeliveries"/>.</summary>
    DeliveryLimit = 2,

    /// <summary><see cref="SubscriptionSettings.KeepsDeadLetters"/>.</summary>
    DeadLetterStrategy = 4,
}

/// <summary>How a queue treats its messages. Immutable; replaced as a whole. All times are in milliseconds.</summary>
public sealed record QueueSettings
{
    // Version 2 added retention; 3 the kind, what was named, and the time to acknowledge in.
    private const byte Version = 3;

    /// <summary>Settings of which nothing was said: durable, first in first out, without limits.</summary>
    public static QueueSettings Default { get; } = new();

    /// <summary>Whether the queue is there after a restart.</summary>
    public bool IsDurable { get; init; } = true;

    /// <summary>
    /// What an acknowledged publish means, unless the publisher asks for less. A queue that is not durable, or of mode
    /// <see cref="CommitMode.Memory"/>, keeps its messages in memory, and has none after a restart.
    /// </summary>
    public CommitMode CommitMode { get; init; } = CommitMode.Fsync;

    /// <summary>How messages are delivered and settled.</summary>
    public SubscriptionSettings Subscription { get; init; } = SubscriptionSettings.Default;

    /// <summary>The highest priority that makes a difference, up to 255; 0 for a queue without priorities.</summary>
    public int MaxPriority { get; init; }

    /// <summary>The most messages that wait for delivery; -1 for no limit.</summary>
    public long MaxLength { get; init; } = -1;

    /// <summary>The most bytes of values that wait for delivery; -1 for no limit.</summary>
    public long MaxLengthBytes { get; init; } = -1;

    /// <summary>What happens when the queue is that long.</summary>
    public Overflow Overflow { get; init; }

    /// <summary>How long a queue that nobody uses is kept; -1 for ever.</summary>
    public long ExpiresAfterMs { get; init; } = -1;

    /// <summary>Whether the queue goes with its last consumer, once it has had one.</summary>
    public bool AutoDelete { get; init; }

    /// <summary>How long messages wait before they can be delivered, unless they say otherwise; 0 for not at all.</summary>
    public long DelayMs { get; init; }

    /// <summary>For how long a second message of one deduplication id is taken for a copy; 0 for never.</summary>
    public long DeduplicationWindowMs { get; init; }

    /// <summary>
    /// How long messages are kept, whoever has read them: each consumer then reads by a cursor of its own, and nothing is
    /// settled. Such a queue is on disk, and has none of the settings that concern settling. Null for a queue whose
    /// messages go when they are settled. It is settled when the queue is created which of the two a queue is.
    /// </summary>
    public LogRetention? Retention { get; init; }

    /// <summary>What kind of queue it is to policies.</summary>
    public QueueKind Kind { get; init; }

    /// <summary>What its maker named although it is the default.</summary>
    public ExplicitSettings Explicit { get; init; }

    /// <summary>How long a client may hold a message before its front end takes it for dead; -1 for what the front end says.</summary>
    public long ConsumerTimeoutMs { get; init; } = -1;

    /// <summary>Settings that front ends keep with the queue and give meaning to, by the name the protocol uses.</summary>
    public ImmutableSortedDictionary<string, string> Attributes { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Whether dead letters stay for as long as nobody takes them.</summary>
    internal bool KeepsDeadLetters => Subscription is { KeepsDeadLetters: true, DeadLetter: not null } && Overflow == Overflow.Reject;

    /// <summary>Whether messages are only kept in memory.</summary>
    internal bool IsVolatile => !IsDurable || CommitMode == CommitMode.Memory;

    internal void Write(in SnapshotWriter writer)
    {
        writer.Byte(Version);
        writer.Bool(IsDurable);
        writer.Byte((byte)CommitMode);
        Subscription.Write(writer);
        writer.Int32(MaxPriority);
        writer.Int64(MaxLength);
        writer.Int64(MaxLengthBytes);
        writer.Byte((byte)Overflow);
        writer.Int64(ExpiresAfterMs);
        writer.Bool(AutoDelete);
        writer.Int64(DelayMs);
        writer.Int64(DeduplicationWindowMs);
        writer.Int32(Attributes.Count);
        foreach (var (name, value) in Attributes)
        {
            writer.Text(name);
            writer.Text(value);
        }
        writer.Bool(Retention is not null);
        if (Retention is not null)
        {
            writer.Int64(Retention.MaxAgeMs);
            writer.Int64(Retention.MaxBytes);
        }
        writer.Byte((byte)Kind);
        writer.Byte((byte)Explicit);
        writer.Int64(ConsumerTimeoutMs);
    }

    internal static QueueSettings Read(ref SnapshotReader reader)
    {
        var version = reader.Version(Version, "queue settings");
        var settings = new QueueSettings
        {
            IsDurable = reader.Bool(),
            CommitMode = (CommitMode)reader.Byte(),
            Subscription = SubscriptionSettings.Read(ref reader),
            MaxPriority = reader.Int32(),
            MaxLength = reader.Int64(),
            MaxLengthBytes = reader.Int64(),
            Overflow = (Overflow)reader.Byte(),
            ExpiresAfterMs = reader.Int64(),
            AutoDelete = reader.Bool(),
            DelayMs = reader.Int64(),
            DeduplicationWindowMs = reader.Int64(),
        };
        var attributes = settings.Attributes.ToBuilder();
        for (var n = reader.Count(); n > 0; n--) attributes[reader.Text()] = reader.Text();
        settings = settings with { Attributes = attributes.ToImmutable() };
        if (version >= 2 && reader.Bool()) settings = settings with { Retention = new LogRetention(reader.Int64(), reader.Int64()) };
        if (version >= 3) return settings with { Kind = (QueueKind)reader.Byte(), Explicit = (ExplicitSettings)reader.Byte(), ConsumerTimeoutMs = reader.Int64() };
        return settings with { Kind = settings.Retention is not null ? QueueKind.Stream : settings.Subscription.MaxDeliveries >= 0 ? QueueKind.Quorum : QueueKind.Classic };
    }
}
