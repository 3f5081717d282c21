using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Tells which rules there are.</summary>
internal sealed class DescribeAclsHandler : RequestHandler<DescribeAclsRequest, DescribeAclsResponse>
{
    protected override ValueTask<DescribeAclsResponse?> HandleAsync(DescribeAclsRequest message, PendingRequest request)
    {
        var response = new DescribeAclsResponse();
        try
        {
            request.RequireCluster(Operations.Describe);
            var filter = new AclFilter(
                message.ResourceTypeFilter, message.ResourceNameFilter, message.PatternTypeFilter, message.PrincipalFilter, message.HostFilter, message.Operation, message.PermissionType);
            filter.Check();
            var picked = request.Broker.Accounts.Permissions.SelectMany(Acl.Of).Where(acl => filter.Picks(acl)).Distinct();
            foreach (var resource in picked.GroupBy(a => (a.Resource, a.Name, a.Pattern)))
            {
                response.Resources.Add(new DescribeAclsResponse.DescribeAclsResource
                {
                    ResourceType = resource.Key.Resource,
                    ResourceName = resource.Key.Name,
                    PatternType = resource.Key.Pattern,
                    Acls = [.. resource.Select(a => new DescribeAclsResponse.AclDescription { Principal = a.Principal, Host = a.Host, Operation = a.Operation, PermissionType = a.Permission })],
                });
            }
        }
        catch (KafkaRequestException error)
        {
            response.ErrorCode = error.Code;
            response.ErrorMessage = error.Message;
        }
        return ValueTask.FromResult<DescribeAclsResponse?>(response);
    }
}
