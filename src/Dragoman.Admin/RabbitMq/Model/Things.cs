using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>Exchanges, queues and bindings as objects: what definitions and lists share.</summary>
internal static class Things
{
    /// <summary>The name of the default exchange in paths.</summary>
    public const string DefaultExchange = "amq.default";

    private static readonly string[] Always = ["amq.direct", "amq.fanout", "amq.headers", "amq.match", "amq.rabbitmq.trace", "amq.topic"];

    /// <summary>
    /// The exchanges of a namespace, the default one first: those that were declared, those that are always there, and
    /// topics that other protocols made.
    /// </summary>
    public static IEnumerable<RoutingTopic> ExchangesIn(Broker.Broker broker, NamespaceName space)
    {
        yield return Default(space);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in Always)
            if (broker.Routing.Find(new TopicName(space, name)) is { } found && seen.Add(name)) yield return found;
        foreach (var topic in broker.Routing.List())
            if (topic.Name.Namespace == space && seen.Add(topic.Name.Name)) yield return topic;
        foreach (var topic in broker.Topics.List())
            if (topic.Name.Namespace == space && seen.Add(topic.Name.Name) && broker.Routing.Find(topic.Name) is { } found) yield return found;
    }

    /// <summary>An exchange by the name that a path gives it; null if there is none.</summary>
    public static RoutingTopic? FindExchange(Broker.Broker broker, NamespaceName space, string name) =>
        name is DefaultExchange or "" ? Default(space) : broker.Routing.Find(new TopicName(space, name));

    /// <summary>An exchange's own name: the default one's is empty.</summary>
    public static string NameOf(string inPath) => inPath == DefaultExchange ? "" : inPath;

    /// <summary>An exchange as definitions show it.</summary>
    public static JsonObject ToJson(IAmqpTopology topology, RoutingTopic exchange, bool withVhost = true)
    {
        var json = new JsonObject { ["name"] = exchange.Name.Name };
        if (withVhost) json["vhost"] = VirtualHosts.FromNamespace(exchange.Name.Namespace);
        json["type"] = exchange.Facet.Type;
        json["durable"] = exchange.Facet.IsDurable;
        json["auto_delete"] = exchange.Facet.AutoDelete;
        json["internal"] = exchange.Facet.IsInternal;
        json["arguments"] = topology.ArgumentsOf(exchange.Facet);
        return json;
    }

    /// <summary>A queue as definitions show it.</summary>
    public static JsonObject ToJson(IQueueHandle queue, AmqpQueue declared, bool withVhost = true)
    {
        var json = new JsonObject { ["name"] = queue.Name.Name };
        if (withVhost) json["vhost"] = VirtualHosts.FromNamespace(queue.Name.Namespace);
        json["durable"] = declared.IsDurable;
        json["auto_delete"] = declared.AutoDelete;
        json["arguments"] = declared.Arguments;
        return json;
    }

    /// <summary>A binding as lists show it.</summary>
    public static JsonObject ToJson(IAmqpTopology topology, Route route)
    {
        var arguments = topology.ArgumentsOf(route);
        return new JsonObject
        {
            ["source"] = route.Source.Name,
            ["vhost"] = VirtualHosts.FromNamespace(route.Source.Namespace),
            ["destination"] = route.Target.Name,
            ["destination_type"] = route.Target.Kind == RouteTargetKind.Queue ? "queue" : "exchange",
            ["routing_key"] = route.Key,
            ["arguments"] = arguments,
            ["properties_key"] = BindingKeys.Of(route.Key, arguments),
        };
    }

    /// <summary>The binding that every queue has to the default exchange.</summary>
    public static JsonObject DefaultBinding(QueueName queue) => new()
    {
        ["source"] = "",
        ["vhost"] = VirtualHosts.FromNamespace(queue.Namespace),
        ["destination"] = queue.Name,
        ["destination_type"] = "queue",
        ["routing_key"] = queue.Name,
        ["arguments"] = new JsonObject(),
        ["properties_key"] = BindingKeys.Of(queue.Name, []),
    };

    /// <summary>A binding as a list has it.</summary>
    public static ListEntry Entry(JsonObject binding) => new(
        binding["vhost"]!.GetValue<string>(),
        $"{binding["source"]!.GetValue<string>()}\0{binding["destination"]!.GetValue<string>()}\0{binding["routing_key"]!.GetValue<string>()}\0{binding["properties_key"]!.GetValue<string>()}",
        () => ValueTask.FromResult(binding));

    private static RoutingTopic Default(NamespaceName space) => new(new TopicName(space, ""), new ExchangeFacet { Type = ExchangeTypes.Direct }, IsDeclared: false);
}
