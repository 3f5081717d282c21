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

/// <summary>Commits how far a group has read.</summary>
internal sealed class OffsetCommitHandler : RequestHandler<OffsetCommitRequest, OffsetCommitResponse>
{
    // From this version on, clients know that a group may not be there.
    private const short KnowsNotFound = 9;

    protected override async ValueTask<OffsetCommitResponse?> HandleAsync(OffsetCommitRequest message, PendingRequest request)
    {
        var response = new OffsetCommitResponse { Topics = new(message.Topics.Count) };
        var accepted = new List<OffsetCommit>();
        var answers = new List<OffsetCommitResponse.OffsetCommitResponsePartition>();
        foreach (var asked in message.Topics)
        {
            var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Name));
            var answer = new OffsetCommitResponse.OffsetCommitResponseTopic { Name = asked.Name, Partitions = new(asked.Partitions.Count) };
            response.Topics.Add(answer);
            var mayRead = request.MayUseTopic(Operations.Read, asked.Name);
            foreach (var partition in asked.Partitions)
            {
                var result = new OffsetCommitResponse.OffsetCommitResponsePartition { PartitionIndex = partition.PartitionIndex };
                answer.Partitions.Add(result);
                var metadata = partition.CommittedMetadata ?? "";
                if (!mayRead) result.ErrorCode = ErrorCode.TopicAuthorizationFailed;
                else if (topic is null || partition.PartitionIndex < 0) result.ErrorCode = ErrorCode.UnknownTopicOrPartition;
                else if (metadata.Length > request.Broker.Groups.Options.MaxOffsetMetadata) result.ErrorCode = ErrorCode.OffsetMetadataTooLarge;
                else
                {
                    accepted.Add(new(new(topic.Id, partition.PartitionIndex), new(partition.CommittedOffset, partition.CommittedLeaderEpoch, metadata)));
                    answers.Add(result);
                }
            }
        }
        if (message.Topics.Count == 0) return response;
        if (!request.MayUseGroup(Operations.Read, message.GroupId))
        {
            foreach (var result in response.Topics.SelectMany(t => t.Partitions)) result.ErrorCode = ErrorCode.GroupAuthorizationFailed;
            return response;
        }
        var caller = new GroupCaller(message.MemberId, message.GroupInstanceId, message.GenerationIdOrMemberEpoch);
        var status = await request.Broker.Groups.CommitOffsetsAsync(
            KafkaGroupNames.Parse(message.GroupId), caller, accepted, message.RetentionTimeMs).ConfigureAwait(false);
        var error = status == GroupStatus.NotFound && request.Version < KnowsNotFound ? ErrorCode.IllegalGeneration : Errors.Of(status);
        foreach (var result in answers) result.ErrorCode = error;
        return response;
    }
}
