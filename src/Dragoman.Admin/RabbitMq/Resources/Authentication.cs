using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Security;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/auth</c>: how clients log in, and how often they tried.</summary>
internal sealed class Authentication : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/auth").Get(static request => request.WriteAsync(new JsonObject { ["oauth_enabled"] = false, ["enable_uaa"] = false, ["uaa_client_id"] = "", ["uaa_location"] = "" }), Access.Anyone);
        table.Map("/auth/attempts/:node").Get(AttemptsAsync, Access.Monitoring).Delete(ForgetAsync, Access.Administrator);
        table.Map("/auth/attempts/:node/source").Get(SourcesAsync, Access.Monitoring).Delete(ForgetAsync, Access.Administrator);
        table.Map("/auth/hash_password/:password").Get(HashAsync, Access.Administrator);
    }

    private static Task AttemptsAsync(ApiRequest request)
    {
        RequireNode(request);
        return request.WriteListAsync([.. request.Node.Authenticator.Attempts.List().Select(static a => ListEntry.Of(
            new JsonObject
            {
                ["protocol"] = a.Protocol,
                ["auth_attempts"] = a.Succeeded + a.Failed,
                ["auth_attempts_failed"] = a.Failed,
                ["auth_attempts_succeeded"] = a.Succeeded,
            },
            "protocol"))]);
    }

    /// <summary>Where they came from is not tracked, which is how RabbitMQ behaves unless it is told to.</summary>
    private static Task SourcesAsync(ApiRequest request)
    {
        RequireNode(request);
        return request.WriteAsync(new JsonArray());
    }

    private static Task ForgetAsync(ApiRequest request)
    {
        RequireNode(request);
        request.Node.Authenticator.Attempts.Clear();
        return request.NoContent();
    }

    private static Task HashAsync(ApiRequest request)
    {
        var hash = PasswordHash.FromPassword(PasswordAlgorithm.Sha256, request["password"], RandomNumberGenerator.GetBytes(PasswordHash.SaltBytes));
        return request.WriteAsync(new JsonObject { ["ok"] = Convert.ToBase64String(hash.Salted.AsSpan()) });
    }

    private static void RequireNode(ApiRequest request)
    {
        if (request["node"] != request.Node.RabbitMqName) throw ManagementException.NotFound();
    }
}
