using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says where consumer groups stand, who their members are, and what they have and shall have (KIP-848).</summary>
internal sealed class ConsumerGroupDescribeHandler : RequestHandler<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>
{
    private const sbyte ClassicMember = 0;
    private const sbyte ConsumerMember = 1;

    protected override async ValueTask<ConsumerGroupDescribeResponse?> HandleAsync(ConsumerGroupDescribeRequest message, PendingRequest request)
    {
        var response = new ConsumerGroupDescribeResponse();
        foreach (var groupId in message.GroupIds)
        {
            if (!request.MayUseGroup(Operations.Describe, groupId))
            {
                response.Groups.Add(new() { GroupId = groupId, ErrorCode = ErrorCode.GroupAuthorizationFailed });
                continue;
            }
            var answer = await request.Broker.Groups.DescribeAsync(KafkaGroupNames.Parse(groupId)).ConfigureAwait(false);
            response.Groups.Add(answer switch
            {
                { Group: { Kind: GroupKind.Consumer } group } => Describe(groupId, group, message.IncludeAuthorizedOperations ? request.GroupOperations(groupId) : int.MinValue, request.Broker.Topics),
                { Status: GroupStatus.Ok } => new() { GroupId = groupId, ErrorCode = ErrorCode.GroupIdNotFound, ErrorMessage = $"Group {groupId} is not a consumer group." },
                { Status: GroupStatus.NotFound } => new() { GroupId = groupId, ErrorCode = ErrorCode.GroupIdNotFound, ErrorMessage = $"Group {groupId} not found." },
                _ => new() { GroupId = groupId, ErrorCode = Errors.Of(answer.Status) },
            });
        }
        return response;
    }

    private static ConsumerGroupDescribeResponse.DescribedGroup Describe(string groupId, GroupDescription group, int operations, ITopics topics) => new()
    {
        GroupId = groupId,
        GroupState = group.State.ToString(),
        GroupEpoch = group.Epoch,
        AssignmentEpoch = group.AssignmentEpoch,
        AssignorName = group.Protocol,
        AuthorizedOperations = operations,
        Members =
        [
            .. group.Members.Select(m => new ConsumerGroupDescribeResponse.Member
            {
                MemberId = m.Id,
                InstanceId = m.InstanceId,
                RackId = m.Rack,
                MemberEpoch = m.Epoch,
                ClientId = m.ClientId,
                ClientHost = m.ClientHost,
                SubscribedTopicNames = [.. (m.Topics ?? []).Select(KafkaTopicNames.Format)],
                SubscribedTopicRegex = m.TopicPattern,
                Assignment = Describe(m.Partitions, topics),
                TargetAssignment = Describe(m.Target, topics),
                MemberType = m.IsClassic ? ClassicMember : ConsumerMember,
            }),
        ],
    };

    private static ConsumerGroupDescribeResponse.MemberAssignment Describe(IReadOnlyList<GroupPartition>? partitions, ITopics topics)
    {
        var assignment = new ConsumerGroupDescribeResponse.MemberAssignment();
        foreach (var group in (partitions ?? []).GroupBy(p => p.Topic))
        {
            // A topic that is gone has no name to show.
            if (topics.Find(group.Key) is { } topic)
                assignment.TopicPartitions.Add(new() { TopicId = topic.Id, TopicName = KafkaTopicNames.Format(topic.Name), Partitions = [.. group.Select(p => p.Partition)] });
        }
        return assignment;
    }
}
