using System.Text.Json;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Log;

namespace Dragoman.Broker.Policies;

/// <summary>What a policy makes of a queue's settings (RabbitMQ's <c>rabbit_amqqueue_process</c> and <c>rabbit_quorum_queue</c>).</summary>
internal static class PolicyEffect
{
    /// <summary>The settings by which a queue works.</summary>
    /// <param name="declared">What it was declared with.</param>
    /// <param name="definition">What policies say of it.</param>
    public static QueueSettings Apply(QueueSettings declared, IReadOnlyDictionary<string, JsonElement> definition)
    {
        if (definition.Count == 0) return declared;
        var policy = new Reader(definition);
        if (declared.Retention is { } retention) return declared with { Retention = Apply(retention, policy) };
        return declared with
        {
            MaxLength = Lower(declared.MaxLength, policy.Number("max-length")),
            MaxLengthBytes = Lower(declared.MaxLengthBytes, policy.Number("max-length-bytes")),
            ExpiresAfterMs = Lower(declared.ExpiresAfterMs, policy.Number("expires")),
            ConsumerTimeoutMs = Lower(declared.ConsumerTimeoutMs, policy.Number("consumer-timeout")),
            Overflow = OverflowOf(declared, policy.Text("overflow")),
            Subscription = Apply(declared, declared.Subscription, policy),
        };
    }

    private static LogRetention Apply(LogRetention declared, Reader policy)
    {
        var age = policy.Text("max-age") is { } text ? Spans.ToMilliseconds(text) : null;
        return new LogRetention(Lower(declared.MaxAgeMs, age), Lower(declared.MaxBytes, policy.Number("max-length-bytes")));
    }

    private static SubscriptionSettings Apply(QueueSettings queue, SubscriptionSettings declared, Reader policy)
    {
        var settings = declared with
        {
            MessageLifetimeMs = Lower(declared.MessageLifetimeMs, policy.Number("message-ttl")),
            DeadLetter = DeadLetterOf(declared.DeadLetter, policy.Text("dead-letter-exchange"), policy.Text("dead-letter-routing-key")),
            KeepsDeadLetters = queue.Explicit.HasFlag(ExplicitSettings.DeadLetterStrategy) || policy.Text("dead-letter-strategy") is not { } strategy
                ? declared.KeepsDeadLetters
                : strategy == "at-least-once",
        };
        if (policy.Number("delivery-limit") is { } limit) settings = settings with { MaxDeliveries = DeliveriesFor(queue, limit) };
        return queue.Kind == QueueKind.Quorum ? WithRetry(settings, policy) : settings;
    }

    /// <summary>A limit of deliveries that fail is one more delivery in all.</summary>
    private static int DeliveriesFor(QueueSettings queue, long limit)
    {
        var declared = queue.Subscription.MaxDeliveries < 0 ? -1L : queue.Subscription.MaxDeliveries - 1;
        if (queue.Explicit.HasFlag(ExplicitSettings.DeliveryLimit)) limit = limit < 0 || declared < 0 ? Math.Max(limit, declared) : Math.Min(limit, declared);
        return limit < 0 ? -1 : (int)Math.Min(limit, int.MaxValue - 1) + 1;
    }

    private static SubscriptionSettings WithRetry(SubscriptionSettings declared, Reader policy)
    {
        var type = policy.Text("delayed-retry-type");
        if (type is null && policy.Number("delayed-retry-min") is null && policy.Number("delayed-retry-max") is null) return declared;
        var scope = type switch { null => declared.BackOffScope, "all" => BackOffScope.All, "failed" => BackOffScope.Failed, "returned" => BackOffScope.Returned, _ => BackOffScope.None };
        var least = Lower(declared.MinBackOffMs > 0 ? declared.MinBackOffMs : -1, policy.Number("delayed-retry-min"));
        var most = Lower(declared.MaxBackOffMs > 0 ? declared.MaxBackOffMs : -1, policy.Number("delayed-retry-max"));
        return declared with { BackOffScope = scope, MinBackOffMs = Math.Max(least, 0), MaxBackOffMs = most > 0 ? most : Math.Max(least, 0) };
    }

    private static Overflow OverflowOf(QueueSettings declared, string? policy)
    {
        // Quorum queues take the policy's where both say something; classic ones what they were declared with.
        if (policy is null || (declared.Kind != QueueKind.Quorum && declared.Explicit.HasFlag(ExplicitSettings.Overflow))) return declared.Overflow;
        return policy switch { "reject-publish" => Overflow.Reject, "reject-publish-dlx" => Overflow.RejectDeadLetter, _ => Overflow.DropHead };
    }

    private static DeadLetterTarget? DeadLetterOf(DeadLetterTarget? declared, string? exchange, string? routingKey)
    {
        if (declared is { Queue: not null }) return declared;
        var topic = declared?.Topic ?? exchange;
        return topic is null ? null : new DeadLetterTarget(null, topic, declared?.RoutingKey ?? routingKey, declared?.KeepTimestamp ?? false);
    }

    /// <summary>The lower of two limits, of which a negative one is none.</summary>
    private static long Lower(long declared, long? policy) => policy is not { } limit ? declared : declared < 0 ? limit : Math.Min(declared, limit);

    private readonly struct Reader(IReadOnlyDictionary<string, JsonElement> definition)
    {
        public long? Number(string name) => definition.TryGetValue(name, out var value) ? Math.Min(value.GetInt64(), SubscriptionSettings.MostMilliseconds) : null;

        public string? Text(string name) => definition.TryGetValue(name, out var value) ? value.GetString() : null;
    }
}
