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

/// <summary>Says how far groups have read: of partitions that are named, or of all that they have committed.</summary>
internal sealed class OffsetFetchHandler : RequestHandler<OffsetFetchRequest, OffsetFetchResponse>
{
    // OffsetFetchRequest.json: from these versions on there are many groups, and an error for the whole.
    private const short ManyGroups = 8;
    private const short HasError = 2;

    // What stands for an offset that is not there (OffsetFetchResponse.java).
    private const long NoOffset = -1;
    private const int NoEpoch = -1;

    protected override async ValueTask<OffsetFetchResponse?> HandleAsync(OffsetFetchRequest message, PendingRequest request)
    {
        var response = new OffsetFetchResponse();
        if (request.Version >= ManyGroups)
        {
            foreach (var group in message.Groups)
                response.Groups.Add(await FetchAsync(group, message.RequireStable, request).ConfigureAwait(false));
            return response;
        }
        // One group, in the form of many.
        var asked = new OffsetFetchRequest.OffsetFetchRequestGroup
        {
            GroupId = message.GroupId,
            Topics = message.Topics?.ConvertAll(t => new OffsetFetchRequest.OffsetFetchRequestTopics { Name = t.Name, PartitionIndexes = t.PartitionIndexes }),
        };
        var one = await FetchAsync(asked, message.RequireStable, request).ConfigureAwait(false);
        response.ErrorCode = one.ErrorCode;
        foreach (var topic in one.Topics)
        {
            response.Topics.Add(new()
            {
                Name = topic.Name,
                Partitions = topic.Partitions.ConvertAll(p => new OffsetFetchResponse.OffsetFetchResponsePartition
                {
                    PartitionIndex = p.PartitionIndex,
                    CommittedOffset = p.CommittedOffset,
                    CommittedLeaderEpoch = p.CommittedLeaderEpoch,
                    Metadata = p.Metadata,
                    ErrorCode = p.ErrorCode,
                }),
            });
        }
        if (one.ErrorCode != ErrorCode.None && request.Version < HasError) SpreadError(response, asked.Topics, one.ErrorCode);
        return response;
    }

    /// <summary>Where there is no place for an error of the whole, it stands at each partition.</summary>
    private static void SpreadError(OffsetFetchResponse response, List<OffsetFetchRequest.OffsetFetchRequestTopics>? asked, ErrorCode error)
    {
        foreach (var topic in asked ?? [])
        {
            response.Topics.Add(new()
            {
                Name = topic.Name,
                Partitions = topic.PartitionIndexes.ConvertAll(p => new OffsetFetchResponse.OffsetFetchResponsePartition
                {
                    PartitionIndex = p,
                    CommittedOffset = NoOffset,
                    Metadata = "",
                    ErrorCode = error,
                }),
            });
        }
    }

    private static async ValueTask<OffsetFetchResponse.OffsetFetchResponseGroup> FetchAsync(
        OffsetFetchRequest.OffsetFetchRequestGroup asked, bool requireStable, PendingRequest request)
    {
        var response = new OffsetFetchResponse.OffsetFetchResponseGroup { GroupId = asked.GroupId };
        if (!request.MayUseGroup(Operations.Describe, asked.GroupId))
        {
            response.ErrorCode = ErrorCode.GroupAuthorizationFailed;
            return response;
        }
        var partitions = asked.Topics is null ? null : Partitions(asked.Topics, request.Broker);
        var caller = new GroupCaller(asked.MemberId ?? "", null, asked.MemberEpoch);
        var answer = await request.Broker.Groups.FetchOffsetsAsync(KafkaGroupNames.Parse(asked.GroupId), caller, partitions, requireStable).ConfigureAwait(false);
        response.ErrorCode = Errors.Of(answer.Status);
        if (answer.Status != GroupStatus.Ok) return response;
        if (asked.Topics is null) AddAll(response, answer.Offsets, request.Broker);
        else AddAsked(response, asked.Topics, answer.Offsets);
        return response;
    }

    private static List<GroupPartition> Partitions(List<OffsetFetchRequest.OffsetFetchRequestTopics> topics, Broker.Broker broker)
    {
        var partitions = new List<GroupPartition>();
        foreach (var topic in topics)
        {
            // A topic that is not there has the empty id, under which nothing is ever committed.
            var id = broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(topic.Name))?.Id ?? Guid.Empty;
            foreach (var partition in topic.PartitionIndexes) partitions.Add(new(id, partition));
        }
        return partitions;
    }

    private static void AddAsked(
        OffsetFetchResponse.OffsetFetchResponseGroup response, List<OffsetFetchRequest.OffsetFetchRequestTopics> topics, IReadOnlyList<FetchedOffset> offsets)
    {
        var next = 0;
        foreach (var topic in topics)
        {
            var answer = new OffsetFetchResponse.OffsetFetchResponseTopics { Name = topic.Name };
            response.Topics.Add(answer);
            foreach (var _ in topic.PartitionIndexes) answer.Partitions.Add(Describe(offsets[next++]));
        }
    }

    private static void AddAll(OffsetFetchResponse.OffsetFetchResponseGroup response, IReadOnlyList<FetchedOffset> offsets, Broker.Broker broker)
    {
        var topics = new Dictionary<Guid, OffsetFetchResponse.OffsetFetchResponseTopics?>();
        foreach (var offset in offsets)
        {
            if (!topics.TryGetValue(offset.Partition.Topic, out var answer))
            {
                // Offsets of a topic that is gone are not shown; they go with the next look for expired ones.
                answer = broker.TopicsWithQueues.Find(offset.Partition.Topic) is { } topic ? new() { Name = KafkaTopicNames.Format(topic.Name) } : null;
                topics.Add(offset.Partition.Topic, answer);
                if (answer is not null) response.Topics.Add(answer);
            }
            answer?.Partitions.Add(Describe(offset));
        }
    }

    private static OffsetFetchResponse.OffsetFetchResponsePartitions Describe(in FetchedOffset offset) => new()
    {
        PartitionIndex = offset.Partition.Partition,
        CommittedOffset = offset.Committed?.Offset ?? NoOffset,
        CommittedLeaderEpoch = offset.Committed?.LeaderEpoch ?? NoEpoch,
        Metadata = offset.Committed?.Metadata ?? "",
        ErrorCode = Errors.Of(offset.Status),
    };
}
