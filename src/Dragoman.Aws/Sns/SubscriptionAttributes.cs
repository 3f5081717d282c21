using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Notifications;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Filters;

namespace Dragoman.Aws.Sns;

/// <summary>The attributes of subscriptions: which there are, what they may be, and what is shown of a subscription.</summary>
internal static class SubscriptionAttributes
{
    public const string RawMessageDelivery = "RawMessageDelivery";
    public const string FilterPolicy = "FilterPolicy";
    public const string Scope = "FilterPolicyScope";
    public const string RedrivePolicy = "RedrivePolicy";
    public const string DeliveryPolicy = "DeliveryPolicy";

    /// <summary>Where addresses begin that a subscription is told: what its subscriber reached the server by.</summary>
    public const string Base = "~base";

    /// <summary>Who subscribed.</summary>
    public const string Principal = "~principal";

    /// <summary>Whether only whoever subscribed may end it.</summary>
    public const string Authenticated = "~authenticated";

    private static readonly string[] Names = [RawMessageDelivery, FilterPolicy, Scope, RedrivePolicy, DeliveryPolicy, "SubscriptionRoleArn", "ReplayPolicy"];

    /// <summary>Checks attributes and changes a subscription by them.</summary>
    /// <param name="subscription">The subscription.</param>
    /// <param name="attributes">The attributes; an empty value takes one back.</param>
    /// <param name="topic">Its topic.</param>
    /// <param name="reason">What errors begin with, where several are given at once.</param>
    /// <exception cref="AwsException">There is no such attribute, or it cannot have the value.</exception>
    public static NotificationSubscription Apply(NotificationSubscription subscription, IReadOnlyList<(string Name, string Value)> attributes, NotificationTopic topic, string reason)
    {
        foreach (var (name, value) in attributes)
        {
            if (!Names.Contains(name)) throw SnsErrors.Invalid(reason.Length > 0 ? $"{reason}Unknown: {name}" : "AttributeName");
            subscription = Apply(subscription, name, value, topic, reason);
        }
        var scope = subscription.Attributes.GetValueOrDefault(Scope) == "MessageBody" ? FilterScope.Body : FilterScope.Attributes;
        var policy = subscription.Attributes.GetValueOrDefault(FilterPolicy);
        if (policy is not null)
        {
            try
            {
                Dragoman.Broker.Routing.Filters.FilterPolicy.Parse(policy, scope);
            }
            catch (FilterPolicyException error)
            {
                throw SnsErrors.Invalid(reason.Length == 0 && error.Message.StartsWith("Filter policy scope", StringComparison.Ordinal) ? error.Message : $"{reason}FilterPolicy: {error.Message}");
            }
        }
        return subscription with { FilterPolicy = policy, FilterScope = scope };
    }

    /// <summary>Writes what is shown of a subscription.</summary>
    public static void Write(Output output, NotificationSubscription subscription, SnsNode node)
    {
        var topic = node.Notifications.Find(subscription.Topic);
        var arn = node.ArnOf(subscription);
        var shown = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in subscription.Attributes)
            if (name[0] != '~') shown[name] = value;
        shown.TryAdd(RawMessageDelivery, "false");
        // The scope is only shown with a policy that it is of.
        if (subscription.FilterPolicy is null) shown.Remove(Scope);
        else shown.TryAdd(Scope, "MessageAttributes");
        shown["SubscriptionArn"] = arn;
        shown["TopicArn"] = arn[..arn.LastIndexOf(':')];
        shown["Owner"] = node.Account;
        shown["Protocol"] = subscription.Protocol;
        shown["Endpoint"] = subscription.Endpoint;
        shown["PendingConfirmation"] = subscription.IsConfirmed ? "false" : "true";
        shown["ConfirmationWasAuthenticated"] = subscription.Attributes.GetValueOrDefault(Authenticated, "false");
        shown["SubscriptionPrincipal"] = subscription.Attributes.GetValueOrDefault(Principal, $"arn:aws:iam::{node.Account}:root");
        if (subscription.Protocol is "http" or "https")
        {
            var own = subscription.Attributes.GetValueOrDefault(DeliveryPolicy);
            if (own is not null) shown[DeliveryPolicy] = Delivery.DeliveryPolicy.EffectiveOfSubscription(null, own);
            var ofTopic = topic?.Attributes.GetValueOrDefault(TopicAttributes.DeliveryPolicy);
            if (own is not null || ofTopic is not null) shown["EffectiveDeliveryPolicy"] = Delivery.DeliveryPolicy.EffectiveOfSubscription(ofTopic, own);
        }
        output.BeginMap("Attributes", "entry", "key", "value");
        foreach (var (name, value) in shown) output.Entry(name, value);
        output.EndMap();
    }

    private static NotificationSubscription Apply(NotificationSubscription subscription, string name, string value, NotificationTopic topic, string reason)
    {
        switch (name)
        {
            case RawMessageDelivery:
                if (!bool.TryParse(value, out _)) throw SnsErrors.Invalid($"{reason}RawMessageDelivery: Invalid value [{value}]. Must be true or false.");
                value = value.ToLowerInvariant();
                if (value == "true" && subscription.Protocol is not ("sqs" or "http" or "https" or "firehose" or "dragoman")) throw SnsErrors.Invalid($"{reason}RawMessageDelivery: Subscription protocol does not support raw message delivery");
                break;
            case Scope:
                if (value is not ("MessageAttributes" or "MessageBody")) throw SnsErrors.Invalid($"{reason}FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes");
                break;
            case FilterPolicy:
                // An empty policy lets everything through, as none does.
                if (value is "" or "{}") return subscription with { Attributes = subscription.Attributes.Remove(FilterPolicy) };
                break;
            case RedrivePolicy:
                if (value.Length == 0) return subscription with { Attributes = subscription.Attributes.Remove(name), DeadLetters = null };
                return subscription with { Attributes = subscription.Attributes.SetItem(name, value), DeadLetters = DeadLettersOf(value, subscription, topic, reason) };
            case DeliveryPolicy:
                if (value.Length > 0 && Delivery.DeliveryPolicy.Check(value) is { } problem) throw SnsErrors.Invalid($"{reason}DeliveryPolicy: {problem}");
                break;
        }
        return subscription with { Attributes = value.Length == 0 ? subscription.Attributes.Remove(name) : subscription.Attributes.SetItem(name, value) };
    }

    private static QueueName DeadLettersOf(string json, NotificationSubscription subscription, NotificationTopic topic, string reason)
    {
        JsonNode? policy;
        try
        {
            policy = JsonNode.Parse(json, documentOptions: TopicAttributes.Strict);
        }
        catch (JsonException)
        {
            // In the words that AWS has for such a text anywhere.
            try
            {
                Dragoman.Broker.Routing.Filters.FilterPolicy.Parse(json, FilterScope.Body);
                throw;
            }
            catch (FilterPolicyException error)
            {
                throw SnsErrors.Invalid($"{reason}RedrivePolicy: {error.Message}");
            }
        }
        var arn = (policy as JsonObject)?["deadLetterTargetArn"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        if (arn is null || QueueUrl.NameOfArn(arn) is not { } queue) throw SnsErrors.Invalid($"{reason}RedrivePolicy: deadLetterTargetArn is an invalid arn");
        if (topic.IsOrdered && subscription.Endpoint.EndsWith(AttributeNames.FifoSuffix, StringComparison.Ordinal) && !queue.EndsWith(AttributeNames.FifoSuffix, StringComparison.Ordinal))
            throw SnsErrors.Invalid($"{reason}RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.");
        return AwsNode.NameOf(queue);
    }
}
