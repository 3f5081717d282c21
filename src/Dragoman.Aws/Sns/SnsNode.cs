using System.Collections.Immutable;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sns.Delivery;
using Dragoman.Aws.Sns.Signing;
using Dragoman.Broker.Notifications;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Microsoft.Extensions.Logging;

namespace Dragoman.Aws.Sns;

/// <summary>What the operations of SNS share.</summary>
/// <param name="node">The broker.</param>
/// <param name="signer">Signs what subscriptions are told.</param>
/// <param name="endpoints">Tells those that are endpoints of HTTP, or topics.</param>
internal sealed class SnsNode(AwsNode node, Signer signer, EndpointDelivery endpoints)
{
    /// <summary>The account that topics belong to.</summary>
    public string Account => node.Options.Account;

    public AwsNode Node => node;

    public Signer Signer => signer;

    public EndpointDelivery Endpoints => endpoints;

    public INotifications Notifications => node.Broker.Notifications;

    public ILogger Log => node.Log;

    public static TopicName NameOf(string topic) => TopicName.InDefault(topic);

    /// <summary>A topic that a request names.</summary>
    /// <exception cref="AwsException">There is none, or the client may not.</exception>
    public NotificationTopic Topic(AwsCall call, string parameter, Broker.Security.Operations operation)
    {
        var name = Arns.TopicOf(call.Input.Text(parameter) ?? throw SnsErrors.Null(char.ToLowerInvariant(parameter[0]) + parameter[1..]), parameter);
        return Topic(call, name, operation, call.Input.Text(parameter)!);
    }

    /// <summary>A topic by its name.</summary>
    public NotificationTopic Topic(AwsCall call, string name, Broker.Security.Operations operation, string arn)
    {
        Authorize(call, name, operation, arn);
        return Notifications.Find(NameOf(name)) ?? throw SnsErrors.NotFound("Topic");
    }

    /// <summary>How long an endpoint that was unsubscribed may take its subscription up again.</summary>
    private const long RestoreMs = 3L * 24 * 3600 * 1000;

    /// <summary>All subscriptions, or those of a topic, but for those that were ended.</summary>
    public IReadOnlyList<NotificationSubscription> Subscriptions(TopicName? topic)
    {
        var all = Notifications.ListSubscriptions(topic);
        if (!all.Any(static s => s.Attributes.ContainsKey(Operations.Unsubscribe.Ended))) return all;
        foreach (var ended in all)
        {
            if (!ended.Attributes.TryGetValue(Operations.Unsubscribe.Ended, out var time) || long.Parse(time, System.Globalization.CultureInfo.InvariantCulture) > node.Now - RestoreMs) continue;
            // Whoever looks last turns the light out; if that fails, the next one does.
            _ = Notifications.ChangeSubscriptionAsync(ended.Id, static s => s.Attributes.ContainsKey(Operations.Unsubscribe.Ended) ? null : s).AsTask();
        }
        return [.. all.Where(static s => !s.Attributes.ContainsKey(Operations.Unsubscribe.Ended))];
    }

    /// <summary>A subscription that a request names.</summary>
    /// <exception cref="AwsException">There is none, or the client may not.</exception>
    public NotificationSubscription Subscription(AwsCall call, Broker.Security.Operations operation)
    {
        var arn = call.Input.Text("SubscriptionArn") ?? throw SnsErrors.Null("subscriptionArn");
        var (topic, id) = Arns.SubscriptionOf(arn);
        Authorize(call, topic, operation, arn);
        return Notifications.Find(id) is { } found && found.Topic == NameOf(topic) && !found.Attributes.ContainsKey(Operations.Unsubscribe.Ended) ? found : throw SnsErrors.NotFound("Subscription");
    }

    /// <summary>Refuses a client that may not.</summary>
    public void Authorize(AwsCall call, string topic, Broker.Security.Operations operation, string arn)
    {
        var name = NameOf(topic);
        if (call.Identity.Allows(operation, ResourceKind.Topic, name.Namespace, name.Name)) return;
        throw NotAuthorized(call, arn);
    }

    private AwsException NotAuthorized(AwsCall call, string arn) =>
        new("AuthorizationError", $"User: {Principal(call)} is not authorized to perform: SNS:{call.Input.Text("Action")} on resource: {arn}", 403);

    /// <summary>Refuses a client that may not itself write where a subscription would: to its queue or topic, and to its dead letters.</summary>
    public void AuthorizeTargets(AwsCall call, NotificationSubscription subscription)
    {
        if (subscription.Protocol == "dragoman" && subscription.Endpoint.StartsWith(DragomanEndpoint.TopicPrefix, StringComparison.Ordinal))
            Authorize(call, subscription.Endpoint[DragomanEndpoint.TopicPrefix.Length..], Broker.Security.Operations.Write, subscription.Endpoint);
        else if (subscription.Target is { } target && !EndpointQueues.IsFor(subscription)) AuthorizeQueue(call, target, subscription.Endpoint);
        if (subscription.DeadLetters is { } letters) AuthorizeQueue(call, letters, letters.Name);
    }

    private void AuthorizeQueue(AwsCall call, QueueName queue, string shown)
    {
        if (!call.Identity.Allows(Broker.Security.Operations.Write, ResourceKind.Queue, queue.Namespace, queue.Name)) throw NotAuthorized(call, shown);
    }

    /// <summary>Changes a topic that is there.</summary>
    public async ValueTask<NotificationTopic> ChangeAsync(NotificationTopic topic, Func<NotificationTopic, NotificationTopic> change, CancellationToken cancellation)
    {
        var answer = await Notifications.ChangeTopicAsync(topic.Name, known => known is null ? null : change(known), cancellation);
        if (answer.Status != NotificationStatus.Ok) throw SnsErrors.Of(answer.Status, "Topic", answer.Message);
        return answer.After ?? throw SnsErrors.NotFound("Topic");
    }

    /// <summary>Who asks, as AWS names it.</summary>
    public string Principal(AwsCall call) => $"arn:aws:iam::{Account}:{((call.Identity.User ?? call.KeyId) is { } user ? $"user/{user}" : "root")}";

    /// <summary>The resource name of a subscription.</summary>
    public string ArnOf(NotificationSubscription subscription) =>
        $"{(Notifications.Find(subscription.Topic) is { } topic ? Arns.Of(topic, Account) : Arns.Of(subscription.Attributes.GetValueOrDefault(Arns.Region, node.Options.Region), Account, subscription.Topic.Name))}:{subscription.Id}";

    /// <summary>The attributes of a request.</summary>
    public static IReadOnlyList<(string Key, string Value)> AttributesOf(Input input) => input.TextMap("Attributes", "Attributes.entry", "key", "value");

    /// <summary>The tags of a request.</summary>
    /// <exception cref="AwsException">A key comes twice.</exception>
    public static ImmutableSortedDictionary<string, string> TagsOf(Input input)
    {
        var tags = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var tag in input.Structures("Tags", "Tags.member"))
        {
            var key = tag.Need("Key");
            if (tags.ContainsKey(key)) throw SnsErrors.Invalid("Duplicated keys are not allowed.");
            tags[key] = tag.Text("Value") ?? "";
        }
        return tags.ToImmutable();
    }

    /// <summary>Writes one page of a list.</summary>
    /// <param name="call">The request.</param>
    /// <param name="name">The list's name.</param>
    /// <param name="all">All there is.</param>
    /// <param name="keyOf">What tells an item from all others: the token is that of the last one that was shown.</param>
    /// <param name="write">Writes an item.</param>
    public static void WritePage<T>(AwsCall call, string name, IReadOnlyList<T> all, Func<T, string> keyOf, Action<T> write)
    {
        const int PageLength = 100;
        var start = 0;
        if (call.Input.Text("NextToken") is { Length: > 0 } token)
        {
            var last = PageToken.Decode(token) ?? throw SnsErrors.Invalid("NextToken");
            // What was shown last may be gone: then it goes on behind where it was.
            while (start < all.Count && keyOf(all[start]) != last) start++;
            start = start < all.Count ? start + 1 : PageToken.IndexOf(token) is var index && index < all.Count ? index : all.Count;
        }
        var end = Math.Min(all.Count, start + PageLength);
        call.Output.BeginList(name, "member");
        for (var i = start; i < end; i++)
        {
            call.Output.BeginItem();
            write(all[i]);
            call.Output.EndItem();
        }
        call.Output.EndList();
        if (end < all.Count) call.Output.Text("NextToken", PageToken.Encode(end, keyOf(all[end - 1])));
    }
}
