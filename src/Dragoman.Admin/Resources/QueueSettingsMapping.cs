using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;

namespace Dragoman.Admin.Resources;

/// <summary>Turns settings of queues into the API's form and back.</summary>
internal static class QueueSettingsMapping
{
    private const int MaxPriority = 255;

    public static QueueSettingsModel ToModel(QueueSettings settings)
    {
        var delivery = settings.Subscription;
        return new QueueSettingsModel
        {
            Durable = settings.IsDurable,
            CommitMode = TopicSettingsMapping.NameOf(settings.CommitMode),
            Dispatch = Text.Camel(delivery.Dispatch),
            LeaseMs = delivery.LeaseMs,
            MaxDeliveries = delivery.MaxDeliveries,
            DeadLetterQueue = delivery.DeadLetter?.Queue,
            DeadLetterExchange = delivery.DeadLetter?.Topic,
            DeadLetterKey = delivery.DeadLetter?.RoutingKey,
            MessageLifetimeMs = delivery.MessageLifetimeMs,
            MaxLength = settings.MaxLength,
            MaxLengthBytes = settings.MaxLengthBytes,
            Overflow = Text.Camel(settings.Overflow),
            ExpiresAfterMs = settings.ExpiresAfterMs,
            AutoDelete = settings.AutoDelete,
            MaxPriority = settings.MaxPriority,
            DelayMs = settings.DelayMs,
            DeduplicationWindowMs = settings.DeduplicationWindowMs,
            ReplayWindowMs = delivery.ReplayWindowMs,
            ReplayWindowBytes = delivery.ReplayWindowBytes,
            RetentionMs = settings.Retention?.MaxAgeMs,
            RetentionBytes = settings.Retention?.MaxBytes,
        };
    }

    /// <summary>Checks a model and makes settings of it.</summary>
    /// <exception cref="ProblemException">A value is not allowed, or two contradict each other.</exception>
    public static QueueSettings ToSettings(QueueSettingsModel? model)
    {
        if (model is null) return QueueSettings.Default;
        if (model.RetentionMs is not null || model.RetentionBytes is not null) throw ProblemException.BadRequest("Streams, which keep messages for a time, are declared by AMQP clients: x-queue-type is stream.");
        Between(model.LeaseMs, "leaseMs", 0);
        Between(model.MaxDeliveries, "maxDeliveries", -1);
        if (model.MaxDeliveries == 0) throw ProblemException.BadRequest("maxDeliveries is 0; it should be at least 1, or -1 for no limit.");
        Between(model.MessageLifetimeMs, "messageLifetimeMs", -1);
        Between(model.MaxLength, "maxLength", -1);
        Between(model.MaxLengthBytes, "maxLengthBytes", -1);
        Between(model.ExpiresAfterMs, "expiresAfterMs", -1);
        if (model.ExpiresAfterMs == 0) throw ProblemException.BadRequest("expiresAfterMs is 0: the queue would be gone at once.");
        Between(model.MaxPriority, "maxPriority", 0, MaxPriority);
        Between(model.DelayMs, "delayMs", 0);
        Between(model.DeduplicationWindowMs, "deduplicationWindowMs", 0);
        Between(model.ReplayWindowMs, "replayWindowMs", 0);
        Between(model.ReplayWindowBytes, "replayWindowBytes", -1);
        if (model is { DeadLetterQueue: not null, DeadLetterExchange: not null }) throw ProblemException.BadRequest("Dead letters go to deadLetterQueue or through deadLetterExchange, not both.");
        if (model is { DeadLetterKey: not null, DeadLetterExchange: null }) throw ProblemException.BadRequest("deadLetterKey needs deadLetterExchange: a queue takes dead letters whatever their key.");
        var defaults = QueueSettings.Default;
        var delivery = defaults.Subscription;
        return defaults with
        {
            IsDurable = model.Durable ?? defaults.IsDurable,
            CommitMode = model.CommitMode is { } mode ? Text.Parse<CommitMode>(mode, "commitMode") : defaults.CommitMode,
            MaxPriority = model.MaxPriority ?? defaults.MaxPriority,
            MaxLength = model.MaxLength ?? defaults.MaxLength,
            MaxLengthBytes = model.MaxLengthBytes ?? defaults.MaxLengthBytes,
            Overflow = model.Overflow is { } overflow ? Text.Parse<Overflow>(overflow, "overflow") : defaults.Overflow,
            ExpiresAfterMs = model.ExpiresAfterMs ?? defaults.ExpiresAfterMs,
            AutoDelete = model.AutoDelete ?? defaults.AutoDelete,
            DelayMs = model.DelayMs ?? defaults.DelayMs,
            DeduplicationWindowMs = model.DeduplicationWindowMs ?? defaults.DeduplicationWindowMs,
            Subscription = delivery with
            {
                Dispatch = model.Dispatch is { } dispatch ? Text.Parse<DispatchMode>(dispatch, "dispatch") : delivery.Dispatch,
                LeaseMs = model.LeaseMs ?? delivery.LeaseMs,
                MaxDeliveries = model.MaxDeliveries ?? delivery.MaxDeliveries,
                DeadLetter = model.DeadLetterQueue is null && model.DeadLetterExchange is null ? null : new DeadLetterTarget(model.DeadLetterQueue, model.DeadLetterExchange, model.DeadLetterKey),
                MessageLifetimeMs = model.MessageLifetimeMs ?? delivery.MessageLifetimeMs,
                ReplayWindowMs = model.ReplayWindowMs ?? delivery.ReplayWindowMs,
                ReplayWindowBytes = model.ReplayWindowBytes ?? delivery.ReplayWindowBytes,
            },
        };
    }

    private static void Between(long? value, string name, long least, long most = 1L << 48)
    {
        if (value < least || value > most) throw ProblemException.BadRequest($"{name} is {value}; it should be {(most == 1L << 48 ? $"at least {least}" : $"from {least} to {most}")}.");
    }
}
