using Dragoman.Broker.Groups;
using Dragoman.Broker.Security;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says where classic groups stand and who their members are.</summary>
internal sealed class DescribeGroupsHandler : RequestHandler<DescribeGroupsRequest, DescribeGroupsResponse>
{
    // KIP-1043: before, a group that is not there was described as dead, without an error.
    private const short SaysNotFound = 6;

    private const string Dead = "Dead";

    protected override async ValueTask<DescribeGroupsResponse?> HandleAsync(DescribeGroupsRequest message, PendingRequest request)
    {
        var response = new DescribeGroupsResponse();
        foreach (var groupId in message.Groups)
        {
            if (!request.MayUseGroup(Operations.Describe, groupId))
            {
                response.Groups.Add(new() { GroupId = groupId, ErrorCode = ErrorCode.GroupAuthorizationFailed });
                continue;
            }
            var answer = await request.Broker.Groups.DescribeAsync(KafkaGroupNames.Parse(groupId)).ConfigureAwait(false);
            response.Groups.Add(answer switch
            {
                { Group: { Kind: GroupKind.Classic } group } => Describe(groupId, group, message.IncludeAuthorizedOperations ? request.GroupOperations(groupId) : int.MinValue),
                { Status: GroupStatus.Ok } => NotFound(groupId, $"Group {groupId} is not a classic group.", request.Version),
                { Status: GroupStatus.NotFound } => NotFound(groupId, $"Group {groupId} not found.", request.Version),
                _ => new() { GroupId = groupId, ErrorCode = Errors.Of(answer.Status) },
            });
        }
        return response;
    }

    private static DescribeGroupsResponse.DescribedGroup NotFound(string groupId, string why, short version) => new()
    {
        GroupId = groupId,
        GroupState = Dead,
        ErrorCode = version >= SaysNotFound ? ErrorCode.GroupIdNotFound : ErrorCode.None,
        ErrorMessage = version >= SaysNotFound ? why : null,
    };

    private static DescribeGroupsResponse.DescribedGroup Describe(string groupId, GroupDescription group, int operations) => new()
    {
        GroupId = groupId,
        GroupState = group.State.ToString(),
        ProtocolType = group.ProtocolType,
        ProtocolData = group.Protocol,
        AuthorizedOperations = operations,
        Members =
        [
            .. group.Members.Select(m => new DescribeGroupsResponse.DescribedGroupMember
            {
                MemberId = m.Id,
                GroupInstanceId = m.InstanceId,
                ClientId = m.ClientId,
                ClientHost = m.ClientHost,
                MemberMetadata = m.Metadata,
                MemberAssignment = m.Assignment,
            }),
        ],
    };
}
