using System.Buffers;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Routing;

/// <summary>Which topics route how, and which routes there are, as far as that outlasts a restart: the state machine behind <see cref="Routing"/>.</summary>
internal sealed class RoutingState : IStateMachine
{
    private const byte Version = 1;

    private readonly Dictionary<TopicName, ExchangeFacet> _facets = [];
    private readonly HashSet<Route> _routes = new(RouteRules.Comparer);

    private enum Kind : byte
    {
        PutFacet = 1,
        RemoveFacet = 2,
        AddRoute = 3,
        RemoveRoute = 4,
    }

    public IReadOnlyDictionary<TopicName, ExchangeFacet> Facets => _facets;

    public IReadOnlyCollection<Route> Routes => _routes;

    /// <summary>The event by which a topic routes in a certain way.</summary>
    public static ReadOnlySpan<byte> PutFacet(TopicName name, ExchangeFacet facet)
    {
        var buffer = Begin(Kind.PutFacet, out var writer);
        Route.WriteName(writer, name);
        facet.Write(writer);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which it no longer does. Its routes are removed by events of their own.</summary>
    public static ReadOnlySpan<byte> RemoveFacet(TopicName name)
    {
        var buffer = Begin(Kind.RemoveFacet, out var writer);
        Route.WriteName(writer, name);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a route comes to be.</summary>
    public static ReadOnlySpan<byte> AddRoute(Route route) => OfRoute(Kind.AddRoute, route);

    /// <summary>The event by which a route is gone.</summary>
    public static ReadOnlySpan<byte> RemoveRoute(Route route) => OfRoute(Kind.RemoveRoute, route);

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "routing event");
        switch ((Kind)reader.Byte())
        {
            case Kind.PutFacet:
                _facets[Route.ReadName(ref reader)] = ExchangeFacet.Read(ref reader);
                break;
            case Kind.RemoveFacet:
                Invariant.Check(_facets.Remove(Route.ReadName(ref reader)), "only what is there is removed");
                break;
            case Kind.AddRoute:
                Invariant.Check(_routes.Add(Route.Read(ref reader)), "a rule is there once");
                break;
            case Kind.RemoveRoute:
                Invariant.Check(_routes.Remove(Route.Read(ref reader)), "only what is there is removed");
                break;
            case var other:
                throw new CorruptDataException($"A routing event of kind {(byte)other} is unknown.");
        }
        reader.End("routing event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_facets.Count);
        foreach (var (name, facet) in _facets)
        {
            Route.WriteName(writer, name);
            facet.Write(writer);
        }
        writer.Int32(_routes.Count);
        foreach (var route in _routes) route.Write(writer);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "routing");
        _facets.Clear();
        _routes.Clear();
        for (var n = reader.Count(); n > 0; n--) _facets.Add(Route.ReadName(ref reader), ExchangeFacet.Read(ref reader));
        for (var n = reader.Count(); n > 0; n--) _routes.Add(Route.Read(ref reader));
        reader.End("routing");
    }

    private static ReadOnlySpan<byte> OfRoute(Kind kind, Route route)
    {
        var buffer = Begin(kind, out var writer);
        route.Write(writer);
        return buffer.WrittenSpan;
    }

    private static ArrayBufferWriter<byte> Begin(Kind kind, out SnapshotWriter writer)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        return buffer;
    }
}
