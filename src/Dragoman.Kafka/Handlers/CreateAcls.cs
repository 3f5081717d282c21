using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Makes rules.</summary>
internal sealed class CreateAclsHandler : RequestHandler<CreateAclsRequest, CreateAclsResponse>
{
    protected override async ValueTask<CreateAclsResponse?> HandleAsync(CreateAclsRequest message, PendingRequest request)
    {
        var response = new CreateAclsResponse();
        var permissions = new List<Permission>();
        var pending = new List<CreateAclsResponse.AclCreationResult>();
        foreach (var creation in message.Creations)
        {
            var result = new CreateAclsResponse.AclCreationResult();
            response.Results.Add(result);
            try
            {
                request.RequireCluster(Operations.Alter);
                permissions.Add(new Acl(
                    creation.ResourceType, creation.ResourceName, creation.ResourcePatternType, creation.Principal, creation.Host, creation.Operation, creation.PermissionType).ToPermission());
                pending.Add(result);
            }
            catch (KafkaRequestException error)
            {
                result.ErrorCode = error.Code;
                result.ErrorMessage = error.Message;
            }
        }
        if (permissions.Count == 0) return response;
        var answer = await request.Broker.Accounts.AddPermissionsAsync(permissions).ConfigureAwait(false);
        foreach (var result in pending)
        {
            result.ErrorCode = Errors.Of(answer.Status);
            result.ErrorMessage = answer.Message;
        }
        return response;
    }
}
