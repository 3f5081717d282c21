using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing;

/// <summary>How a change to the routing ended.</summary>
public enum RoutingStatus
{
    /// <summary>It was done, or was so already.</summary>
    Ok,

    /// <summary>There is no such topic, queue or route.</summary>
    NotFound,

    /// <summary>The topic has routes.</summary>
    InUse,

    /// <summary>The topic does not route by such a key.</summary>
    Invalid,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The disk failed.</summary>
    StorageError,
}

/// <summary>The answer to a change of the routing.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Existing">For a declaration, how the topic routes, if it did before.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct RoutingAnswer(RoutingStatus Status, ExchangeFacet? Existing = null, string? Message = null);

/// <summary>A topic that routes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Facet">How.</param>
/// <param name="IsDeclared">Whether it was declared; else it is one that is always there, or one that only keeps a log.</param>
public readonly record struct RoutingTopic(TopicName Name, ExchangeFacet Facet, bool IsDeclared);

/// <summary>
/// How messages get from topics to queues. A topic routes by its exchange facet; one that only keeps a log hands
/// everything to all its routes. Where a topic keeps a log, a publish is an append to it, and its routes carry on what the
/// log holds, once it is committed and stable; a route that is made later begins at the end. The topics <c>amq.direct</c>, <c>amq.fanout</c>, <c>amq.topic</c>, <c>amq.headers</c>,
/// <c>amq.match</c> and <c>amq.rabbitmq.trace</c> are there in every namespace.
/// </summary>
public interface IRouting
{
    /// <summary>Rises with every change that may let messages go elsewhere than before.</summary>
    long Version { get; }

    /// <summary>How a topic routes; null if there is no such topic.</summary>
    RoutingTopic? Find(TopicName name);

    /// <summary>All topics of all namespaces that were declared to route, in the order of their names.</summary>
    IReadOnlyList<RoutingTopic> List();

    /// <summary>The routes that begin at a topic.</summary>
    IReadOnlyList<Route> RoutesFrom(TopicName source);

    /// <summary>The routes that lead to a queue.</summary>
    IReadOnlyList<Route> RoutesTo(IQueueHandle queue);

    /// <summary>The routes that lead to a topic.</summary>
    IReadOnlyList<Route> RoutesTo(TopicName target);

    /// <summary>Says how a topic routes, unless that was said before: then the answer is how, whatever is asked for.</summary>
    ValueTask<RoutingAnswer> DeclareAsync(TopicName name, ExchangeFacet facet, CancellationToken cancellation = default);

    /// <summary>Takes back what was declared, and all routes from and to the topic. Its log, if it keeps one, stays.</summary>
    /// <param name="name">The topic.</param>
    /// <param name="ifUnused">Whether only if no route begins there.</param>
    /// <param name="cancellation">Ends the wait for admission.</param>
    ValueTask<RoutingAnswer> DeleteAsync(TopicName name, bool ifUnused = false, CancellationToken cancellation = default);

    /// <summary>Makes a route to a queue.</summary>
    ValueTask<RoutingAnswer> BindAsync(TopicName source, IQueueHandle queue, string key, IReadOnlyList<RouteArgument> arguments, CancellationToken cancellation = default);

    /// <summary>Makes a route to another topic.</summary>
    ValueTask<RoutingAnswer> BindAsync(TopicName source, TopicName target, string key, IReadOnlyList<RouteArgument> arguments, CancellationToken cancellation = default);

    /// <summary>Ends a route to a queue; that there is none is no error.</summary>
    ValueTask<RoutingAnswer> UnbindAsync(TopicName source, IQueueHandle queue, string key, IReadOnlyList<RouteArgument> arguments, CancellationToken cancellation = default);

    /// <summary>Ends a route to another topic; that there is none is no error.</summary>
    ValueTask<RoutingAnswer> UnbindAsync(TopicName source, TopicName target, string key, IReadOnlyList<RouteArgument> arguments, CancellationToken cancellation = default);

    /// <summary>Finds where a message that is published to a topic goes, and adds that to a result.</summary>
    /// <param name="source">The topic.</param>
    /// <param name="routingKey">What to route by.</param>
    /// <param name="headers">The message's headers.</param>
    /// <param name="result">Takes the targets. Several calls, as for several routing keys, gather each target once.</param>
    /// <returns>False if there is no such topic.</returns>
    bool Resolve(TopicName source, string routingKey, RecordHeaders headers, RouteResult result);

    /// <summary>
    /// Lets routes of a transformation's name use it. What topics with a log hold for such routes waits until then; what is
    /// published to others is refused.
    /// </summary>
    void Register(IRouteTransformation transformation);

    /// <summary>The queue in which messages wait that a topic of type <see cref="ExchangeTypes.Delayed"/> holds back; null for other topics.</summary>
    IQueueHandle? FindHolding(TopicName name);

    /// <summary>How far routes have carried the records of each partition of topics that keep a log and have routes.</summary>
    IReadOnlyList<ForwardingProgress> Forwarding { get; }

    /// <summary>Calls an observer from now on.</summary>
    void AddObserver(IForwardingObserver observer);
}
