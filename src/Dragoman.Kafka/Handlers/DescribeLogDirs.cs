using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says how much lies in the data directory, of which there is one.</summary>
internal sealed class DescribeLogDirsHandler : RequestHandler<DescribeLogDirsRequest, DescribeLogDirsResponse>
{
    protected override ValueTask<DescribeLogDirsResponse?> HandleAsync(DescribeLogDirsRequest message, PendingRequest request)
    {
        if (!request.MayUseCluster(Operations.Describe))
            return ValueTask.FromResult<DescribeLogDirsResponse?>(new DescribeLogDirsResponse { ErrorCode = ErrorCode.ClusterAuthorizationFailed });
        var (total, usable) = VolumeOf(PathOf(request.Broker));
        var directory = new DescribeLogDirsResponse.DescribeLogDirsResult { LogDir = PathOf(request.Broker), TotalBytes = total, UsableBytes = usable };
        // What is not there is left out: the question is what lies here.
        if (message.Topics is null)
        {
            foreach (var topic in request.Broker.TopicsWithQueues.List()) Add(directory, topic, null);
        }
        else
        {
            foreach (var asked in message.Topics)
                if (request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Topic)) is { } topic) Add(directory, topic, asked.Partitions);
        }
        return ValueTask.FromResult<DescribeLogDirsResponse?>(new DescribeLogDirsResponse { Results = [directory] });
    }

    /// <summary>The data directory's full path.</summary>
    public static string PathOf(Broker.Broker broker) => Path.GetFullPath(broker.Options.Store.Directory);

    private static void Add(DescribeLogDirsResponse.DescribeLogDirsResult directory, Broker.Topics.ITopicHandle topic, List<int>? wanted)
    {
        var partitions = new List<DescribeLogDirsResponse.DescribeLogDirsPartition>();
        foreach (var partition in topic.Partitions)
            if (wanted is null || wanted.Contains(partition.Index)) partitions.Add(new() { PartitionIndex = partition.Index, PartitionSize = partition.SizeBytes });
        if (partitions.Count > 0) directory.Topics.Add(new() { Name = KafkaTopicNames.Format(topic.Name), Partitions = partitions });
    }

    private static (long Total, long Usable) VolumeOf(string path)
    {
        try
        {
            var volume = new DriveInfo(path);
            return (volume.TotalSize, volume.AvailableFreeSpace);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (-1, -1);
        }
    }
}
