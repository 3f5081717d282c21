using System.Globalization;
using System.Text.Json;
using Dragoman.Aws.Http;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Aws.Sqs.Attributes;

/// <summary>
/// Turns a queue's attributes into settings of the engine and back. What the engine does not act upon is kept with the
/// queue as it was given.
/// </summary>
internal static class QueueAttributes
{
    /// <summary>The largest message, in bytes: what AWS takes since August 2025.</summary>
    public const int LargestMessage = 1 << 20;

    /// <summary>For how long FIFO queues know a message's deduplication id.</summary>
    public static readonly TimeSpan DeduplicationWindow = TimeSpan.FromMinutes(5);

    /// <summary>The longest time for which a message may be hidden from others, in seconds.</summary>
    public const int MaxVisibilitySeconds = 43_200;

    /// <summary>The most characters of an attribute's value: more than any policy that AWS takes has.</summary>
    private const int LongestValue = 128 << 10;

    // What changes a policy later cannot say which of two members of a name is meant.
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>The longest delay, in seconds.</summary>
    public const int MaxDelaySeconds = 900;

    /// <summary>The longest wait for a message, in seconds.</summary>
    public const int MaxWaitSeconds = 20;

    /// <summary>The most messages that may be received and not deleted at a time.</summary>
    public const int MaxInFlight = 120_000;

    private const string ScopeOfGroups = "messageGroup";
    private const long ScopeChangeMs = 60_000;
    private const int DefaultRetentionSeconds = 345_600;
    private const int MaxRetentionSeconds = 1_209_600;

    /// <summary>The settings of a queue of which nothing was said.</summary>
    public static QueueSettings Defaults(AwsNode node, bool isFifo) => QueueSettings.Default with
    {
        CommitMode = node.Options.CommitMode,
        DeduplicationWindowMs = isFifo ? (long)DeduplicationWindow.TotalMilliseconds : 0,
        Subscription = SubscriptionSettings.Default with
        {
            Dispatch = isFifo ? DispatchMode.ByKey : DispatchMode.Fair,
            MessageLifetimeMs = DefaultRetentionSeconds * 1000L,
        },
    };

    /// <summary>Whether a queue keeps the order of groups.</summary>
    public static bool IsFifo(QueueSettings settings) => settings.Subscription.Dispatch == DispatchMode.ByKey;

    /// <summary>Changes settings as attributes say.</summary>
    /// <exception cref="AwsException">One of them is unknown, or has a value that it cannot have.</exception>
    public static QueueSettings Apply(QueueSettings settings, IReadOnlyList<(string Name, string Value)> attributes, bool isFifo, bool isNew)
    {
        foreach (var (name, value) in attributes) settings = Apply(settings, name, value, isFifo, isNew);
        return settings;
    }

    private static QueueSettings Apply(QueueSettings settings, string name, string value, bool isFifo, bool isNew)
    {
        if (value.Length > LongestValue) throw SqsErrors.InvalidAttributeValue(name);
        switch (name)
        {
            case AttributeNames.VisibilityTimeout:
                return settings with { Subscription = settings.Subscription with { LeaseMs = Number(name, value, 0, MaxVisibilitySeconds) * 1000L } };
            case AttributeNames.MessageRetentionPeriod:
                return settings with { Subscription = settings.Subscription with { MessageLifetimeMs = Number(name, value, 60, MaxRetentionSeconds) * 1000L } };
            case AttributeNames.DelaySeconds:
                return settings with { DelayMs = Number(name, value, 0, MaxDelaySeconds) * 1000L };
            case AttributeNames.MaximumMessageSize:
                return Keep(settings, name, Number(name, value, 1024, LargestMessage).ToString(CultureInfo.InvariantCulture));
            case AttributeNames.ReceiveWait:
                return Keep(settings, name, Number(name, value, 0, MaxWaitSeconds).ToString(CultureInfo.InvariantCulture));
            case AttributeNames.RedrivePolicy:
                if (value.Length == 0) return Keep(settings, name, null) with { Subscription = settings.Subscription with { DeadLetter = null, MaxDeliveries = -1 } };
                var policy = RedrivePolicy.Parse(value);
                if (isFifo != policy.Queue.EndsWith(AttributeNames.FifoSuffix, StringComparison.Ordinal))
                    throw SqsErrors.InvalidParameter(value, name, $"Dead-letter queue must be same type of queue as the source.");
                // A standard queue's messages keep their age when they move; what is too old is not moved at all.
                return Keep(settings, name, value) with
                {
                    Subscription = settings.Subscription with { DeadLetter = new DeadLetterTarget(policy.Queue, null, null, KeepTimestamp: !isFifo, TakesExpired: false), MaxDeliveries = policy.MaxReceiveCount },
                };
            case AttributeNames.Policy or AttributeNames.RedriveAllowPolicy:
                if (value.Length > 0) CheckJson(name, value);
                return Keep(settings, name, value.Length == 0 ? null : value);
            case AttributeNames.KmsMasterKeyId:
                settings = Keep(settings, name, value.Length == 0 ? null : value);
                return value.Length == 0 ? settings : Keep(settings, AttributeNames.ManagedSse, "false");
            case AttributeNames.KmsReuse:
                return Keep(settings, name, Number(name, value, 60, 86_400).ToString(CultureInfo.InvariantCulture));
            case AttributeNames.ManagedSse:
                return Keep(settings, name, Truth(name, value) ? "true" : "false");
            case AttributeNames.FifoQueue:
                if (!isFifo) throw SqsErrors.UnknownAttribute(name);
                if (!isNew && !Truth(name, value)) throw SqsErrors.InvalidAttributeValue(name, "Modifying queue type is not supported.");
                if (!Truth(name, value)) throw SqsErrors.InvalidAttributeValue(name);
                return settings;
            case AttributeNames.ContentBasedDeduplication:
                if (!isFifo) throw SqsErrors.UnknownAttribute(name);
                return Keep(settings, name, Truth(name, value) ? "true" : "false");
            case AttributeNames.DeduplicationScope:
                if (!isFifo) throw SqsErrors.InvalidAttributeName($"You can specify the {name} only when FifoQueue is set to true.");
                if (value is not ("queue" or ScopeOfGroups)) throw SqsErrors.InvalidAttributeValue(name);
                return Keep(settings, name, value);
            case AttributeNames.FifoThroughputLimit:
                if (!isFifo) throw SqsErrors.InvalidAttributeName($"You can specify the {name} only when FifoQueue is set to true.");
                if (value is not ("perQueue" or "perMessageGroupId")) throw SqsErrors.InvalidAttributeValue(name);
                return Keep(settings, name, value);
            default:
                throw SqsErrors.UnknownAttribute(name);
        }
    }

    /// <summary>What attributes say of a queue's settings; those that say nothing are left out.</summary>
    public static string? Read(QueueSettings settings, string name)
    {
        var subscription = settings.Subscription;
        var isFifo = IsFifo(settings);
        return name switch
        {
            AttributeNames.VisibilityTimeout => Seconds(subscription.LeaseMs),
            AttributeNames.MessageRetentionPeriod => subscription.MessageLifetimeMs < 0 ? Seconds(MaxRetentionSeconds * 1000L) : Seconds(subscription.MessageLifetimeMs),
            AttributeNames.DelaySeconds => Seconds(settings.DelayMs),
            AttributeNames.MaximumMessageSize => Kept(settings, name) ?? LargestMessage.ToString(CultureInfo.InvariantCulture),
            AttributeNames.ReceiveWait => Kept(settings, name) ?? "0",
            AttributeNames.ManagedSse => Kept(settings, name) ?? "true",
            AttributeNames.KmsReuse => Kept(settings, AttributeNames.KmsMasterKeyId) is null ? null : Kept(settings, name) ?? "300",
            AttributeNames.FifoQueue => isFifo ? "true" : null,
            AttributeNames.ContentBasedDeduplication => isFifo ? Kept(settings, name) ?? "false" : null,
            AttributeNames.DeduplicationScope => isFifo ? Kept(settings, name) ?? "queue" : null,
            AttributeNames.FifoThroughputLimit => isFifo ? Kept(settings, name) ?? "perQueue" : null,
            AttributeNames.Policy or AttributeNames.RedrivePolicy or AttributeNames.RedriveAllowPolicy or AttributeNames.KmsMasterKeyId => Kept(settings, name),
            _ => null,
        };
    }

    /// <summary>The attributes of a queue's settings, in the order in which they are shown.</summary>
    public static readonly IReadOnlyList<string> Settings =
    [
        AttributeNames.VisibilityTimeout, AttributeNames.MaximumMessageSize, AttributeNames.MessageRetentionPeriod, AttributeNames.DelaySeconds, AttributeNames.ReceiveWait,
        AttributeNames.Policy, AttributeNames.RedrivePolicy, AttributeNames.RedriveAllowPolicy, AttributeNames.KmsMasterKeyId, AttributeNames.KmsReuse, AttributeNames.ManagedSse,
        AttributeNames.FifoQueue, AttributeNames.ContentBasedDeduplication, AttributeNames.DeduplicationScope, AttributeNames.FifoThroughputLimit,
    ];

    /// <summary>The largest message of a queue, in bytes.</summary>
    public static int MaxMessageBytes(QueueSettings settings) => Kept(settings, AttributeNames.MaximumMessageSize) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : LargestMessage;

    /// <summary>How long a receive waits that does not say, in seconds.</summary>
    public static int WaitSeconds(QueueSettings settings) => Kept(settings, AttributeNames.ReceiveWait) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : 0;

    /// <summary>Whether a message's deduplication id is its body's hash where it has none.</summary>
    public static bool DeduplicatesByContent(QueueSettings settings) => Kept(settings, AttributeNames.ContentBasedDeduplication) == "true";

    /// <summary>Whether deduplication ids count within their group only. A change counts a minute later, which is what the real service needs.</summary>
    /// <param name="settings">The queue's settings.</param>
    /// <param name="now">The time, in milliseconds since 1970.</param>
    public static bool DeduplicatesByGroup(QueueSettings settings, long now)
    {
        var scope = Kept(settings, AttributeNames.DeduplicationScope);
        if (Kept(settings, AttributeNames.ScopeBefore) is { } before && before.Split('@') is [var earlier, var until] && now < long.Parse(until, CultureInfo.InvariantCulture)) scope = earlier;
        return scope == ScopeOfGroups;
    }

    /// <summary>Notes what the scope of deduplication ids was before a change, as long as that counts.</summary>
    public static QueueSettings NoteScope(QueueSettings before, QueueSettings after, long now)
    {
        var wasByGroup = DeduplicatesByGroup(before, now);
        if ((Kept(after, AttributeNames.DeduplicationScope) == ScopeOfGroups) == wasByGroup) return Keep(after, AttributeNames.ScopeBefore, null);
        if (Kept(before, AttributeNames.DeduplicationScope) == Kept(after, AttributeNames.DeduplicationScope)) return after;
        return Keep(after, AttributeNames.ScopeBefore, string.Create(CultureInfo.InvariantCulture, $"{(wasByGroup ? ScopeOfGroups : "queue")}@{now + ScopeChangeMs}"));
    }

    /// <summary>What is kept under an attribute's name.</summary>
    public static string? Kept(QueueSettings settings, string name) => settings.Attributes.GetValueOrDefault(AttributeNames.Kept + name);

    /// <summary>Keeps an attribute, or forgets it.</summary>
    public static QueueSettings Keep(QueueSettings settings, string name, string? value) => settings with
    {
        Attributes = value is null ? settings.Attributes.Remove(AttributeNames.Kept + name) : settings.Attributes.SetItem(AttributeNames.Kept + name, value),
    };

    private static string Seconds(long milliseconds) => (milliseconds / 1000).ToString(CultureInfo.InvariantCulture);

    private static int Number(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw SqsErrors.InvalidAttributeValue(name);

    private static bool Truth(string name, string value) =>
        bool.TryParse(value, out var truth) ? truth : throw SqsErrors.InvalidAttributeValue(name);

    private static void CheckJson(string name, string value)
    {
        try
        {
            using var document = JsonDocument.Parse(value, s_strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return;
        }
        catch (JsonException)
        {
        }
        throw SqsErrors.InvalidAttributeValue(name);
    }
}
