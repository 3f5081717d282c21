using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>
/// Each message takes one route. Routes to one target are one choice, and the choices are in the order of their targets, so
/// that a start changes nothing.
/// </summary>
internal abstract class OneOfManyMatcher : IRouteMatcher
{
    private readonly SortedDictionary<string, List<LiveRoute>> _targets = new(StringComparer.Ordinal);
    private (string Target, LiveRoute Route)[]? _choices;

    public abstract bool DependsOnHeaders { get; }

    public abstract bool DependsOnKey { get; }

    public virtual bool Varies => false;

    public void Add(LiveRoute route)
    {
        var target = TargetOf(route);
        if (!_targets.TryGetValue(target, out var routes)) _targets[target] = routes = [];
        routes.Add(route);
        _choices = null;
    }

    public void Remove(LiveRoute route)
    {
        var target = TargetOf(route);
        if (!_targets.TryGetValue(target, out var routes)) return;
        routes.Remove(route);
        if (routes.Count == 0) _targets.Remove(target);
        _choices = null;
    }

    public void Match(string routingKey, RecordHeaders headers, List<LiveRoute> found)
    {
        _choices ??= [.. _targets.Select(static t => (t.Key, t.Value[0]))];
        if (_choices.Length > 0) found.Add(Choose(_choices, routingKey, headers));
    }

    /// <summary>Chooses the route of a message.</summary>
    /// <param name="choices">A route to each target, with a name for the target; at least one.</param>
    /// <param name="routingKey">The message's routing key.</param>
    /// <param name="headers">The message's headers.</param>
    protected abstract LiveRoute Choose((string Target, LiveRoute Route)[] choices, string routingKey, RecordHeaders headers);

    private static string TargetOf(LiveRoute route) => route.Route.Target.Kind == RouteTargetKind.Queue ? $"q{route.Route.Target.Name}" : $"t{route.Route.Target.Name}";
}
