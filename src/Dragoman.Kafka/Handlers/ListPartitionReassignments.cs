using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says which partitions are being moved: on one node, none ever is.</summary>
internal sealed class ListPartitionReassignmentsHandler : RequestHandler<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>
{
    protected override ValueTask<ListPartitionReassignmentsResponse?> HandleAsync(ListPartitionReassignmentsRequest message, PendingRequest request) =>
        ValueTask.FromResult<ListPartitionReassignmentsResponse?>(new ListPartitionReassignmentsResponse
        {
            ErrorCode = request.MayUseCluster(Operations.Describe) ? ErrorCode.None : ErrorCode.ClusterAuthorizationFailed,
        });
}
