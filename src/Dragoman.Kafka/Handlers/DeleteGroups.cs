using Dragoman.Broker.Security;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Deletes groups that have no members, with their offsets.</summary>
internal sealed class DeleteGroupsHandler : RequestHandler<DeleteGroupsRequest, DeleteGroupsResponse>
{
    protected override async ValueTask<DeleteGroupsResponse?> HandleAsync(DeleteGroupsRequest message, PendingRequest request)
    {
        var response = new DeleteGroupsResponse();
        foreach (var groupId in message.GroupsNames)
        {
            if (!request.MayUseGroup(Operations.Delete, groupId))
            {
                response.Results.Add(new() { GroupId = groupId, ErrorCode = ErrorCode.GroupAuthorizationFailed });
                continue;
            }
            var status = await request.Broker.Groups.DeleteAsync(KafkaGroupNames.Parse(groupId)).ConfigureAwait(false);
            response.Results.Add(new() { GroupId = groupId, ErrorCode = Errors.Of(status) });
        }
        return response;
    }
}
