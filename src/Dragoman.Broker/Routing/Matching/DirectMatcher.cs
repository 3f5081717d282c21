using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>A route takes the messages whose routing key is its key.</summary>
internal sealed class DirectMatcher : IRouteMatcher
{
    private readonly Dictionary<string, List<LiveRoute>> _byKey = new(StringComparer.Ordinal);

    public bool DependsOnHeaders => false;

    public bool DependsOnKey => true;

    public void Add(LiveRoute route)
    {
        if (!_byKey.TryGetValue(route.Route.Key, out var routes)) _byKey[route.Route.Key] = routes = [];
        routes.Add(route);
    }

    public void Remove(LiveRoute route)
    {
        if (!_byKey.TryGetValue(route.Route.Key, out var routes)) return;
        routes.Remove(route);
        if (routes.Count == 0) _byKey.Remove(route.Route.Key);
    }

    public void Match(string routingKey, RecordHeaders headers, List<LiveRoute> found)
    {
        if (_byKey.TryGetValue(routingKey, out var routes)) found.AddRange(routes);
    }
}
