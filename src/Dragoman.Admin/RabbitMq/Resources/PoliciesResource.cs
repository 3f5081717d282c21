using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Policies;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary>
/// <c>/api/policies</c>, which users with the tag <c>policymaker</c> set, and <c>/api/operator-policies</c>, which
/// administrators do (rabbit_mgmt_wm_policy and rabbit_mgmt_wm_operator_policy).
/// </summary>
/// <param name="isOperator">Whether it is the operators'.</param>
internal sealed class PoliciesResource(bool isOperator) : IResource
{
    public void Map(EndpointTable table)
    {
        var path = isOperator ? "/operator-policies" : "/policies";
        var access = isOperator ? Access.Administrator : Access.Policies;
        table.Map(path).Get(ListAsync);
        table.Map($"{path}/:vhost").Get(ListAsync);
        table.Map($"{path}/:vhost/:name").Get(GetAsync, access).Put(PutAsync, access).Delete(DeleteAsync, access);
    }

    private static JsonObject Describe(Policy policy) => new()
    {
        ["vhost"] = VirtualHosts.FromNamespace(policy.Namespace),
        ["name"] = policy.Name,
        ["pattern"] = policy.Pattern,
        ["apply-to"] = PolicyTargets.NameOf(policy.ApplyTo),
        ["definition"] = JsonNode.Parse(policy.Definition),
        ["priority"] = policy.Priority,
    };

    private Task ListAsync(ApiRequest request) =>
        request.WriteListAsync([.. request.Broker.Policies.List(isOperator).Where(p => request.Wants(p.Namespace)).Select(static p => ListEntry.Of(Describe(p)))]);

    private Task GetAsync(ApiRequest request) => request.WriteAsync(Describe(Find(request) ?? throw ManagementException.NotFound()));

    private async Task PutAsync(ApiRequest request)
    {
        var body = await request.ReadAsync();
        List<string>? missing = null;
        foreach (var member in (ReadOnlySpan<string>)["pattern", "definition"])
            if (body[member] is null) (missing ??= []).Add($"{{key_missing,{member}}}");
        if (missing is not null) throw ManagementException.BadRequest($"[{string.Join(',', missing)}]");
        var wasThere = Find(request) is not null;
        var space = request.Space ?? throw ManagementException.NotFound("vhost_not_found");
        // Whatever else clients send along, such as the name once more, counts for nothing.
        var policy = new JsonObject();
        foreach (var member in (ReadOnlySpan<string>)["pattern", "definition", "priority", "apply-to"])
            if (body[member] is { } value) policy[member] = value.DeepClone();
        Check(await request.Broker.Policies.SetAsync(space, isOperator, request["name"], ToElement(policy), request.Cancellation));
        if (wasThere) await request.NoContent();
        else await request.Created();
    }

    private async Task DeleteAsync(ApiRequest request)
    {
        var policy = Find(request) ?? throw ManagementException.NotFound();
        Check(await request.Broker.Policies.RemoveAsync(policy.Namespace, isOperator, policy.Name, request.Cancellation));
        await request.NoContent();
    }

    private Policy? Find(ApiRequest request) => request.Space is { } space ? request.Broker.Policies.Find(space, isOperator, request["name"]) : null;

    /// <summary>Tells the client if something was not done.</summary>
    private static void Check(in ParameterAnswer answer)
    {
        switch (answer.Status)
        {
            case ParameterStatus.Ok:
                return;
            case ParameterStatus.NotFound:
                throw ManagementException.NotFound();
            case ParameterStatus.Full or ParameterStatus.StorageError:
                throw ManagementException.Unavailable(answer.Message ?? "The disk is full, or has failed.");
            default:
                throw ManagementException.BadRequest(answer.Message ?? answer.Status.ToString());
        }
    }

    private static JsonElement ToElement(JsonObject value)
    {
        using var document = JsonDocument.Parse(value.ToJsonString());
        return document.RootElement.Clone();
    }
}
