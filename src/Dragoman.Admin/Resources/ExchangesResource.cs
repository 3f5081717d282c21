using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>/_dragoman/v1/exchanges</c>: topics that route what is published to them.</summary>
internal sealed class ExchangesResource(AdminNode node)
{
    private const int MaxNameBytes = 255;

    private IRouting Routing => node.Broker.Routing;

    /// <summary>The collection: list and create.</summary>
    public Task HandleAllAsync(HttpContext context)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
        {
            var wanted = Scope.Of(context);
            var (picked, next) = Page.Of(context).Take(Routing.List(), static t => t.Name.ToString(), t => wanted is null || t.Name.Namespace == wanted);
            return Json.WriteAsync(context, new ExchangeList([.. picked.Select(t => Describe(t, inFull: false))], next), AdminJson.Default.ExchangeList);
        }
        if (HttpMethods.IsPost(method)) return CreateAsync(context);
        throw RequestPath.NotAllowed(context, "GET, HEAD, POST");
    }

    /// <summary>One exchange: describe and delete.</summary>
    public async Task HandleOneAsync(HttpContext context, string name)
    {
        var method = context.Request.Method;
        var full = new TopicName(Scope.OrDefault(context), name);
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
        {
            await Json.WriteAsync(context, Describe(Find(Routing, full), inFull: true), AdminJson.Default.ExchangeModel);
        }
        else if (HttpMethods.IsDelete(method))
        {
            if (name.StartsWith("amq.", StringComparison.Ordinal)) throw ProblemException.BadRequest($"Exchange '{full}' is always there.");
            if (!Find(Routing, full).IsDeclared) throw ProblemException.NotFound($"There is no exchange '{full}'; what is there is a topic that keeps a log: see topics.");
            var answer = await Routing.DeleteAsync(full, Query.Flag(context, "ifUnused"), context.RequestAborted);
            if (answer.Status == RoutingStatus.InUse) throw new ProblemException(StatusCodes.Status409Conflict, "In use", $"Exchange '{full}' has bindings, and was to be deleted only without.");
            Succeeded(answer, $"There is no exchange '{full}'.");
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            throw RequestPath.NotAllowed(context, "GET, HEAD, DELETE");
        }
    }

    /// <summary>A topic that routes.</summary>
    /// <exception cref="ProblemException">There is none.</exception>
    public static RoutingTopic Find(IRouting routing, TopicName name) => routing.Find(name) ?? throw ProblemException.NotFound($"There is no exchange '{name}'.");

    private async Task CreateAsync(HttpContext context)
    {
        var request = await Json.ReadAsync(context, AdminJson.Default.CreateExchangeRequest);
        var ns = Scope.OrDefault(context);
        var name = new TopicName(ns, request.Name);
        if (request.Name.Length == 0) throw ProblemException.BadRequest("The exchange has no name.");
        if (System.Text.Encoding.UTF8.GetByteCount(request.Name) > MaxNameBytes) throw ProblemException.BadRequest($"The exchange's name is longer than {MaxNameBytes} bytes.");
        if (request.Name.StartsWith("amq.", StringComparison.Ordinal)) throw ProblemException.BadRequest("Names that begin with 'amq.' are the broker's own.");
        if (!ExchangeTypes.IsKnown(request.Type)) throw ProblemException.BadRequest($"type is '{request.Type}'; it should be direct, fanout, topic or headers, or a type of RabbitMQ's that begins with x-.");
        NamespacesResource.Require(node, ns);
        var facet = new ExchangeFacet { Type = request.Type, IsDurable = request.Durable, AutoDelete = request.AutoDelete, IsInternal = request.Internal, AlternateTopic = request.Alternate };
        var answer = await Routing.DeclareAsync(name, facet, context.RequestAborted);
        if (answer.Existing is { } existing) throw new ProblemException(StatusCodes.Status409Conflict, "Conflict", $"Exchange '{name}' is there already, with type {existing.Type}.");
        Succeeded(answer, $"There is no exchange '{name}'.");
        context.Response.Headers.Location = $"/_dragoman/v1/exchanges/{Uri.EscapeDataString(request.Name)}{context.Request.QueryString}";
        await Json.WriteAsync(context, Describe(Find(Routing, name), inFull: true), AdminJson.Default.ExchangeModel, StatusCodes.Status201Created);
    }

    private ExchangeModel Describe(RoutingTopic topic, bool inFull)
    {
        var routes = Routing.RoutesFrom(topic.Name);
        var facet = topic.Facet;
        var forwarding = inFull ? Routing.Forwarding.Where(f => f.Topic == topic.Name).Select(f => new ForwardingModel(f.Partition, f.NextOffset, f.EndOffset, f.Lost, f.Refused, f.Problem)).ToList() : [];
        return new ExchangeModel
        {
            Namespace = topic.Name.Namespace.ToString(),
            Name = topic.Name.Name,
            Type = facet.Type,
            Durable = facet.IsDurable,
            AutoDelete = facet.AutoDelete,
            Internal = facet.IsInternal,
            Alternate = facet.AlternateTopic,
            HasLog = node.Broker.Topics.Find(topic.Name) is not null,
            Bindings = routes.Count,
            Routes = inFull ? [.. routes.Select(BindingMapping.ToModel)] : null,
            Forwarding = forwarding.Count > 0 ? forwarding : null,
        };
    }

    /// <exception cref="ProblemException">It did not work.</exception>
    public static void Succeeded(in RoutingAnswer answer, string missing)
    {
        if (answer.Status == RoutingStatus.Ok) return;
        throw answer.Status switch
        {
            RoutingStatus.NotFound => ProblemException.NotFound(missing),
            RoutingStatus.Invalid => ProblemException.BadRequest(answer.Message!),
            RoutingStatus.Full => new ProblemException(StatusCodes.Status507InsufficientStorage, "Disk full", answer.Message ?? "There is no room on disk."),
            RoutingStatus.StorageError => new ProblemException(StatusCodes.Status503ServiceUnavailable, "Not available", answer.Message ?? "The disk failed."),
            _ => new ProblemException(StatusCodes.Status409Conflict, "Conflict", answer.Message ?? $"The change was refused: {answer.Status}."),
        };
    }
}
