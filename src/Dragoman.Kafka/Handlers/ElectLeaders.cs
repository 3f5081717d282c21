using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Elects nobody: each partition has one replica, which leads it.</summary>
internal sealed class ElectLeadersHandler : RequestHandler<ElectLeadersRequest, ElectLeadersResponse>
{
    private const sbyte Preferred = 0;
    private const sbyte Unclean = 1;

    protected override ValueTask<ElectLeadersResponse?> HandleAsync(ElectLeadersRequest message, PendingRequest request)
    {
        var response = new ElectLeadersResponse();
        if (message.ElectionType is not (Preferred or Unclean)) response.ErrorCode = ErrorCode.InvalidRequest;
        if (!request.MayUseCluster(Operations.Alter)) response.ErrorCode = ErrorCode.ClusterAuthorizationFailed;
        // Asked for all partitions, Kafka names only those where something was to be done.
        foreach (var asked in response.ErrorCode == ErrorCode.None ? message.TopicPartitions ?? [] : [])
        {
            var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Topic));
            var result = new ElectLeadersResponse.ReplicaElectionResult { Topic = asked.Topic };
            response.ReplicaElectionResults.Add(result);
            foreach (var partition in asked.Partitions)
            {
                var isThere = topic is not null && (uint)partition < (uint)topic.Partitions.Count;
                result.PartitionResult.Add(new()
                {
                    PartitionId = partition,
                    ErrorCode = isThere ? ErrorCode.ElectionNotNeeded : ErrorCode.UnknownTopicOrPartition,
                    ErrorMessage = isThere ? "The only replica leads already." : $"There is no partition {asked.Topic}-{partition}.",
                });
            }
        }
        return ValueTask.FromResult<ElectLeadersResponse?>(response);
    }
}
