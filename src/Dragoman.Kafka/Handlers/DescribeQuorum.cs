using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>
/// Says how the replicas of the cluster's metadata are doing. The metadata is in the journal, of which this node has the
/// one replica; offsets count commits.
/// </summary>
internal sealed class DescribeQuorumHandler : RequestHandler<DescribeQuorumRequest, DescribeQuorumResponse>
{
    // The one log that has a quorum in Kafka (KIP-595).
    private const string MetadataTopic = "__cluster_metadata";

    protected override ValueTask<DescribeQuorumResponse?> HandleAsync(DescribeQuorumRequest message, PendingRequest request)
    {
        var response = new DescribeQuorumResponse();
        if (!request.MayUseCluster(Operations.Describe))
        {
            response.ErrorCode = ErrorCode.ClusterAuthorizationFailed;
            return ValueTask.FromResult<DescribeQuorumResponse?>(response);
        }
        foreach (var asked in message.Topics)
        {
            var topic = new DescribeQuorumResponse.TopicData { TopicName = asked.TopicName };
            response.Topics.Add(topic);
            foreach (var partition in asked.Partitions)
                topic.Partitions.Add(asked.TopicName == MetadataTopic && partition.PartitionIndex == 0 ? Describe(request) : Unknown(partition.PartitionIndex));
        }
        var (host, port) = Cluster.AddressFor(request.Session);
        response.Nodes.Add(new() { NodeId = request.Broker.Options.NodeId, Listeners = [new() { Name = "PLAINTEXT", Host = host, Port = (ushort)port }] });
        return ValueTask.FromResult<DescribeQuorumResponse?>(response);
    }

    private static DescribeQuorumResponse.PartitionData Describe(PendingRequest request)
    {
        var broker = request.Broker;
        var end = broker.CompletedCommits;
        return new()
        {
            LeaderId = broker.Options.NodeId,
            LeaderEpoch = broker.Epoch,
            HighWatermark = end,
            CurrentVoters =
            [
                new()
                {
                    ReplicaId = broker.Options.NodeId,
                    ReplicaDirectoryId = broker.Id,
                    LogEndOffset = end,
                    LastCaughtUpTimestamp = broker.Time.GetUtcNow().ToUnixTimeMilliseconds(),
                },
            ],
        };
    }

    private static DescribeQuorumResponse.PartitionData Unknown(int partition) =>
        new() { PartitionIndex = partition, ErrorCode = ErrorCode.UnknownTopicOrPartition, LeaderId = -1, LeaderEpoch = -1, HighWatermark = -1 };
}
