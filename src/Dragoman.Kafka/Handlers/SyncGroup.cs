using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Security;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Gives a member of a classic group its share, once the leader has brought all shares.</summary>
internal sealed class SyncGroupHandler : RequestHandler<SyncGroupRequest, SyncGroupResponse>
{
    // SyncGroupRequest.json: from this version on a member says what it takes the group to be.
    private const short NamesProtocol = 5;

    protected override async ValueTask<SyncGroupResponse?> HandleAsync(SyncGroupRequest message, PendingRequest request)
    {
        if (!request.MayUseGroup(Operations.Read, message.GroupId)) return new SyncGroupResponse { ErrorCode = ErrorCode.GroupAuthorizationFailed };
        if (request.Version >= NamesProtocol && (message.ProtocolType is null || message.ProtocolName is null))
            return new SyncGroupResponse { ErrorCode = ErrorCode.InconsistentGroupProtocol };
        var answer = await request.Broker.Groups.SyncAsync(
            new SyncRequest
            {
                Group = KafkaGroupNames.Parse(message.GroupId),
                Caller = new GroupCaller(message.MemberId, message.GroupInstanceId, message.GenerationId),
                ProtocolType = message.ProtocolType,
                Protocol = message.ProtocolName,
                Shares = message.Assignments.ConvertAll(a => KeyValuePair.Create(a.MemberId, new GroupShare(a.Assignment, ConsumerProtocol.TryReadAssignment(a.Assignment, request.Broker.Topics)))),
            },
            request.Session.Ended).ConfigureAwait(false);
        return new SyncGroupResponse
        {
            ErrorCode = Errors.Of(answer.Status),
            ProtocolType = answer.ProtocolType,
            ProtocolName = answer.Protocol,
            Assignment = answer.Partitions is null ? answer.Assignment : ConsumerProtocol.WriteAssignment(answer.Partitions, answer.Metadata, request.Broker.Topics),
        };
    }
}
