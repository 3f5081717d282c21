using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Gives up the records before an offset.</summary>
internal sealed class DeleteRecordsHandler : RequestHandler<DeleteRecordsRequest, DeleteRecordsResponse>
{
    protected override async ValueTask<DeleteRecordsResponse?> HandleAsync(DeleteRecordsRequest message, PendingRequest request)
    {
        var response = new DeleteRecordsResponse();
        foreach (var asked in message.Topics)
        {
            var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Name));
            var result = new DeleteRecordsResponse.DeleteRecordsTopicResult { Name = asked.Name };
            response.Topics.Add(result);
            foreach (var partition in asked.Partitions)
            {
                var answer = new DeleteRecordsResponse.DeleteRecordsPartitionResult { PartitionIndex = partition.PartitionIndex, LowWatermark = -1 };
                result.Partitions.Add(answer);
                if (!request.MayUseTopic(Operations.Delete, asked.Name))
                {
                    answer.ErrorCode = ErrorCode.TopicAuthorizationFailed;
                    continue;
                }
                if (topic is null || (uint)partition.PartitionIndex >= (uint)topic.Partitions.Count)
                {
                    answer.ErrorCode = ErrorCode.UnknownTopicOrPartition;
                    continue;
                }
                if (topic.IsQueue)
                {
                    // Reading takes nothing out of a queue, and neither does this.
                    answer.ErrorCode = ErrorCode.PolicyViolation;
                    continue;
                }
                if (topic.Settings.Compacted && !Configs.TopicConfigs.IsAlsoDeleted(topic.Settings))
                {
                    answer.ErrorCode = ErrorCode.PolicyViolation;
                    continue;
                }
                var (status, start) = await topic.Partitions[partition.PartitionIndex].TruncateAsync(partition.Offset).ConfigureAwait(false);
                answer.ErrorCode = Errors.Of(status);
                if (status == PartitionStatus.Ok) answer.LowWatermark = start;
            }
        }
        return response;
    }
}
