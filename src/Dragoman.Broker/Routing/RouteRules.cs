namespace Dragoman.Broker.Routing;

/// <summary>Tells routes apart by their rule alone.</summary>
internal sealed class RouteRules : IEqualityComparer<Route>
{
    public static RouteRules Comparer { get; } = new();

    public bool Equals(Route? x, Route? y) => ReferenceEquals(x, y) || (x is not null && y is not null && x.IsSameRule(y));

    public int GetHashCode(Route obj) => HashCode.Combine(obj.Source, obj.Target, obj.Key, obj.Arguments.Count);
}
