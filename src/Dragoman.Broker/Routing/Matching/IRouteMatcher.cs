using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>The routes of one topic, and how messages find theirs. Guarded by the routing's lock.</summary>
internal interface IRouteMatcher
{
    /// <summary>Whether the headers of a message count, and not its routing key alone.</summary>
    bool DependsOnHeaders { get; }

    /// <summary>Whether the routing key of a message counts.</summary>
    bool DependsOnKey { get; }

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
    /// <summary>The matcher of a type.</summary>
    public static IRouteMatcher Create(string type) => type switch
    {
        ExchangeTypes.Direct => new DirectMatcher(),
        ExchangeTypes.Topic => new PatternMatcher(),
        ExchangeTypes.Headers => new HeadersMatcher(),
        _ => new FanoutMatcher(),
    };
}
