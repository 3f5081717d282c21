using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Moves no partition: there is one node, and all of them are there.</summary>
internal sealed class AlterPartitionReassignmentsHandler : RequestHandler<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>
{
    protected override ValueTask<AlterPartitionReassignmentsResponse?> HandleAsync(AlterPartitionReassignmentsRequest message, PendingRequest request)
    {
        var response = new AlterPartitionReassignmentsResponse();
        if (!request.MayUseCluster(Operations.Alter))
        {
            (response.ErrorCode, response.ErrorMessage) = (ErrorCode.ClusterAuthorizationFailed, "The client may not change the cluster.");
            return ValueTask.FromResult<AlterPartitionReassignmentsResponse?>(response);
        }
        foreach (var asked in message.Topics)
        {
            var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Name));
            var result = new AlterPartitionReassignmentsResponse.ReassignableTopicResponse { Name = asked.Name };
            response.Responses.Add(result);
            foreach (var partition in asked.Partitions)
            {
                var (error, why) = topic is null || (uint)partition.PartitionIndex >= (uint)topic.Partitions.Count
                    ? (ErrorCode.UnknownTopicOrPartition, $"There is no partition {asked.Name}-{partition.PartitionIndex}.")
                    : Judge(partition.Replicas, request.Broker.Options.NodeId);
                result.Partitions.Add(new() { PartitionIndex = partition.PartitionIndex, ErrorCode = error, ErrorMessage = why });
            }
        }
        return ValueTask.FromResult<AlterPartitionReassignmentsResponse?>(response);
    }

    private static (ErrorCode Error, string? Message) Judge(List<int>? replicas, int node) => replicas switch
    {
        null => (ErrorCode.NoReassignmentInProgress, "The partition is not being moved."),
        [var only] when only == node => (ErrorCode.None, null),
        [] => (ErrorCode.InvalidReplicaAssignment, "A partition has at least one replica."),
        _ => (ErrorCode.InvalidReplicaAssignment, $"There is broker {node} alone, and it takes each partition once."),
    };
}
