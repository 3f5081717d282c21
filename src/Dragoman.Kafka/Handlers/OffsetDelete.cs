using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Security;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Deletes committed offsets of partitions that no member of the group reads.</summary>
internal sealed class OffsetDeleteHandler : RequestHandler<OffsetDeleteRequest, OffsetDeleteResponse>
{
    protected override async ValueTask<OffsetDeleteResponse?> HandleAsync(OffsetDeleteRequest message, PendingRequest request)
    {
        if (!request.MayUseGroup(Operations.Delete, message.GroupId)) return new OffsetDeleteResponse { ErrorCode = ErrorCode.GroupAuthorizationFailed };
        var response = new OffsetDeleteResponse();
        var partitions = new List<GroupPartition>();
        var answers = new List<OffsetDeleteResponse.OffsetDeleteResponsePartition>();
        foreach (var asked in message.Topics)
        {
            var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Name));
            var answer = new OffsetDeleteResponse.OffsetDeleteResponseTopic { Name = asked.Name };
            response.Topics.Add(answer);
            foreach (var partition in asked.Partitions)
            {
                var result = new OffsetDeleteResponse.OffsetDeleteResponsePartition { PartitionIndex = partition.PartitionIndex };
                answer.Partitions.Add(result);
                if (!request.MayUseTopic(Operations.Read, asked.Name))
                {
                    result.ErrorCode = ErrorCode.TopicAuthorizationFailed;
                    continue;
                }
                if (topic is null || (uint)partition.PartitionIndex >= (uint)topic.Partitions.Count)
                {
                    result.ErrorCode = ErrorCode.UnknownTopicOrPartition;
                    continue;
                }
                partitions.Add(new(topic.Id, partition.PartitionIndex));
                answers.Add(result);
            }
        }
        var deleted = await request.Broker.Groups.DeleteOffsetsAsync(KafkaGroupNames.Parse(message.GroupId), partitions).ConfigureAwait(false);
        if (deleted.Status != GroupStatus.Ok) return new OffsetDeleteResponse { ErrorCode = Errors.Of(deleted.Status) };
        for (var i = 0; i < answers.Count; i++) answers[i].ErrorCode = Errors.Of(deleted.Partitions[i]);
        return response;
    }
}
