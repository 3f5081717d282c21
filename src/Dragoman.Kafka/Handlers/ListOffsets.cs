using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Log;

namespace Dragoman.Kafka.Handlers;

/// <summary>Finds offsets: the first, the last, by time, or that of the newest record.</summary>
internal sealed class ListOffsetsHandler : RequestHandler<ListOffsetsRequest, ListOffsetsResponse>
{
    // ListOffsetsRequest.java; KIP-734 and KIP-405 say from which versions on.
    private const long Latest = -1;
    private const long Earliest = -2;
    private const long MaxTimestamp = -3;
    private const long EarliestLocal = -4;
    private const long LatestTiered = -5;

    protected override async ValueTask<ListOffsetsResponse?> HandleAsync(ListOffsetsRequest message, PendingRequest request)
    {
        var response = new ListOffsetsResponse();
        foreach (var asked in message.Topics)
        {
            var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(asked.Name));
            var answer = new ListOffsetsResponse.ListOffsetsTopicResponse { Name = asked.Name };
            response.Topics.Add(answer);
            var mayDescribe = request.MayUseTopic(Operations.Describe, asked.Name);
            foreach (var partition in asked.Partitions)
                answer.Partitions.Add(mayDescribe
                    ? await FindAsync(topic, partition, message.IsolationLevel, request.Version).ConfigureAwait(false)
                    : new ListOffsetsResponse.ListOffsetsPartitionResponse { PartitionIndex = partition.PartitionIndex, ErrorCode = ErrorCode.TopicAuthorizationFailed });
        }
        return response;
    }

    private static async ValueTask<ListOffsetsResponse.ListOffsetsPartitionResponse> FindAsync(
        ITopicHandle? topic, ListOffsetsRequest.ListOffsetsPartition asked, IsolationLevel isolation, short version)
    {
        var answer = new ListOffsetsResponse.ListOffsetsPartitionResponse { PartitionIndex = asked.PartitionIndex };
        if (topic is null || (uint)asked.PartitionIndex >= (uint)topic.Partitions.Count
            || !topic.Partitions[asked.PartitionIndex].TryGetOffsets(out var offsets))
        {
            answer.ErrorCode = ErrorCode.UnknownTopicOrPartition;
            return answer;
        }
        var partition = topic.Partitions[asked.PartitionIndex];
        answer.ErrorCode = Errors.OfEpoch(asked.CurrentLeaderEpoch, offsets.LeaderEpoch);
        if (answer.ErrorCode != ErrorCode.None) return answer;
        var committedOnly = isolation == IsolationLevel.ReadCommitted;
        var reads = committedOnly ? ReadIsolation.Stable : ReadIsolation.Committed;
        try
        {
            switch (asked.Timestamp)
            {
                case Latest:
                    answer.Offset = committedOnly ? offsets.LastStable : offsets.HighWatermark;
                    answer.LeaderEpoch = offsets.LeaderEpoch;
                    break;
                case Earliest or EarliestLocal:
                    answer.Offset = offsets.Start;
                    answer.LeaderEpoch = partition.EpochAt(offsets.Start);
                    break;
                case MaxTimestamp when version >= 7:
                    Fill(answer, partition, await partition.FindLatestTimeAsync(reads).ConfigureAwait(false));
                    break;
                case LatestTiered:
                    // No segment lies elsewhere: there is no such offset, and that is no error.
                    break;
                case >= 0:
                    Fill(answer, partition, await partition.FindByTimeAsync(asked.Timestamp, reads).ConfigureAwait(false));
                    break;
                default:
                    answer.ErrorCode = ErrorCode.UnsupportedVersion;
                    break;
            }
        }
        catch (IOException)
        {
            answer.ErrorCode = ErrorCode.KafkaStorageError;
        }
        return answer;
    }

    private static void Fill(ListOffsetsResponse.ListOffsetsPartitionResponse answer, IPartitionHandle partition, TimedOffset? found)
    {
        if (found is not { } record) return;
        answer.Offset = record.Offset;
        answer.Timestamp = record.Timestamp;
        answer.LeaderEpoch = partition.EpochAt(record.Offset);
    }
}
