using System.Text;
using Dragoman.Broker.Queues;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>The routes of one topic, and how messages find theirs. Guarded by the routing's lock.</summary>
internal interface IRouteMatcher
{
    /// <summary>Whether the headers of a message count, and not its routing key alone.</summary>
    bool DependsOnHeaders { get; }

    /// <summary>Whether the routing key of a message counts.</summary>
    bool DependsOnKey { get; }

    /// <summary>Whether another message may take another route although nothing of it differs.</summary>
    bool Varies => false;

    /// <summary>Adds a route whose rule is not there yet.</summary>
    void Add(LiveRoute route);

    /// <summary>Removes a route.</summary>
    void Remove(LiveRoute route);

    /// <summary>Finds the routes that a message takes; a route may be found more than once.</summary>
    void Match(string routingKey, RecordHeaders headers, List<LiveRoute> found);
}

/// <summary>Makes matchers.</summary>
internal static class RouteMatchers
{
    /// <summary>The matcher of a topic that routes in a certain way.</summary>
    public static IRouteMatcher Create(ExchangeFacet facet, Random random) => facet.MatchedAs switch
    {
        ExchangeTypes.Direct => new DirectMatcher(),
        ExchangeTypes.Topic => new PatternMatcher(),
        ExchangeTypes.Headers => new HeadersMatcher(),
        ExchangeTypes.ConsistentHash => new ConsistentHashMatcher(facet.Attributes.TryGetValue(ExchangeTypes.HashOnAttribute, out var header) ? Encoding.UTF8.GetBytes(header) : null),
        ExchangeTypes.ModulusHash => new ModulusMatcher(),
        ExchangeTypes.Random or ExchangeTypes.LocalRandom => new RandomMatcher(random),
        _ => new FanoutMatcher(),
    };

    /// <summary>What is wrong with a route that is to be made; null if nothing is.</summary>
    /// <param name="facet">How its source routes.</param>
    /// <param name="key">The route's key.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="queue">The queue that it leads to, or null.</param>
    public static string? Check(ExchangeFacet facet, string key, IReadOnlyList<RouteArgument> arguments, IQueueHandle? queue) => facet.MatchedAs switch
    {
        ExchangeTypes.Headers => HeadersMatcher.CheckMode(arguments),
        ExchangeTypes.ConsistentHash => ConsistentHashMatcher.CheckWeight(key),
        ExchangeTypes.LocalRandom when key.Length > 0 => $"Non empty binding '{key}' key not permitted",
        ExchangeTypes.LocalRandom when queue is null => "Destination not found",
        _ => null,
    };
}
