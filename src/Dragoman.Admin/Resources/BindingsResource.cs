using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>/_dragoman/v1/bindings</c>: the routes from exchanges to queues and to other exchanges.</summary>
internal sealed class BindingsResource(AdminNode node)
{
    /// <summary>Names that are exchanges in every namespace.</summary>
    private static readonly string[] Predeclared = ["amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match", "amq.rabbitmq.trace"];

    private IRouting Routing => node.Broker.Routing;

    /// <summary>List, add and remove.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
        {
            await ListAsync(context);
        }
        else if (HttpMethods.IsPost(method))
        {
            var (model, source, queue, target) = await ReadAsync(context);
            var arguments = BindingMapping.ToArguments(model);
            var (key, cancellation) = (model.Key ?? "", context.RequestAborted);
            if (Find(source, queue, target, key, arguments) is not null) throw new ProblemException(StatusCodes.Status409Conflict, "Conflict", "That binding is there already.");
            var answer = queue is not null ? await Routing.BindAsync(source, queue, key, arguments, cancellation) : await Routing.BindAsync(source, target!, key, arguments, cancellation);
            ExchangesResource.Succeeded(answer, "One of the two ends has just been deleted.");
            await Json.WriteAsync(context, model with { Key = key, Namespace = source.Namespace.ToString() }, AdminJson.Default.BindingModel, StatusCodes.Status201Created);
        }
        else if (HttpMethods.IsDelete(method))
        {
            var (model, source, queue, target) = await ReadAsync(context);
            var (key, cancellation) = (model.Key ?? "", context.RequestAborted);
            if (Find(source, queue, target, key, BindingMapping.ToArguments(model)) is not { } route)
                throw ProblemException.NotFound($"There is no such binding from exchange '{source}' to {(queue is null ? $"exchange '{target}'" : $"queue '{queue.Name}'")} with key '{key}'.");
            var answer = queue is not null ? await Routing.UnbindAsync(source, queue, key, route.Arguments, cancellation) : await Routing.UnbindAsync(source, target!, key, route.Arguments, cancellation);
            ExchangesResource.Succeeded(answer, "One of the two ends has just been deleted.");
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            throw RequestPath.NotAllowed(context, "GET, HEAD, POST, DELETE");
        }
    }

    private Task ListAsync(HttpContext context)
    {
        var wanted = Scope.Of(context);
        var query = context.Request.Query;
        var (source, queue, exchange) = (query["source"].ToString(), query["queue"].ToString(), query["exchange"].ToString());
        var routes = new List<(string Order, Route Route)>();
        foreach (var name in Sources())
        {
            if ((wanted is not null && name.Namespace != wanted) || (source.Length > 0 && name.Name != source)) continue;
            foreach (var route in Routing.RoutesFrom(name))
            {
                var target = route.Target;
                if (queue.Length > 0 && !(target.Kind == RouteTargetKind.Queue && target.Name == queue)) continue;
                if (exchange.Length > 0 && !(target.Kind == RouteTargetKind.Topic && target.Name == exchange)) continue;
                routes.Add(($"{name} {(int)target.Kind} {target.Name} {route.Key} {string.Join(' ', route.Arguments.Select(a => $"{a.Name}={Convert.ToHexString(a.Value.Span)}"))}", route));
            }
        }
        routes.Sort(static (a, b) => string.CompareOrdinal(a.Order, b.Order));
        var (picked, next) = Page.Of(context).Take(routes, static r => r.Order, static _ => true);
        return Json.WriteAsync(context, new BindingList([.. picked.Select(static r => BindingMapping.ToModel(r.Route))], next), AdminJson.Default.BindingList);
    }

    /// <summary>Every name that routes may begin at.</summary>
    private HashSet<TopicName> Sources()
    {
        var names = new HashSet<TopicName>();
        foreach (var topic in Routing.List()) names.Add(topic.Name);
        foreach (var topic in node.Broker.Topics.List()) names.Add(topic.Name);
        foreach (var ns in node.Broker.Namespaces.List())
            foreach (var name in Predeclared) names.Add(new TopicName(ns.Name, name));
        return names;
    }

    private async ValueTask<(BindingModel Model, TopicName Source, IQueueHandle? Queue, TopicName? Target)> ReadAsync(HttpContext context)
    {
        var model = await Json.ReadAsync(context, AdminJson.Default.BindingModel);
        var ns = Scope.OrDefault(context);
        if (model.Namespace is not null) throw ProblemException.BadRequest("The namespace of a binding is given in the query.");
        if (model.Source.Length == 0) throw ProblemException.BadRequest("The default exchange reaches every queue by its name, and cannot be bound.");
        if ((model.Queue is null) == (model.Exchange is null)) throw ProblemException.BadRequest("A binding leads to a queue or to an exchange: name one of the two.");
        var source = new TopicName(ns, model.Source);
        ExchangesResource.Find(Routing, source);
        if (model.Queue is { } queue)
        {
            var name = new QueueName(ns, queue);
            return (model, source, node.Broker.Queues.Find(name) ?? throw ProblemException.NotFound($"There is no queue '{name}'."), null);
        }
        var target = new TopicName(ns, model.Exchange!);
        ExchangesResource.Find(Routing, target);
        return (model, source, null, target);
    }

    private Route? Find(TopicName source, IQueueHandle? queue, TopicName? target, string key, List<RouteArgument> arguments)
    {
        foreach (var route in Routing.RoutesFrom(source))
        {
            var isTarget = queue is not null ? route.Target.Kind == RouteTargetKind.Queue && route.Target.Id == queue.Id : route.Target.Kind == RouteTargetKind.Topic && route.Target.Name == target!.Name;
            // Types aside: who declared it as a number of 32 bits finds it by its number.
            if (isTarget && route.Key == key && route.Arguments.Count == arguments.Count && arguments.TrueForAll(a => route.Arguments.Any(r => r.Name == a.Name && r.Value.Span.SequenceEqual(a.Value.Span)))) return route;
        }
        return null;
    }
}
