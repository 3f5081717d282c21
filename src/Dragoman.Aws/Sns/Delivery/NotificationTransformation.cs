using System.Runtime.CompilerServices;
using System.Text;
using Dragoman.Aws.Sns.Messages;
using Dragoman.Aws.Sns.Signing;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Aws.Sqs.Messages;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Storage.Records;

namespace Dragoman.Aws.Sns.Delivery;

/// <summary>
/// Makes of what is published to a topic what its subscriptions are told: the message as it is, with its attributes, where raw
/// delivery is asked for; else an <see cref="Envelope"/>.
/// </summary>
/// <param name="signer">Signs envelopes.</param>
/// <param name="options">The account.</param>
internal sealed class NotificationTransformation(Signer signer, AwsOptions options) : IRouteTransformation
{
    private const int MaxQueueAttributes = 10;

    private readonly ConditionalWeakTable<RuledRoute, Recipient> _recipients = [];

    /// <summary>What is known of a subscription.</summary>
    private sealed record Recipient(string Protocol, bool IsRaw, bool IsOrdered, Envelope Envelope);

    public string Name => "notification";

    public void Add(in RoutedMessage message, RuledRoute route, Undeliverable? reason, MessageBatch batch)
    {
        var recipient = _recipients.GetValue(route, Read);
        var view = message.Message;
        using var headers = new RecordHeadersWriter();
        view.Headers.TryGetLast(CanonicalHeaders.DeduplicationId, out var deduplicationBytes);
        var attributes = NotificationAttributes.Read(view.Headers);
        var body = Envelope.BodyFor(view, recipient.Protocol);
        var isHttp = recipient.Protocol is "http" or "https";
        if (isHttp) headers.Add(CanonicalHeaders.MessageId, Encoding.ASCII.GetBytes(message.Id.ToString()));
        if (view.Headers.TryGetLast(CanonicalHeaders.UserId, out var sender)) headers.Add(CanonicalHeaders.UserId, sender);
        if (view.Headers.TryGetLast(IncomingMessage.TraceHeaderName, out var trace)) headers.Add(IncomingMessage.TraceHeaderName, trace);
        headers.Add(CanonicalHeaders.Topic, Encoding.UTF8.GetBytes(message.Topic.Name));
        // What goes on to another topic does not come back.
        if (recipient.Protocol == "dragoman" && view.Headers.TryGetLast(CanonicalHeaders.PassedTopics, out var passed)) headers.Add(CanonicalHeaders.PassedTopics, passed);
        if (recipient.IsRaw)
        {
            // SQS takes no more: SNS gives such a message up.
            if (recipient.Protocol == "sqs" && attributes.Count > MaxQueueAttributes) return;
            if (!isHttp) NotificationAttributes.Write(attributes, headers);
        }
        else
        {
            body = Encoding.UTF8.GetBytes(recipient.Envelope.Notify(message.Id, view, Envelope.TextOf(body.Span), attributes));
        }
        var isFifo = QueueAttributes.IsFifo(message.Target);
        // The groups of a FIFO topic mean nothing to other queues.
        var key = isFifo || !recipient.IsOrdered ? view.Key : default;
        string? deduplication = null;
        if (isFifo)
        {
            var group = key.IsNull ? message.Id.ToString() : Encoding.UTF8.GetString(key.Span);
            if (key.IsNull) key = Encoding.ASCII.GetBytes(group);
            deduplication = deduplicationBytes.Length > 0 ? Encoding.UTF8.GetString(deduplicationBytes.Span) : message.Id.ToString();
            // It may have been told apart by group at the topic, and may have to be at the queue.
            deduplication = deduplication[(deduplication.IndexOf(OutgoingMessage.ScopeSeparator, StringComparison.Ordinal) + 1)..];
            if (QueueAttributes.DeduplicatesByGroup(message.Target, message.Now)) deduplication = $"{group}{OutgoingMessage.ScopeSeparator}{deduplication}";
        }
        batch.Add(new MessageProperties { Timestamp = message.Now, DeduplicationId = deduplication }, key, body.Span, headers.Headers);
    }

    private Recipient Read(RuledRoute route)
    {
        var arguments = route.Arguments;
        var protocol = arguments.GetValueOrDefault("protocol", "");
        var isOrdered = route.Source.Name.EndsWith(AttributeNames.FifoSuffix, StringComparison.Ordinal);
        var topic = Arns.Of(arguments.GetValueOrDefault($"topic:{Arns.Region}", options.Region), options.Account, route.Source.Name);
        return new Recipient(
            protocol, arguments.GetValueOrDefault(SubscriptionAttributes.RawMessageDelivery) == "true", isOrdered,
            new Envelope(
                signer, topic, $"{topic}:{route.Id}", arguments.GetValueOrDefault(SubscriptionAttributes.Base, "http://localhost:4566"),
                isOrdered ? null : arguments.GetValueOrDefault($"topic:{TopicAttributes.SignatureVersion}", "1")));
    }
}
