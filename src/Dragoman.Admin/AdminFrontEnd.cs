using System.Net;
using Dragoman.Admin.Http;
using Dragoman.Admin.Metrics;
using Dragoman.Admin.RabbitMq;
using Dragoman.Admin.Resources;
using Dragoman.Broker.Security;
using Dragoman.Protocols;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Dragoman.Admin;

/// <summary>The management HTTP API: <c>/_dragoman/v1</c>, health checks, and RabbitMQ's own, <c>/api</c>. See <c>docs/admin-api.md</c>.</summary>
public sealed class AdminFrontEnd : IHttpFrontEnd
{
    private const string Prefix = "_dragoman";
    private const string ApiVersion = "v1";

    private readonly ILogger _log;
    private readonly Health _health;
    private readonly Overview _overview;
    private readonly TopicsResource _topics;
    private readonly ProduceResource _produce;
    private readonly ConsumeResource _consume;
    private readonly GroupsResource _groups;
    private readonly QueuesResource _queues;
    private readonly QueueMessagesResource _messages;
    private readonly MovesResource _moves;
    private readonly ExchangesResource _exchanges;
    private readonly BindingsResource _bindings;
    private readonly NamespacesResource _namespaces;
    private readonly StorageResource _storage;
    private readonly UsersResource _users;
    private readonly PermissionsResource _permissions;
    private readonly ClockResource _clock;
    private readonly ManagementApi _management;
    private readonly MetricsResource _metrics;
    private readonly AdminNode _node;

    /// <summary>Creates the front end.</summary>
    /// <param name="node">What it manages.</param>
    /// <param name="loggers">Where to log.</param>
    public AdminFrontEnd(AdminNode node, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(loggers);
        _log = loggers.CreateLogger<AdminFrontEnd>();
        _health = new Health(node);
        _overview = new Overview(node);
        _topics = new TopicsResource(node);
        _produce = new ProduceResource(node, _topics);
        _consume = new ConsumeResource(node, _topics);
        _groups = new GroupsResource(node);
        _queues = new QueuesResource(node);
        _messages = new QueueMessagesResource(node, _queues);
        _moves = new MovesResource(node, _queues);
        _exchanges = new ExchangesResource(node);
        _bindings = new BindingsResource(node);
        _namespaces = new NamespacesResource(node);
        _storage = new StorageResource(node);
        _users = new UsersResource(node);
        _permissions = new PermissionsResource(node);
        _clock = new ClockResource(node);
        _management = new ManagementApi(node, _log);
        _metrics = new MetricsResource(node);
        _node = node;
    }

    /// <inheritdoc/>
    public string Name => "admin";

    /// <inheritdoc/>
    public string? ListedAs => null;

    /// <inheritdoc/>
    public void ConfigureListener(ListenOptions listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        listener.Protocols = HttpProtocols.Http1;
    }

    /// <inheritdoc/>
    public void OnBound(IPEndPoint endpoint)
    {
    }

    /// <inheritdoc/>
    public void ConfigureApplication(IApplicationBuilder application) => application.Run(HandleAsync);

    private async Task HandleAsync(HttpContext context)
    {
        try
        {
            var path = RequestPath.Parse(context);
            if (path is [ManagementApi.Prefix, ..])
            {
                await _management.HandleAsync(context, path);
                return;
            }
            Origins.Check(context.Request);
            if (path is not ["health", ..]) await AuthorizeAsync(context, path);
            await RouteAsync(context, path);
        }
        catch (ProblemException problem)
        {
            await Problem.WriteAsync(context, problem.Status, problem.Title, problem.Message, problem.Extra);
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException bad)
        {
            await Problem.WriteAsync(context, bad.StatusCode, "Bad request", bad.Message);
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
            await Problem.WriteAsync(context, StatusCodes.Status500InternalServerError, "Internal error", "The request failed in an unexpected way; the broker's log says more.");
        }
#pragma warning restore CA1031
    }

    private Task RouteAsync(HttpContext context, string[] path) => path switch
    {
        ["health", "live"] => Health.LiveAsync(context),
        ["health", "ready"] => _health.ReadyAsync(context),
        ["metrics"] => _metrics.AggregatedAsync(context),
        ["metrics", "per-object"] => _metrics.PerObjectAsync(context),
        ["metrics", "detailed"] => _metrics.DetailedAsync(context),
        [Prefix, ApiVersion, "overview"] => _overview.HandleAsync(context),
        [Prefix, ApiVersion, "topics"] => _topics.HandleAllAsync(context),
        [Prefix, ApiVersion, "topics", var name] => _topics.HandleOneAsync(context, name),
        [Prefix, ApiVersion, "topics", var name, "records"] => RecordsAsync(context, name),
        [Prefix, ApiVersion, "groups"] => _groups.HandleAllAsync(context),
        [Prefix, ApiVersion, "groups", var name] => _groups.HandleOneAsync(context, name),
        [Prefix, ApiVersion, "groups", var name, "reset-offsets"] => _groups.ResetOffsetsAsync(context, name),
        [Prefix, ApiVersion, "queues"] => _queues.HandleAllAsync(context),
        [Prefix, ApiVersion, "queues", var name] => _queues.HandleOneAsync(context, name),
        [Prefix, ApiVersion, "queues", var name, "messages"] => _messages.HandleAsync(context, name),
        [Prefix, ApiVersion, "queues", var name, "receive"] => _messages.ReceiveAsync(context, name),
        [Prefix, ApiVersion, "queues", var name, "settle"] => _messages.SettleAsync(context, name),
        [Prefix, ApiVersion, "queues", var name, "purge"] => _queues.PurgeAsync(context, name),
        [Prefix, ApiVersion, "queues", var name, "replay"] => _queues.ReplayAsync(context, name),
        [Prefix, ApiVersion, "moves"] => _moves.HandleAllAsync(context),
        [Prefix, ApiVersion, "moves", var id] => _moves.HandleOneAsync(context, id),
        [Prefix, ApiVersion, "exchanges"] => _exchanges.HandleAllAsync(context),
        [Prefix, ApiVersion, "exchanges", var name] => _exchanges.HandleOneAsync(context, name),
        [Prefix, ApiVersion, "bindings"] => _bindings.HandleAsync(context),
        [Prefix, ApiVersion, "namespaces"] => _namespaces.HandleAllAsync(context),
        [Prefix, ApiVersion, "namespaces", var name] => _namespaces.HandleOneAsync(context, name),
        [Prefix, ApiVersion, "users"] => _users.HandleAllAsync(context),
        [Prefix, ApiVersion, "users", var name] => _users.HandleOneAsync(context, name),
        [Prefix, ApiVersion, "users", var name, "tokens"] => _users.CreateTokenAsync(context, name),
        [Prefix, ApiVersion, "users", var name, "tokens", var token] => _users.DeleteTokenAsync(context, name, token),
        [Prefix, ApiVersion, "users", var name, "access-keys"] => _users.CreateAccessKeyAsync(context, name),
        [Prefix, ApiVersion, "users", var name, "access-keys", var id] => _users.DeleteAccessKeyAsync(context, name, id),
        [Prefix, ApiVersion, "permissions"] => _permissions.HandleAsync(context),
        [Prefix, ApiVersion, "test", "clock"] => _clock.ReadAsync(context),
        [Prefix, ApiVersion, "test", "clock", "advance"] => _clock.AdvanceAsync(context),
        [Prefix, ApiVersion, "storage", "checkpoint"] => _storage.CheckpointAsync(context),
        _ => throw ProblemException.NotFound($"There is nothing at {context.Request.Path}. The API is described in docs/admin-api.md."),
    };

    /// <summary>
    /// Administrators may do everything here; who has the tag for it may look around; records and messages are read and
    /// written by those who may read and write the topic or queue.
    /// </summary>
    private async ValueTask AuthorizeAsync(HttpContext context, string[] path)
    {
        var accounts = _node.Broker.Accounts;
        var identity = await Access.IdentifyAsync(context, _node.Authenticator);
        var reads = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        switch (path)
        {
            case [Prefix, ApiVersion, "topics", var name, "records"]:
                if (!TopicsResource.Allows(identity, context, name, reads ? Operations.Read : Operations.Write)) throw Access.Forbidden($"The user may not {(reads ? "read" : "write")} this topic.");
                break;
            case [Prefix, ApiVersion, "queues", var name, "messages" or "receive" or "settle"]:
                var publishes = path[^1] == "messages" && !reads;
                if (!QueuesResource.Allows(identity, context, name, publishes ? Operations.Write : Operations.Read)) throw Access.Forbidden($"The user may not {(publishes ? "write to" : "read")} this queue.");
                break;
            case [Prefix, ApiVersion, "users" or "permissions", ..]:
                Access.RequireAdministrator(identity, accounts);
                break;
            default:
                if (reads) Access.RequireViewer(identity, accounts);
                else Access.RequireAdministrator(identity, accounts);
                break;
        }
    }

    private Task RecordsAsync(HttpContext context, string name)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsPost(method)) return _produce.HandleAsync(context, name);
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) return _consume.HandleAsync(context, name);
        throw RequestPath.NotAllowed(context, "GET, HEAD, POST");
    }
}
