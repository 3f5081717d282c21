using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says where leader epochs ended, so that a consumer notices what was lost under it (KIP-320).</summary>
internal sealed class OffsetForLeaderEpochHandler : RequestHandler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>
{
    protected override ValueTask<OffsetForLeaderEpochResponse?> HandleAsync(OffsetForLeaderEpochRequest message, PendingRequest request)
    {
        var response = new OffsetForLeaderEpochResponse();
        foreach (var asked in message.Topics)
        {
            var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Topic));
            var answers = new OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult { Topic = asked.Topic };
            response.Topics.Add(answers);
            foreach (var partition in asked.Partitions)
            {
                var answer = new OffsetForLeaderEpochResponse.EpochEndOffset { Partition = partition.Partition };
                answers.Partitions.Add(answer);
                if (!request.MayUseTopic(Operations.Describe, asked.Topic))
                {
                    answer.ErrorCode = ErrorCode.TopicAuthorizationFailed;
                    continue;
                }
                if (topic is null || (uint)partition.Partition >= (uint)topic.Partitions.Count
                    || !topic.Partitions[partition.Partition].TryGetOffsets(out var offsets))
                {
                    answer.ErrorCode = ErrorCode.UnknownTopicOrPartition;
                    continue;
                }
                answer.ErrorCode = Errors.OfEpoch(partition.CurrentLeaderEpoch, offsets.LeaderEpoch);
                if (answer.ErrorCode == ErrorCode.None)
                    (answer.LeaderEpoch, answer.EndOffset) = topic.Partitions[partition.Partition].EndOfEpoch(partition.LeaderEpoch);
            }
        }
        return ValueTask.FromResult<OffsetForLeaderEpochResponse?>(response);
    }
}
