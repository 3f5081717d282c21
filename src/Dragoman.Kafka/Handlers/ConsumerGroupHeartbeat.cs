using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Security;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Has members of consumer groups join, live and leave, and tells them what they shall have (KIP-848).</summary>
internal sealed class ConsumerGroupHeartbeatHandler : RequestHandler<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>
{
    // KIP-1082: from this version on members choose their ids.
    private const short OwnMemberId = 1;

    protected override async ValueTask<ConsumerGroupHeartbeatResponse?> HandleAsync(ConsumerGroupHeartbeatRequest message, PendingRequest request)
    {
        if (!request.MayUseGroup(Operations.Read, message.GroupId)) return new ConsumerGroupHeartbeatResponse { ErrorCode = ErrorCode.GroupAuthorizationFailed };
        if (message.SubscribedTopicNames?.Find(t => !request.MayUseTopic(Operations.Describe, t)) is not null)
            return new ConsumerGroupHeartbeatResponse { ErrorCode = ErrorCode.TopicAuthorizationFailed };
        if (request.Version >= OwnMemberId && message.MemberId.Length == 0)
            return new ConsumerGroupHeartbeatResponse { ErrorCode = ErrorCode.InvalidRequest, ErrorMessage = "MemberId can't be empty." };
        var answer = await request.Broker.Groups.HeartbeatAsync(new ConsumerHeartbeat
        {
            Group = KafkaGroupNames.Parse(message.GroupId),
            MemberId = message.MemberId,
            Epoch = message.MemberEpoch,
            InstanceId = message.InstanceId,
            ClientId = request.Header.ClientId ?? "",
            ClientHost = request.Session.ClientHost,
            Rack = message.RackId,
            RebalanceTimeoutMs = message.RebalanceTimeoutMs < 0 ? null : message.RebalanceTimeoutMs,
            Topics = message.SubscribedTopicNames?.ConvertAll(KafkaTopicNames.Parse),
            TopicPattern = message.SubscribedTopicRegex,
            Assignor = message.ServerAssignor,
            Owned = message.TopicPartitions?.SelectMany(t => t.Partitions.Select(p => new GroupPartition(t.TopicId, p))).ToList(),
        }).ConfigureAwait(false);
        var isOk = answer.Status == GroupStatus.Ok;
        return new ConsumerGroupHeartbeatResponse
        {
            ErrorCode = Errors.Of(answer.Status),
            ErrorMessage = answer.Message,
            MemberId = isOk ? answer.MemberId : null,
            MemberEpoch = isOk ? answer.Epoch : 0,
            HeartbeatIntervalMs = answer.IntervalMs,
            Assignment = answer.Assignment is null ? null : new()
            {
                TopicPartitions = [.. answer.Assignment.GroupBy(p => p.Topic).Select(t => new ConsumerGroupHeartbeatResponse.TopicPartition { TopicId = t.Key, Partitions = [.. t.Select(p => p.Partition)] })],
            },
        };
    }
}
