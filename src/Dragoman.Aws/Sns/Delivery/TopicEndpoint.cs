using System.Text;
using Dragoman.Aws.Sns.Messages;
using Dragoman.Aws.Sqs.Messages;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Notifications;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Aws.Sns.Delivery;

/// <summary>Publishes what a subscription of a topic is told to another topic, whatever protocol that belongs to.</summary>
internal static class TopicEndpoint
{
    /// <returns>Why it was not taken; null if it was.</returns>
    public static async Task<EndpointFailure?> PublishAsync(
        AwsNode node, NotificationSubscription subscription, byte[]? key, byte[] body, List<MessageAttribute> attributes, string? passed, CancellationToken cancellation)
    {
        var name = TopicName.InDefault(subscription.Endpoint[DragomanEndpoint.TopicPrefix.Length..]);
        var way = passed is null ? subscription.Topic.Name : $"{passed}\n{subscription.Topic.Name}";
        // It does not go round.
        if (way.Split('\n').Contains(name.Name)) return null;
        using var headers = new RecordHeadersWriter();
        headers.Add(CanonicalHeaders.Topic, Encoding.UTF8.GetBytes(name.Name));
        NotificationAttributes.Write(attributes, headers);
        headers.Add(CanonicalHeaders.PassedTopics, Encoding.UTF8.GetBytes(way));
        var route = new RouteResult();
        if (!node.Broker.Routing.Resolve(name, key is null ? "" : Encoding.UTF8.GetString(key), headers.Headers, route)) return new EndpointFailure("NotFound", $"There is no topic '{name}'.", false);
        foreach (var log in route.Logs)
        {
            using var records = new RecordBatchBuilder();
            records.Add(node.Now, key is null ? default : (NullableBytes)key, body.AsSpan(), headers.Headers);
            var partition = key is null || log.Partitions.Count == 1 ? 0 : KeyPartitioner.Choose(key, log.Partitions.Count);
            var answer = await log.Partitions[partition].AppendAsync(records.Build(new BatchOptions()), cancellation);
            if (answer.Status != PartitionStatus.Ok) return new EndpointFailure("Refused", answer.Message ?? answer.Status.ToString(), false);
        }
        if (route.Queues.Count > 0 || route.Routes.Count > 0)
        {
            var batch = MessageBatch.Rent();
            batch.Add(new MessageProperties { Timestamp = node.Now }, key is null ? default : (NullableBytes)key, body.AsSpan(), headers.Headers);
            var outcome = await node.Broker.Queues.PublishAsync(batch, route.Queues, route.Routes, cancellation: cancellation);
            if (outcome.Status is not (QueueStatus.Ok or QueueStatus.NotFound or QueueStatus.QueueFull)) return new EndpointFailure("Refused", outcome.Message ?? outcome.Status.ToString(), false);
        }
        foreach (var channel in route.Channels) node.Broker.Channels.In(channel.Namespace).Publish(Encoding.UTF8.GetBytes(channel.Name), body);
        return null;
    }
}
