using Dragoman.Broker.Groups;
using Dragoman.Broker.Security;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Takes the sign of life of a classic group's member, and tells it when to join again.</summary>
internal sealed class HeartbeatHandler : RequestHandler<HeartbeatRequest, HeartbeatResponse>
{
    protected override ValueTask<HeartbeatResponse?> HandleAsync(HeartbeatRequest message, PendingRequest request)
    {
        var caller = new GroupCaller(message.MemberId, message.GroupInstanceId, message.GenerationId);
        if (!request.MayUseGroup(Operations.Read, message.GroupId))
            return ValueTask.FromResult<HeartbeatResponse?>(new HeartbeatResponse { ErrorCode = ErrorCode.GroupAuthorizationFailed });
        var status = request.Broker.Groups.Heartbeat(KafkaGroupNames.Parse(message.GroupId), caller);
        return ValueTask.FromResult<HeartbeatResponse?>(new HeartbeatResponse { ErrorCode = Errors.Of(status) });
    }
}
