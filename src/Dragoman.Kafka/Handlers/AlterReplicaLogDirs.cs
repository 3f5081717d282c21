using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Refuses to move partitions to another data directory: there is one, in which all of them are already.</summary>
internal sealed class AlterReplicaLogDirsHandler : RequestHandler<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse>
{
    protected override ValueTask<AlterReplicaLogDirsResponse?> HandleAsync(AlterReplicaLogDirsRequest message, PendingRequest request)
    {
        var response = new AlterReplicaLogDirsResponse();
        var mayAlter = request.MayUseCluster(Operations.Alter);
        var here = DescribeLogDirsHandler.PathOf(request.Broker);
        foreach (var directory in message.Dirs)
        {
            foreach (var topic in directory.Topics)
            {
                var found = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(topic.Name));
                // A client that moves a topic to two directories hears of it once.
                var result = response.Results.Find(r => r.TopicName == topic.Name);
                if (result is null) response.Results.Add(result = new() { TopicName = topic.Name });
                foreach (var partition in topic.Partitions)
                {
                    var error = !mayAlter ? ErrorCode.ClusterAuthorizationFailed
                        : found is null || (uint)partition >= (uint)found.Partitions.Count ? ErrorCode.UnknownTopicOrPartition
                        : directory.Path != here ? ErrorCode.LogDirNotFound
                        : ErrorCode.None;
                    result.Partitions.Add(new() { PartitionIndex = partition, ErrorCode = error });
                }
            }
        }
        return ValueTask.FromResult<AlterReplicaLogDirsResponse?>(response);
    }
}
