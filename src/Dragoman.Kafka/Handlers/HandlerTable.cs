using System.Diagnostics.CodeAnalysis;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>The requests that are served. What is in this table is what is advertised.</summary>
internal sealed class HandlerTable
{
    private readonly RequestHandler?[] _byKey;

    private HandlerTable(RequestHandler[] handlers)
    {
        _byKey = new RequestHandler[handlers.Max(h => (int)h.Key) + 1];
        foreach (var handler in handlers) _byKey[(int)handler.Key] = handler;
        foreach (var api in KafkaApis.All)
        {
            if ((int)api.Key >= _byKey.Length || _byKey[(int)api.Key] is not { } handler) continue;
            Advertised.Add(new ApiVersionsResponse.ApiVersion { ApiKey = api.Key, MinVersion = api.AdvertisedMinVersion, MaxVersion = Math.Min(api.MaxVersion, handler.MaxVersion) });
        }
    }

    /// <summary>What to tell clients, in the order of the requests' numbers.</summary>
    public List<ApiVersionsResponse.ApiVersion> Advertised { get; } = [];

    /// <summary>All there is.</summary>
    public static HandlerTable Create() => new(
    [
        new ApiVersionsHandler(),
        new SaslHandshakeHandler(),
        new SaslAuthenticateHandler(),
        new MetadataHandler(),
        new ProduceHandler(),
        new FetchHandler(),
        new ListOffsetsHandler(),
        new CreateTopicsHandler(),
        new DeleteTopicsHandler(),
        new DeleteRecordsHandler(),
        new InitProducerIdHandler(),
        new FindCoordinatorHandler(),
        new OffsetCommitHandler(),
        new OffsetFetchHandler(),
        new OffsetDeleteHandler(),
        new JoinGroupHandler(),
        new SyncGroupHandler(),
        new HeartbeatHandler(),
        new LeaveGroupHandler(),
        new DescribeGroupsHandler(),
        new ListGroupsHandler(),
        new DeleteGroupsHandler(),
        new AddPartitionsToTxnHandler(),
        new AddOffsetsToTxnHandler(),
        new TxnOffsetCommitHandler(),
        new EndTxnHandler(),
        new WriteTxnMarkersHandler(),
        new DescribeProducersHandler(),
        new DescribeTransactionsHandler(),
        new ListTransactionsHandler(),
        new ConsumerGroupHeartbeatHandler(),
        new ConsumerGroupDescribeHandler(),
        new OffsetForLeaderEpochHandler(),
        new DescribeConfigsHandler(),
        new AlterConfigsHandler(),
        new CreatePartitionsHandler(),
        new IncrementalAlterConfigsHandler(),
        new DescribeClusterHandler(),
        new AlterReplicaLogDirsHandler(),
        new DescribeLogDirsHandler(),
        new ElectLeadersHandler(),
        new AlterPartitionReassignmentsHandler(),
        new ListPartitionReassignmentsHandler(),
        new DescribeClientQuotasHandler(),
        new AlterClientQuotasHandler(),
        new DescribeQuorumHandler(),
        new UpdateFeaturesHandler(),
        new DescribeTopicPartitionsHandler(),
        new DescribeAclsHandler(),
        new CreateAclsHandler(),
        new DeleteAclsHandler(),
        new DescribeUserScramCredentialsHandler(),
        new AlterUserScramCredentialsHandler(),
    ]);

    /// <summary>Finds what handles a request.</summary>
    public bool TryGet(in RequestHeader header, [NotNullWhen(true)] out RequestHandler? handler)
    {
        handler = (uint)(ushort)header.ApiKey < (uint)_byKey.Length ? _byKey[(ushort)header.ApiKey] : null;
        if (handler is null || handler.Handles(header.ApiVersion)) return handler is not null;
        handler = null;
        return false;
    }
}
