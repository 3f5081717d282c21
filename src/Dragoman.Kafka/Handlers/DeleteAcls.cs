using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Deletes the rules that filters pick.</summary>
internal sealed class DeleteAclsHandler : RequestHandler<DeleteAclsRequest, DeleteAclsResponse>
{
    protected override async ValueTask<DeleteAclsResponse?> HandleAsync(DeleteAclsRequest message, PendingRequest request)
    {
        var response = new DeleteAclsResponse();
        foreach (var wanted in message.Filters)
        {
            var result = new DeleteAclsResponse.DeleteAclsFilterResult();
            response.FilterResults.Add(result);
            try
            {
                request.RequireCluster(Operations.Alter);
                var filter = new AclFilter(
                    wanted.ResourceTypeFilter, wanted.ResourceNameFilter, wanted.PatternTypeFilter, wanted.PrincipalFilter, wanted.HostFilter, wanted.Operation, wanted.PermissionType);
                filter.Check();
                await DeleteAsync(filter, request.Broker.Accounts, result).ConfigureAwait(false);
            }
            catch (KafkaRequestException error)
            {
                result.ErrorCode = error.Code;
                result.ErrorMessage = error.Message;
            }
        }
        return response;
    }

    private static async ValueTask DeleteAsync(AclFilter filter, IAccounts accounts, DeleteAclsResponse.DeleteAclsFilterResult result)
    {
        // Of a permission that holds more than what is deleted, the rest stays: it is added before the whole goes, so
        // that nobody loses in between what they keep.
        var picked = accounts.Permissions.Where(p => Acl.Of(p).Any(a => filter.Picks(a))).ToHashSet();
        if (picked.Count == 0) return;
        var rests = picked.Select(p => Acl.Without(p, Acl.Of(p).Where(a => filter.Picks(a)))).OfType<Permission>().ToList();
        if (rests.Count > 0) Check(await accounts.AddPermissionsAsync(rests).ConfigureAwait(false));
        var (answer, removed) = await accounts.RemovePermissionsAsync(picked.Contains).ConfigureAwait(false);
        if (answer.Status != AccountStatus.NotFound) Check(answer);
        foreach (var acl in removed.SelectMany(Acl.Of).Where(a => filter.Picks(a)).Distinct())
        {
            result.MatchingAcls.Add(new DeleteAclsResponse.DeleteAclsMatchingAcl
            {
                ResourceType = acl.Resource,
                ResourceName = acl.Name,
                PatternType = acl.Pattern,
                Principal = acl.Principal,
                Host = acl.Host,
                Operation = acl.Operation,
                PermissionType = acl.Permission,
            });
        }
    }

    private static void Check(AccountAnswer answer)
    {
        if (answer.Status != AccountStatus.Ok) throw new KafkaRequestException(Errors.Of(answer.Status), answer.Message ?? answer.Status.ToString());
    }
}
