using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>Every route takes every message.</summary>
internal sealed class FanoutMatcher : IRouteMatcher
{
    private readonly List<LiveRoute> _routes = [];
    private readonly Dictionary<LiveRoute, int> _places = new(ReferenceEqualityComparer.Instance);

    public bool DependsOnHeaders => false;

    public bool DependsOnKey => false;

    public void Add(LiveRoute route)
    {
        _places[route] = _routes.Count;
        _routes.Add(route);
    }

    public void Remove(LiveRoute route)
    {
        if (!_places.Remove(route, out var place)) return;
        var last = _routes[^1];
        _routes.RemoveAt(_routes.Count - 1);
        if (ReferenceEquals(last, route)) return;
        _routes[place] = last;
        _places[last] = place;
    }

    public void Match(string routingKey, RecordHeaders headers, List<LiveRoute> found) => found.AddRange(_routes);
}
