using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Has a member join a classic group. The answer takes as long as the other members do.</summary>
internal sealed class JoinGroupHandler : RequestHandler<JoinGroupRequest, JoinGroupResponse>
{
    // JoinGroupRequest.json and KIP-394: from this version on a member is told its id first.
    private const short AwaitsMemberId = 4;

    // From this version on, what was not chosen is null instead of empty.
    private const short HasNullProtocol = 7;

    // KIP-814.
    private const short CanSkipAssignment = 9;

    protected override async ValueTask<JoinGroupResponse?> HandleAsync(JoinGroupRequest message, PendingRequest request)
    {
        if (!request.MayUseGroup(Operations.Read, message.GroupId)) return new JoinGroupResponse { ErrorCode = ErrorCode.GroupAuthorizationFailed };
        var subscription = SubscriptionOf(message, request.Broker.Topics);
        var answer = await request.Broker.Groups.JoinAsync(
            new JoinRequest
            {
                Group = KafkaGroupNames.Parse(message.GroupId),
                MemberId = message.MemberId,
                InstanceId = message.GroupInstanceId,
                ClientId = request.Header.ClientId ?? "",
                ClientHost = request.Session.ClientHost,
                SessionTimeoutMs = message.SessionTimeoutMs,
                RebalanceTimeoutMs = message.RebalanceTimeoutMs < 0 ? message.SessionTimeoutMs : message.RebalanceTimeoutMs,
                ProtocolType = message.ProtocolType,
                Protocols = message.Protocols.ConvertAll(p => new GroupProtocol(p.Name, p.Metadata)),
                Topics = subscription?.Topics,
                Owned = subscription?.Owned ?? [],
                Rack = subscription?.Rack,
                AwaitsMemberId = request.Version >= AwaitsMemberId,
                CanSkipAssignment = request.Version >= CanSkipAssignment,
                Reason = message.Reason,
            },
            request.Session.Ended).ConfigureAwait(false);
        return new JoinGroupResponse
        {
            ErrorCode = Errors.Of(answer.Status),
            GenerationId = answer.Generation,
            ProtocolType = answer.ProtocolType,
            ProtocolName = answer.Protocol ?? (request.Version >= HasNullProtocol ? null : ""),
            Leader = answer.Leader,
            SkipAssignment = answer.SkipAssignment,
            MemberId = answer.MemberId,
            Members = [.. answer.Members.Select(m => new JoinGroupResponse.JoinGroupResponseMember { MemberId = m.MemberId, GroupInstanceId = m.InstanceId, Metadata = m.Metadata })],
        };
    }

    private static ConsumerSubscription? SubscriptionOf(JoinGroupRequest message, ITopics topics) =>
        message.ProtocolType == ConsumerProtocol.Type && message.Protocols.Count > 0 ? ConsumerProtocol.TryReadSubscription(message.Protocols[0].Metadata, topics) : null;
}
