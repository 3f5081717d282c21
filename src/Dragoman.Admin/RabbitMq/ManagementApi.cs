using System.Text.Json.Nodes;
using Dragoman.Admin.Http;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Resources;
using Dragoman.Protocols.RabbitMq;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dragoman.Admin.RabbitMq;

/// <summary>
/// RabbitMQ's management API, <c>/api</c>, for what its clients bring with them (rabbitmqadmin, monitoring, operators,
/// frameworks that create their topology). See <c>docs/management-api.md</c>. The facts are those of RabbitMQ's
/// <c>rabbit_mgmt_dispatcher</c> and of the answers that a RabbitMQ broker gives.
/// </summary>
internal sealed class ManagementApi
{
    /// <summary>The first segment of its paths.</summary>
    public const string Prefix = "api";

    private readonly AdminNode _node;
    private readonly ILogger _log;
    private readonly EndpointTable _table = new();

    /// <summary>Creates the API.</summary>
    /// <param name="node">What it manages.</param>
    /// <param name="log">Where it logs.</param>
    public ManagementApi(AdminNode node, ILogger log)
    {
        _node = node;
        _log = log;
        foreach (var resource in CreateResources()) resource.Map(_table);
    }

    /// <summary>Answers a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="path">Its unescaped segments, the prefix first.</param>
    public async Task HandleAsync(HttpContext context, string[] path)
    {
        try
        {
            await AnswerAsync(context, path);
        }
        catch (ManagementException failure)
        {
            await WriteErrorAsync(context, failure.Status, failure.Error, failure.Message, failure.Detail);
        }
        catch (AmqpRefusalException refused)
        {
            var (status, error, reason) = refused.Code switch
            {
                404 => (StatusCodes.Status404NotFound, "not_found", refused.Message),
                403 or 530 => (StatusCodes.Status401Unauthorized, "not_authorised", "Access refused."),
                541 => (StatusCodes.Status503ServiceUnavailable, "service_unavailable", refused.Message),
                _ => (StatusCodes.Status400BadRequest, "bad_request", refused.Message),
            };
            await WriteErrorAsync(context, status, error, reason);
        }
        catch (ProblemException problem)
        {
            await WriteErrorAsync(context, problem.Status, problem.Status == StatusCodes.Status404NotFound ? "not_found" : "bad_request", problem.Message);
        }
        catch (BadHttpRequestException bad)
        {
            await WriteErrorAsync(context, bad.StatusCode, "bad_request", bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? "Exceeded HTTP request body size limit" : bad.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; nobody is left to answer to.
        }
        catch (IOException error) when (context.RequestAborted.IsCancellationRequested)
        {
            _log.LogDebug(error, "A client went away during {Path}", context.Request.Path);
        }
#pragma warning disable CA1031 // The last line of defence of one request: it is reported here, and the node goes on.
        catch (Exception error)
        {
            _log.LogError(error, "{Method} {Path} failed", context.Request.Method, context.Request.Path);
            await WriteErrorAsync(context, StatusCodes.Status500InternalServerError, "internal_server_error", "The request failed in an unexpected way; the broker's log says more.");
        }
#pragma warning restore CA1031
    }

    /// <summary>Everything that the API knows: one file each.</summary>
    private static IEnumerable<IResource> CreateResources() =>
    [
        new Vhosts(),
        new Exchanges(),
        new Queues(),
        new Bindings(),
        new Users(),
        new Permissions(),
        new Limits(),
        new Parameters(),
        new Definitions(),
        new HealthChecks(),
        new Features(),
        new Authentication(),
        new WhoAmI(),
        new VersionResource(),
        new ShovelsResource(),
        new PoliciesResource(isOperator: false),
        new PoliciesResource(isOperator: true),
        new FederationLinksResource(),
        new OverviewResource(),
        new NodesResource(),
        new ConnectionsResource(),
        new ChannelsResource(),
        new ConsumersResource(),
    ];

    private async Task AnswerAsync(HttpContext context, string[] path)
    {
        Origins.Check(context.Request);
        var endpoint = _table.Find(path.AsSpan(1), out var values) ?? throw ManagementException.NotFound();
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            context.Response.Headers.Allow = endpoint.Allow;
            context.Response.ContentLength = 0;
            return;
        }
        if (!endpoint.TryGet(context.Request.Method, out var handler, out var access))
        {
            context.Response.Headers.Allow = endpoint.Allow;
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.ContentLength = 0;
            return;
        }
        var request = new ApiRequest(context, _node, access == Http.Access.Anyone ? Caller.Anyone(context, _node.Authenticator) : await Caller.IdentifyAsync(context, _node.Authenticator), values);
        request.Authorise(access);
        await handler(request);
    }

    private static Task WriteErrorAsync(HttpContext context, int status, string error, string reason, JsonNode? detail = null)
    {
        if (context.Response.HasStarted)
        {
            // Part of an answer is out. To end it regularly would pass it off as whole.
            context.Abort();
            return Task.CompletedTask;
        }
        if (status == StatusCodes.Status401Unauthorized) context.Response.Headers.WWWAuthenticate = "Basic realm=\"RabbitMQ Management\"";
        if (error.Length > 0) return ApiRequest.SendAsync(context, new JsonObject { ["error"] = error, ["reason"] = detail ?? reason }, status);
        context.Response.StatusCode = status;
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }
}
