using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sns.Delivery;
using Dragoman.Aws.Sns.Messages;
using Dragoman.Aws.Sqs;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Notifications;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;
using Microsoft.Extensions.Logging;

namespace Dragoman.Aws.Sns.Operations;

/// <summary>
/// Makes a subscription, or finds the one to the same endpoint. Queues are told at once; endpoints of HTTP are asked first, and
/// told nothing until they have said that they want it. Telephones, mail, functions and devices are recorded, and told nothing.
/// </summary>
internal sealed partial class Subscribe(SnsNode node) : IOperation
{
    private const string Reason = "Attributes Reason: ";
    private const int TokenBytes = 144;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var topic = node.Topic(call, "TopicArn", Broker.Security.Operations.Alter);
        var (protocol, endpoint) = (call.Input.Need("Protocol"), call.Input.Text("Endpoint") ?? "");
        var target = TargetOf(protocol, endpoint, topic);
        var attributes = SnsNode.AttributesOf(call.Input);
        var isConfirmed = protocol is not ("http" or "https" or "email" or "email-json");
        var id = Guid.NewGuid();
        var wanted = new NotificationSubscription
        {
            Id = id,
            Topic = topic.Name,
            Protocol = protocol,
            Endpoint = endpoint,
            CreatedAtMs = node.Node.Now,
            IsConfirmed = isConfirmed,
            Token = NewToken(),
            Attributes = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal)
                .Add(SubscriptionAttributes.Base, call.BaseUrl)
                .Add(SubscriptionAttributes.Principal, node.Principal(call))
                .Add(SubscriptionAttributes.Authenticated, isConfirmed ? "true" : "false"),
        };
        wanted = wanted with { Target = target ?? (EndpointQueues.IsFor(wanted) ? EndpointQueues.NameOf(id) : null) };
        wanted = SubscriptionAttributes.Apply(wanted, attributes, topic, Reason);
        node.AuthorizeTargets(call, wanted);
        if (isConfirmed) await node.Endpoints.PrepareAsync(wanted, call.Gone);
        var answer = await node.Notifications.SubscribeAsync(wanted, call.Gone);
        if (answer.After is not { } subscription)
        {
            if (isConfirmed) await node.Endpoints.RemoveAsync(wanted);
            throw SnsErrors.Of(answer.Status, "Topic", answer.Message);
        }
        if (answer.Before is not null)
        {
            if (isConfirmed) await node.Endpoints.RemoveAsync(wanted);
            if (subscription.Attributes.ContainsKey(Unsubscribe.Ended)) subscription = await RenewAsync(subscription, wanted, call);
            else CheckSame(subscription, wanted, attributes);
        }
        else if (!isConfirmed || !IsDelivered(subscription))
        {
            LogKind(subscription);
        }
        node.Endpoints.Refresh(subscription);
        if (protocol is "http" or "https" && !subscription.IsConfirmed) await AskAsync(node, subscription, topic, call);
        var shows = subscription.IsConfirmed || call.Input.Truth("ReturnSubscriptionArn") == true;
        call.Output.Text("SubscriptionArn", shows ? node.ArnOf(subscription) : "pending confirmation");
    }

    /// <summary>Whether messages go anywhere.</summary>
    public static bool IsDelivered(NotificationSubscription subscription) => subscription.Target is not null;

    /// <summary>A token that nobody can guess.</summary>
    public static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));

    /// <summary>Asks an endpoint whether it wants to be told.</summary>
    private static async ValueTask AskAsync(SnsNode node, NotificationSubscription subscription, NotificationTopic topic, AwsCall call)
    {
        await node.Signer.EnsureAsync();
        var arn = Arns.Of(topic, node.Account);
        var envelope = new Envelope(node.Signer, arn, node.ArnOf(subscription), call.BaseUrl, topic.Attributes.GetValueOrDefault(TopicAttributes.SignatureVersion, "1"));
        var text = $"You have chosen to subscribe to the topic {arn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.";
        var messageId = Guid.NewGuid();
        if (!node.Endpoints.Tell(subscription, "SubscriptionConfirmation", envelope.Confirm("SubscriptionConfirmation", messageId, text, subscription.Token, node.Node.Broker.Time.GetUtcNow()), messageId, arn, null))
            throw new AwsException("Throttled", "Too many endpoints are being asked to confirm; subscribe again later.", 429);
    }

    /// <summary>One that was ended, and can still be taken up again, begins anew.</summary>
    private async ValueTask<NotificationSubscription> RenewAsync(NotificationSubscription ended, NotificationSubscription wanted, AwsCall call)
    {
        var answer = await node.Notifications.ChangeSubscriptionAsync(
            ended.Id, known => wanted with { Id = known.Id, Target = EndpointQueues.NameOf(known.Id) }, call.Gone);
        return answer.After ?? throw SnsErrors.Of(answer.Status, "Subscription", answer.Message);
    }

    private static void CheckSame(NotificationSubscription known, NotificationSubscription wanted, IReadOnlyList<(string Key, string Value)> attributes)
    {
        foreach (var (name, _) in attributes)
        {
            var fallback = name == SubscriptionAttributes.RawMessageDelivery ? "false" : name == SubscriptionAttributes.Scope ? "MessageAttributes" : "";
            if (known.Attributes.GetValueOrDefault(name, fallback) != wanted.Attributes.GetValueOrDefault(name, fallback)) throw SnsErrors.Invalid($"{Reason}Subscription already exists with different attributes");
        }
    }

    private void LogKind(NotificationSubscription subscription)
    {
        if (subscription.Protocol is "http" or "https") return;
        node.Log.LogWarning(
            "The subscription of {Protocol} {Endpoint} to topic '{Topic}' is recorded, and nothing is delivered to it: there is no such service here",
            subscription.Protocol, subscription.Endpoint, subscription.Topic);
    }

    /// <summary>The queue that a protocol's endpoint is; null where there is none.</summary>
    private static QueueName? TargetOf(string protocol, string endpoint, NotificationTopic topic)
    {
        switch (protocol)
        {
            case "sqs":
                if (QueueUrl.NameOfArn(endpoint) is not { } queue || queue.Contains(':', StringComparison.Ordinal)) throw SnsErrors.Invalid("SQS endpoint ARN");
                if (!topic.IsOrdered && queue.EndsWith(AttributeNames.FifoSuffix, StringComparison.Ordinal))
                    throw SnsErrors.Invalid("Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics");
                return AwsNode.NameOf(queue);
            case "http" or "https":
                if (!endpoint.StartsWith($"{protocol}://", StringComparison.OrdinalIgnoreCase) || !Uri.TryCreate(endpoint, UriKind.Absolute, out _)) throw SnsErrors.Invalid("Endpoint must match the specified protocol");
                return null;
            case "email" or "email-json":
                if (!Mail().IsMatch(endpoint)) throw SnsErrors.Invalid("Email address");
                return null;
            case "sms":
                if (!Telephone().IsMatch(endpoint)) throw SnsErrors.InvalidText($"Invalid SMS endpoint: {endpoint}");
                return null;
            case "lambda":
                if (!IsArn(endpoint, "lambda")) throw SnsErrors.Invalid("Lambda endpoint ARN");
                return null;
            case "firehose":
                if (!IsArn(endpoint, "firehose")) throw SnsErrors.Invalid("Firehose endpoint ARN");
                return null;
            case "application":
                if (!IsArn(endpoint, "sns")) throw SnsErrors.Invalid("Application endpoint arn invalid");
                return null;
            case "dragoman":
                return OwnTarget(endpoint);
            default:
                throw SnsErrors.Invalid($"Amazon SNS does not support this protocol string: {protocol}");
        }
    }

    private static QueueName? OwnTarget(string endpoint)
    {
        if (endpoint.StartsWith(DragomanEndpoint.QueuePrefix, StringComparison.Ordinal) && QueueName.IsValid(endpoint[DragomanEndpoint.QueuePrefix.Length..])) return AwsNode.NameOf(endpoint[DragomanEndpoint.QueuePrefix.Length..]);
        if (endpoint.StartsWith(DragomanEndpoint.TopicPrefix, StringComparison.Ordinal) && TopicName.IsValid(endpoint[DragomanEndpoint.TopicPrefix.Length..])) return null;
        throw SnsErrors.Invalid($"Endpoint Reason: an endpoint of Dragoman's own is {DragomanEndpoint.QueuePrefix}NAME or {DragomanEndpoint.TopicPrefix}NAME");
    }

    private static bool IsArn(string text, string service) => text.Split(':') is { Length: >= 6 } parts && parts[0] == "arn" && parts[2] == service;

    [GeneratedRegex(@"^\+?[0-9]+(?:[-/][0-9]+)*$", RegexOptions.CultureInvariant)]
    private static partial Regex Telephone();

    [GeneratedRegex(@"^[^@\s]+@[^@\s]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Mail();
}

/// <summary>Confirms a subscription by the token that its endpoint was given.</summary>
internal sealed class ConfirmSubscription(SnsNode node) : IOperation
{
    public bool IsOpen => true;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var arn = call.Input.Need("TopicArn");
        var token = call.Input.Need("Token");
        if (token.Length == 0 || !token.All(char.IsAsciiHexDigit)) throw SnsErrors.InvalidText("Invalid token");
        var found = node.Notifications.ListSubscriptions().FirstOrDefault(s => s.Token.Length > 0 && CryptographicOperations.FixedTimeEquals(System.Text.Encoding.ASCII.GetBytes(s.Token), System.Text.Encoding.UTF8.GetBytes(token)));
        if (found is null) throw SnsErrors.Invalid("Token");
        // The token says which subscription is meant; AWS looks only whether the topic's name is one of its region.
        if (arn.Split(':') is not { Length: 6 } parts || node.Notifications.Find(found.Topic) is not { } topic || parts[3] != Arns.RegionOf(topic)) throw SnsErrors.Invalid("Topic");
        await node.Endpoints.PrepareAsync(found, call.Gone);
        var isAuthenticated = call.Input.Text("AuthenticateOnUnsubscribe") == "true";
        var answer = await node.Notifications.ChangeSubscriptionAsync(
            found.Id,
            known => known with
            {
                IsConfirmed = true,
                Attributes = known.Attributes.Remove(Unsubscribe.Ended).SetItem(SubscriptionAttributes.Authenticated, isAuthenticated ? "true" : known.Attributes.GetValueOrDefault(SubscriptionAttributes.Authenticated, "false")),
            },
            call.Gone);
        if (answer.After is not { } subscription)
        {
            if (answer.Status == NotificationStatus.NotFound) await node.Endpoints.RemoveAsync(found);
            throw SnsErrors.Of(answer.Status, "Subscription", answer.Message);
        }
        node.Endpoints.Refresh(subscription);
        call.Output.Text("SubscriptionArn", node.ArnOf(subscription));
    }
}

/// <summary>
/// Ends a subscription; that there is none is no error. An endpoint of HTTP is told, and may take it up again by the token that
/// it is given, for three days.
/// </summary>
internal sealed class Unsubscribe(SnsNode node) : IOperation
{
    /// <summary>Where it is kept that, and when, a subscription was ended.</summary>
    public const string Ended = "~ended";

    public bool HasResult => false;

    public bool IsOpen => true;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var arn = call.Input.Text("SubscriptionArn") ?? "";
        var (name, id) = Arns.SubscriptionOf(arn);
        var found = node.Notifications.Find(id);
        if (!MayLeaveUnasked(found)) node.Authorize(call, name, Broker.Security.Operations.Alter, arn);
        if (found is not { } known || known.Topic != SnsNode.NameOf(name) || known.Attributes.ContainsKey(Ended)) return;
        var topic = node.Notifications.Find(known.Topic);
        var isTold = known is { IsConfirmed: true, Protocol: "http" or "https" } && topic is not null;
        var answer = await node.Notifications.ChangeSubscriptionAsync(
            id,
            s => isTold ? s with { IsConfirmed = false, Token = Subscribe.NewToken(), Attributes = s.Attributes.SetItem(Ended, node.Node.Now.ToString(System.Globalization.CultureInfo.InvariantCulture)) } : null,
            call.Gone);
        if (answer.Status is not (NotificationStatus.Ok or NotificationStatus.NotFound)) throw SnsErrors.Of(answer.Status, "Subscription", answer.Message);
        await node.Endpoints.RemoveAsync(known);
        if (topic is null) return;
        await node.Notifications.ChangeTopicAsync(topic.Name, static known => known is null ? null : known with { SubscriptionsGone = known.SubscriptionsGone + 1 }, call.Gone);
        if (!isTold || answer.After is not { } ended) return;
        await node.Signer.EnsureAsync();
        var topicArn = Arns.Of(topic, node.Account);
        var envelope = new Envelope(node.Signer, topicArn, arn, known.Attributes.GetValueOrDefault(SubscriptionAttributes.Base, call.BaseUrl), topic.Attributes.GetValueOrDefault(TopicAttributes.SignatureVersion, "1"));
        var text = $"You have chosen to deactivate subscription {arn}.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.";
        var messageId = Guid.NewGuid();
        node.Endpoints.Tell(ended, "UnsubscribeConfirmation", envelope.Confirm("UnsubscribeConfirmation", messageId, text, ended.Token, node.Node.Broker.Time.GetUtcNow()), messageId, topicArn, arn);
    }

    /// <summary>Whoever knows the address by which an endpoint of HTTP may leave can use it, unless it was confirmed with the wish that nobody can.</summary>
    private static bool MayLeaveUnasked(NotificationSubscription? subscription) =>
        subscription is { IsConfirmed: true, Protocol: "http" or "https" } && subscription.Attributes.GetValueOrDefault(SubscriptionAttributes.Authenticated) != "true";
}

/// <summary>Shows a subscription's attributes.</summary>
internal sealed class GetSubscriptionAttributes(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        SubscriptionAttributes.Write(call.Output, node.Subscription(call, Broker.Security.Operations.Describe), node);
        return default;
    }
}

/// <summary>Changes one of a subscription's attributes; what is published from then on goes by it.</summary>
internal sealed class SetSubscriptionAttributes(SnsNode node) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var subscription = node.Subscription(call, Broker.Security.Operations.Alter);
        var attribute = (call.Input.Need("AttributeName"), call.Input.Text("AttributeValue") ?? "");
        var topic = node.Notifications.Find(subscription.Topic) ?? throw SnsErrors.NotFound("Subscription");
        if (attribute.Item1 == SubscriptionAttributes.RedrivePolicy) node.AuthorizeTargets(call, SubscriptionAttributes.Apply(subscription, [attribute], topic, ""));
        var answer = await node.Notifications.ChangeSubscriptionAsync(subscription.Id, known => SubscriptionAttributes.Apply(known, [attribute], topic, ""), call.Gone);
        if (answer.Status != NotificationStatus.Ok) throw SnsErrors.Of(answer.Status, "Subscription", answer.Message);
    }
}

/// <summary>Lists subscriptions, a hundred at a time.</summary>
internal sealed class ListSubscriptions(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var all = node.Subscriptions(null).Where(s => call.Identity.Allows(Broker.Security.Operations.Describe, Broker.Security.ResourceKind.Topic, s.Topic.Namespace, s.Topic.Name)).ToList();
        Write(call, node, all);
        return default;
    }

    /// <summary>Writes a page of subscriptions.</summary>
    public static void Write(AwsCall call, SnsNode node, IReadOnlyList<NotificationSubscription> all) => SnsNode.WritePage(call, "Subscriptions", all, static s => s.Id.ToString(), subscription =>
    {
        var arn = node.ArnOf(subscription);
        call.Output.Text("SubscriptionArn", subscription.IsConfirmed ? arn : "PendingConfirmation");
        call.Output.Text("Owner", node.Account);
        call.Output.Text("Protocol", subscription.Protocol);
        call.Output.Text("Endpoint", subscription.Endpoint);
        call.Output.Text("TopicArn", arn[..arn.LastIndexOf(':')]);
    });
}

/// <summary>Lists the subscriptions of a topic, a hundred at a time.</summary>
internal sealed class ListSubscriptionsByTopic(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var topic = node.Topic(call, "TopicArn", Broker.Security.Operations.Describe);
        ListSubscriptions.Write(call, node, node.Subscriptions(topic.Name));
        return default;
    }
}
