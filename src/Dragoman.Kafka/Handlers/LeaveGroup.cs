using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Security;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Has members leave a group: one of itself, or several by whoever administers it.</summary>
internal sealed class LeaveGroupHandler : RequestHandler<LeaveGroupRequest, LeaveGroupResponse>
{
    // LeaveGroupRequest.json: from this version on there are many members.
    private const short ManyMembers = 3;

    protected override async ValueTask<LeaveGroupResponse?> HandleAsync(LeaveGroupRequest message, PendingRequest request)
    {
        if (!request.MayUseGroup(Operations.Read, message.GroupId)) return new LeaveGroupResponse { ErrorCode = ErrorCode.GroupAuthorizationFailed };
        if (message.GroupId.Length == 0) return new LeaveGroupResponse { ErrorCode = ErrorCode.InvalidGroupId };
        var group = KafkaGroupNames.Parse(message.GroupId);
        if (request.Version < ManyMembers)
        {
            var one = await request.Broker.Groups.LeaveAsync(group, [new LeavingMember(message.MemberId, null)]).ConfigureAwait(false);
            return new LeaveGroupResponse { ErrorCode = Errors.Of(one[0]) };
        }
        var statuses = await request.Broker.Groups.LeaveAsync(group, message.Members.ConvertAll(m => new LeavingMember(m.MemberId, m.GroupInstanceId))).ConfigureAwait(false);
        var response = new LeaveGroupResponse();
        for (var i = 0; i < statuses.Count; i++)
        {
            var member = message.Members[i];
            response.Members.Add(new() { MemberId = member.MemberId, GroupInstanceId = member.GroupInstanceId, ErrorCode = Errors.Of(statuses[i]) });
        }
        return response;
    }
}
