using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says where partitions are, page by page, topics in the order of their names (KIP-966).</summary>
internal sealed class DescribeTopicPartitionsHandler : RequestHandler<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>
{
    // Kafka's max.request.partition.size.limit.
    private const int LargestPage = 2000;

    protected override ValueTask<DescribeTopicPartitionsResponse?> HandleAsync(DescribeTopicPartitionsRequest message, PendingRequest request)
    {
        var response = new DescribeTopicPartitionsResponse();
        var all = message.Topics.Count == 0;
        var names = new SortedSet<string>(all ? request.Broker.TopicsWithQueues.List().Select(t => KafkaTopicNames.Format(t.Name)) : message.Topics.Select(t => t.Name), StringComparer.Ordinal);
        if (message.Cursor is { } cursor)
        {
            names.RemoveWhere(name => string.CompareOrdinal(name, cursor.TopicName) < 0);
            // A cursor into a topic that is gone since goes on with the next one.
            if (all && cursor.PartitionIndex > 0) names.RemoveWhere(name => name == cursor.TopicName && Find(request, name) is null);
        }
        var left = Math.Clamp(message.ResponsePartitionLimit, 1, LargestPage);
        foreach (var name in names)
        {
            if (left == 0)
            {
                response.NextCursor = new() { TopicName = name };
                break;
            }
            var first = message.Cursor?.TopicName == name ? Math.Max(0, message.Cursor.PartitionIndex) : 0;
            if (!request.MayUseTopic(Operations.Describe, name))
            {
                if (!all) response.Topics.Add(new() { Name = name, ErrorCode = ErrorCode.TopicAuthorizationFailed });
                continue;
            }
            if (Find(request, name) is not { } topic)
            {
                // One that was deleted just now is no part of "all".
                if (!all) response.Topics.Add(new() { Name = name, ErrorCode = KafkaTopicNames.IsLegal(name, out _) ? ErrorCode.UnknownTopicOrPartition : ErrorCode.InvalidTopicException });
                continue;
            }
            var partitions = topic.Partitions;
            var described = new DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic
            {
                Name = name,
                TopicId = topic.Id,
                IsInternal = topic.IsQueue,
                TopicAuthorizedOperations = request.TopicOperations(topic.Name),
            };
            response.Topics.Add(described);
            for (var i = first; i < partitions.Count && left > 0; i++, left--) described.Partitions.Add(Describe(partitions[i], request.Broker.Options.NodeId));
            if (first + described.Partitions.Count >= partitions.Count) continue;
            response.NextCursor = new() { TopicName = name, PartitionIndex = first + described.Partitions.Count };
            break;
        }
        return ValueTask.FromResult<DescribeTopicPartitionsResponse?>(response);
    }

    private static ITopicHandle? Find(PendingRequest request, string name) => request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(name));

    private static DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponsePartition Describe(IPartitionHandle partition, int node)
    {
        var there = partition.TryGetOffsets(out var offsets);
        return new()
        {
            ErrorCode = there ? ErrorCode.None : ErrorCode.LeaderNotAvailable,
            PartitionIndex = partition.Index,
            LeaderId = node,
            LeaderEpoch = there ? offsets.LeaderEpoch : -1,
            ReplicaNodes = [node],
            IsrNodes = [node],
            EligibleLeaderReplicas = [],
            LastKnownElr = [],
        };
    }
}
