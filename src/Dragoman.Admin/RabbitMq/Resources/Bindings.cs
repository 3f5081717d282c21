using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Model;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/bindings</c>: bindings, which are routes.</summary>
internal sealed class Bindings : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/bindings").Get(ListAsync);
        table.Map("/bindings/:vhost").Get(ListAsync, Access.Visible);
        table.Map("/bindings/:vhost/e/:source/:dtype/:destination").Get(BetweenAsync, Access.Visible).Post(PostAsync);
        table.Map("/bindings/:vhost/e/:source/:dtype/:destination/:props").Get(GetAsync, Access.Visible).Delete(DeleteAsync);
    }

    private static Task ListAsync(ApiRequest request)
    {
        var entries = new List<ListEntry>();
        foreach (var queue in request.Broker.Queues.List())
            if (request.Wants(queue.Name.Namespace)) entries.Add(Things.Entry(Things.DefaultBinding(queue.Name)));
        foreach (var route in All(request.Broker, request.Wants)) entries.Add(Things.Entry(Things.ToJson(request.Topology, route)));
        return request.WriteListAsync(entries);
    }

    /// <summary>All routes of namespaces.</summary>
    public static IEnumerable<Route> All(Broker.Broker broker, Predicate<Broker.Namespaces.NamespaceName> wants)
    {
        foreach (var space in broker.Namespaces.List())
        {
            if (!wants(space.Name)) continue;
            foreach (var exchange in Things.ExchangesIn(broker, space.Name))
            {
                if (exchange.Name.Name.Length == 0) continue;
                foreach (var route in broker.Routing.RoutesFrom(exchange.Name)) yield return route;
            }
        }
    }

    private static Task BetweenAsync(ApiRequest request)
    {
        var kind = KindOf(request);
        var source = Things.NameOf(request["source"]);
        var destination = Things.NameOf(request["destination"]);
        if (source.Length == 0)
        {
            var queue = new QueueName(request.RequiredSpace, destination);
            return request.WriteListAsync(kind == RouteTargetKind.Queue && request.Broker.Queues.Find(queue) is not null ? [Things.Entry(Things.DefaultBinding(queue))] : []);
        }
        return request.WriteListAsync([.. Between(request, kind).Select(r => Things.Entry(Things.ToJson(request.Topology, r)))]);
    }

    private static async Task PostAsync(ApiRequest request)
    {
        var kind = KindOf(request);
        var body = await request.ReadAsync();
        var (routingKey, destination) = (Body.Text(body, "routing_key"), request["destination"]);
        var kept = await request.Topology.BindAsync(request.AmqpCaller, Things.NameOf(request["source"]), kind, Things.NameOf(destination), routingKey, Body.Table(body, "arguments"));
        await request.Created($"{Uri.EscapeDataString(destination)}/{Uri.EscapeDataString(BindingKeys.Of(routingKey, kept))}");
    }

    private static Task GetAsync(ApiRequest request)
    {
        if (Things.NameOf(request["source"]).Length == 0)
        {
            var queue = new QueueName(request.RequiredSpace, request["destination"]);
            if (KindOf(request) != RouteTargetKind.Queue || request.Broker.Queues.Find(queue) is null || BindingKeys.Of(queue.Name, []) != request["props"]) throw ManagementException.NotFound();
            return request.WriteAsync(Things.DefaultBinding(queue));
        }
        return request.WriteAsync(Things.ToJson(request.Topology, Find(request)));
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        if (Things.NameOf(request["source"]).Length == 0) throw ManagementException.NotAuthorised("Access refused.");
        await request.Topology.UnbindAsync(request.AmqpCaller, Find(request));
        await request.NoContent();
    }

    private static Route Find(ApiRequest request)
    {
        foreach (var route in Between(request, KindOf(request)))
            if (BindingKeys.Of(route.Key, request.Topology.ArgumentsOf(route)) == request["props"]) return route;
        throw ManagementException.NotFound();
    }

    private static IEnumerable<Route> Between(ApiRequest request, RouteTargetKind kind) =>
        request.Broker.Routing.RoutesFrom(new TopicName(request.RequiredSpace, request["source"])).Where(r => r.Target.Kind == kind && r.Target.Name == request["destination"]);

    private static RouteTargetKind KindOf(ApiRequest request) => request["dtype"] switch
    {
        "q" => RouteTargetKind.Queue,
        "e" => RouteTargetKind.Topic,
        _ => throw ManagementException.NotFound(),
    };
}
