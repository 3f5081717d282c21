using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Notifications;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Aws.Sns.Delivery;

/// <summary>
/// The queues that hold what is on its way to endpoints: one for each subscription, in a namespace of their own, where no
/// protocol looks. So what is to be delivered outlasts a restart, is counted, and waits for no other endpoint.
/// </summary>
internal static class EndpointQueues
{
    /// <summary>The namespace.</summary>
    public static NamespaceName Namespace { get; } = new("dragoman", "sns");

    private const long LeaseMs = 60_000;
    private const long LifetimeMs = 14L * 24 * 3600 * 1000;

    /// <summary>Whether a protocol's messages go through such a queue.</summary>
    public static bool IsFor(NotificationSubscription subscription) =>
        subscription.Protocol is "http" or "https" || (subscription.Protocol == "dragoman" && subscription.Endpoint.StartsWith(DragomanEndpoint.TopicPrefix, StringComparison.Ordinal));

    /// <summary>The name of a subscription's queue.</summary>
    public static QueueName NameOf(Guid subscription) => new(Namespace, subscription.ToString());

    /// <summary>The settings of such a queue. How often it is tried is the delivery policy's, which can change at any time.</summary>
    public static QueueSettings Settings(AwsOptions options) => QueueSettings.Default with
    {
        CommitMode = options.CommitMode,
        Subscription = SubscriptionSettings.Default with { LeaseMs = LeaseMs, MessageLifetimeMs = LifetimeMs },
    };
}

/// <summary>Endpoints of Dragoman's own: <c>queue/NAME</c> and <c>topic/NAME</c>.</summary>
internal static class DragomanEndpoint
{
    public const string QueuePrefix = "queue/";
    public const string TopicPrefix = "topic/";
}
