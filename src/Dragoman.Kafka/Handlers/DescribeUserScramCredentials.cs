using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Tells which SCRAM credentials users have.</summary>
internal sealed class DescribeUserScramCredentialsHandler : RequestHandler<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>
{
    protected override ValueTask<DescribeUserScramCredentialsResponse?> HandleAsync(DescribeUserScramCredentialsRequest message, PendingRequest request)
    {
        var response = new DescribeUserScramCredentialsResponse();
        if (!request.MayUseCluster(Operations.Describe))
        {
            response.ErrorCode = ErrorCode.ClusterAuthorizationFailed;
            return ValueTask.FromResult<DescribeUserScramCredentialsResponse?>(response);
        }
        var accounts = request.Broker.Accounts;
        var names = message.Users is { Count: > 0 } asked
            ? asked.Select(u => u.Name)
            : accounts.Users.Where(u => u.Credentials.Any(c => c is ScramCredential)).Select(u => u.Name);
        foreach (var group in names.GroupBy(n => n, StringComparer.Ordinal))
        {
            var result = new DescribeUserScramCredentialsResponse.DescribeUserScramCredentialsResult { User = group.Key };
            response.Results.Add(result);
            var known = accounts.Find(group.Key)?.Credentials.OfType<ScramCredential>().ToList() ?? [];
            if (group.Count() > 1) (result.ErrorCode, result.ErrorMessage) = (ErrorCode.DuplicateResource, $"The request names user '{group.Key}' more than once.");
            else if (known.Count == 0) (result.ErrorCode, result.ErrorMessage) = (ErrorCode.ResourceNotFound, $"User '{group.Key}' has no SCRAM credentials.");
            else result.CredentialInfos = [.. known.Select(c => new DescribeUserScramCredentialsResponse.CredentialInfo { Mechanism = (ScramMechanism)c.Hash, Iterations = c.Iterations })];
        }
        return ValueTask.FromResult<DescribeUserScramCredentialsResponse?>(response);
    }
}
