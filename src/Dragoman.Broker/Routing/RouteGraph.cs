using System.Text;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Matching;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing;

/// <summary>What a removal took away.</summary>
internal sealed class Removed
{
    /// <summary>The durable routes: the state has to forget them.</summary>
    public List<Route> Routes { get; } = [];

    /// <summary>The durable topics.</summary>
    public List<TopicName> Topics { get; } = [];

    /// <summary>Where routes began that are gone, durable or not.</summary>
    public HashSet<TopicName> Sources { get; } = [];
}

/// <summary>
/// Topics and the routes between them, transient ones included, as messages are matched with them. Its lock is held for
/// a moment and nothing is called under it, so that it may be asked while other locks are held.
/// </summary>
/// <param name="topics">The topics, some of which keep logs.</param>
/// <param name="statistics">What is counted.</param>
/// <param name="random">Chooses for topics that route at random; used under the lock.</param>
/// <param name="alternate">The topic that policies say gets what no route of another takes; null for none. It takes no lock.</param>
internal sealed class RouteGraph(ITopics topics, BrokerStatistics statistics, Func<TopicName, string?> alternate, Random random)
{
    private static readonly Dictionary<string, ExchangeFacet> Predeclared = new(StringComparer.Ordinal)
    {
        ["amq.direct"] = new ExchangeFacet { Type = ExchangeTypes.Direct },
        ["amq.fanout"] = new ExchangeFacet { Type = ExchangeTypes.Fanout },
        ["amq.topic"] = new ExchangeFacet { Type = ExchangeTypes.Topic },
        ["amq.headers"] = new ExchangeFacet { Type = ExchangeTypes.Headers },
        ["amq.match"] = new ExchangeFacet { Type = ExchangeTypes.Headers },
        ["amq.rabbitmq.trace"] = new ExchangeFacet { Type = ExchangeTypes.Topic, IsInternal = true },
    };

    private static readonly byte[] NoHistory = Encoding.UTF8.GetBytes(ExchangeTypes.NoHistoryHeader);

    private readonly Lock _lock = new();
    private readonly Dictionary<TopicName, Node> _nodes = [];
    private readonly Dictionary<Guid, List<LiveRoute>> _toQueue = [];
    private readonly Dictionary<TopicName, List<LiveRoute>> _toTopic = [];
    private readonly HashSet<TopicName> _announced = [];
    private readonly Dictionary<string, IRouteTransformation> _transformations = new(StringComparer.Ordinal);
    private long _version;

    private sealed class Node(IRouteMatcher matcher)
    {
        public ExchangeFacet? Declared { get; set; }

        public IRouteMatcher Matcher { get; set; } = matcher;

        public Dictionary<Route, LiveRoute> Routes { get; } = new(RouteRules.Comparer);

        /// <summary>The routes that front ends have made, in the order in which they were.</summary>
        public List<RuledRoute> Ruled { get; } = [];

        /// <summary>The queue that keeps what was last published to it; null for none.</summary>
        public IQueueHandle? History { get; set; }

        public bool HasRoutes => Routes.Count > 0 || Ruled.Count > 0;
    }

    /// <summary>Whether a topic is there in every namespace, and stays.</summary>
    public static bool IsPredeclared(TopicName name) => Predeclared.ContainsKey(name.Name);

    /// <summary>Rises with every change.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Says that something has changed that is not here but counts.</summary>
    public void Touch() => Interlocked.Increment(ref _version);

    public RoutingTopic? Find(TopicName name)
    {
        lock (_lock)
        {
            if (FacetOf(name, out var isDeclared) is { } facet) return new RoutingTopic(name, facet, isDeclared);
            if (_announced.Contains(name)) return new RoutingTopic(name, ExchangeFacet.Default, false);
        }
        return topics.Find(name) is null ? null : new RoutingTopic(name, ExchangeFacet.Default, false);
    }

    public List<RoutingTopic> List()
    {
        var all = new List<RoutingTopic>();
        lock (_lock)
        {
            foreach (var (name, node) in _nodes)
                if (node.Declared is { } facet) all.Add(new RoutingTopic(name, facet, true));
        }
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name.ToString(), b.Name.ToString()));
        return all;
    }

    public Route[] RoutesFrom(TopicName source)
    {
        lock (_lock) return _nodes.TryGetValue(source, out var node) ? [.. node.Routes.Keys] : [];
    }

    public Route[] RoutesTo(Guid queue)
    {
        lock (_lock) return _toQueue.TryGetValue(queue, out var routes) ? [.. routes.Select(static r => r.Route)] : [];
    }

    public Route[] RoutesTo(TopicName target)
    {
        lock (_lock) return _toTopic.TryGetValue(target, out var routes) ? [.. routes.Select(static r => r.Route)] : [];
    }

    /// <summary>Says that a topic is there, whatever else is known of it, or no longer for that reason.</summary>
    public void Announce(TopicName name, bool isThere)
    {
        lock (_lock)
        {
            if (isThere) _announced.Add(name);
            else _announced.Remove(name);
            Touch();
        }
    }

    /// <summary>Lets routes of a transformation's name use it.</summary>
    /// <returns>The topics that they begin at.</returns>
    public List<TopicName> Register(IRouteTransformation transformation)
    {
        lock (_lock)
        {
            var sources = new List<TopicName>();
            _transformations[transformation.Name] = transformation;
            foreach (var (name, node) in _nodes)
            {
                foreach (var route in node.Ruled)
                    if (route.Transformation == transformation.Name) route.Transformer = transformation;
                if (node.Ruled.Count > 0) sources.Add(name);
            }
            Touch();
            return sources;
        }
    }

    /// <summary>Adds a route with a rule, or replaces the one of its id.</summary>
    public void Put(RuledRoute route)
    {
        lock (_lock)
        {
            if (!_nodes.TryGetValue(route.Source, out var node))
                _nodes[route.Source] = node = new Node(RouteMatchers.Create(FacetOf(route.Source, out _) ?? ExchangeFacet.Default, random));
            route.Transformer = _transformations.GetValueOrDefault(route.Transformation);
            var known = node.Ruled.FindIndex(r => r.Id == route.Id);
            if (known >= 0) node.Ruled[known] = route;
            else node.Ruled.Add(route);
            Touch();
        }
    }

    /// <summary>Removes a route with a rule.</summary>
    public void Remove(TopicName source, Guid id)
    {
        lock (_lock)
        {
            if (!_nodes.TryGetValue(source, out var node)) return;
            node.Ruled.RemoveAll(r => r.Id == id);
            if (!node.HasRoutes && node.Declared is null) _nodes.Remove(source);
            Touch();
        }
    }

    public bool Contains(Route route)
    {
        lock (_lock) return _nodes.TryGetValue(route.Source, out var node) && node.Routes.ContainsKey(route);
    }

    /// <summary>Says how a topic routes; routes that it has already are matched anew.</summary>
    public void Put(TopicName name, ExchangeFacet facet)
    {
        lock (_lock)
        {
            if (!_nodes.TryGetValue(name, out var node)) _nodes[name] = node = new Node(RouteMatchers.Create(facet, random));
            node.Declared = facet;
            node.Matcher = RouteMatchers.Create(facet, random);
            foreach (var route in node.Routes.Values) node.Matcher.Add(route);
            Touch();
        }
    }

    /// <summary>Says which queue keeps what was last published to a topic, if that is what its type asks for.</summary>
    public void SetHistory(TopicName name, IQueueHandle queue)
    {
        lock (_lock)
        {
            if (!_nodes.TryGetValue(name, out var node) || node.Declared is not { MatchedAs: ExchangeTypes.RecentHistory }) return;
            node.History = queue;
            Touch();
        }
    }

    /// <summary>Adds a route; false if it is there.</summary>
    public bool Add(Route route, IQueueHandle? queue)
    {
        lock (_lock)
        {
            if (!_nodes.TryGetValue(route.Source, out var node))
                _nodes[route.Source] = node = new Node(RouteMatchers.Create(FacetOf(route.Source, out _) ?? ExchangeFacet.Default, random));
            if (node.Routes.ContainsKey(route)) return false;
            var target = queue is null ? new TopicName(route.Source.Namespace, route.Target.Name) : null;
            var live = new LiveRoute(route, queue, target);
            node.Routes.Add(route, live);
            node.Matcher.Add(live);
            if (queue is not null) AddTo(_toQueue, queue.Id, live);
            else AddTo(_toTopic, target!, live);
            Touch();
            return true;
        }
    }

    /// <summary>Removes a route, and its topic if that goes with its last route; no matter if it is not there.</summary>
    public void Remove(Route route, Removed gone)
    {
        lock (_lock)
        {
            if (_nodes.TryGetValue(route.Source, out var node) && node.Routes.TryGetValue(route, out var live)) Remove(live, gone);
        }
    }

    /// <summary>Removes all routes to a queue.</summary>
    public void RemoveRoutesTo(Guid queue, Removed gone)
    {
        lock (_lock)
        {
            Touch();
            if (_toQueue.TryGetValue(queue, out var routes))
                foreach (var route in routes.ToArray()) Remove(route, gone);
        }
    }

    /// <summary>Removes what was declared of a topic, and all routes from and to it.</summary>
    public void RemoveTopic(TopicName name, Removed gone)
    {
        lock (_lock) RemoveNode(name, gone);
    }

    /// <summary>Finds where a message goes that is being published.</summary>
    /// <param name="source">The topic that it is published to.</param>
    /// <param name="routingKey">What to route by.</param>
    /// <param name="headers">Its headers.</param>
    /// <param name="result">Takes the targets. A topic that keeps a log is one, and carries the message on from there.</param>
    /// <returns>False if there is no such topic.</returns>
    public bool Resolve(TopicName source, string routingKey, RecordHeaders headers, RouteResult result)
    {
        lock (_lock)
        {
            result.Visited.Clear();
            result.Scratch.Clear();
            return Walk(source, routingKey, headers, result, default);
        }
    }

    /// <summary>Finds where a record of a topic's log goes from there.</summary>
    /// <param name="source">The topic.</param>
    /// <param name="position">Where the record is.</param>
    /// <param name="routingKey">What to route by.</param>
    /// <param name="headers">Its headers.</param>
    /// <param name="passed">The topics that it has passed before: it does not go back to them.</param>
    /// <param name="result">Takes the targets, beside those it has.</param>
    public void ResolveRecord(TopicName source, in LogPosition position, string routingKey, RecordHeaders headers, List<TopicName> passed, RouteResult result)
    {
        lock (_lock)
        {
            result.Visited.Clear();
            result.Scratch.Clear();
            foreach (var name in passed)
                if (name != source) result.Visited.Add(name);
            Walk(source, routingKey, headers, result, position);
        }
    }

    /// <summary>Whether routes begin at a topic, and all of them know what to do: until a transformation is registered, messages wait for it.</summary>
    public bool HasRoutes(TopicName source)
    {
        lock (_lock) return _nodes.TryGetValue(source, out var node) && node.HasRoutes && node.Ruled.TrueForAll(static r => r.Transformer is not null);
    }

    /// <summary>The first record of a partition that a route from its topic carries.</summary>
    public long FirstOffset(TopicName source, Guid topic, int partition)
    {
        lock (_lock)
        {
            if (!_nodes.TryGetValue(source, out var node)) return long.MaxValue;
            var first = long.MaxValue;
            foreach (var route in node.Routes.Keys) first = Math.Min(first, route.FirstOffset(topic, partition));
            foreach (var route in node.Ruled) first = Math.Min(first, route.FirstOffset(topic, partition));
            return first;
        }
    }

    private bool Walk(TopicName name, string routingKey, RecordHeaders headers, RouteResult result, in LogPosition position)
    {
        if (!result.Visited.Add(name)) return true;
        var isRecord = position.Topic != Guid.Empty;
        var log = topics.Find(name);
        if (log is not null && !isRecord)
        {
            result.Add(log);
            return true;
        }
        var facet = FacetOf(name, out _);
        if (facet is null && log is null && !_announced.Contains(name)) return false;
        if (log is null) result.AddChannel(name);
        var found = result.Scratch;
        var start = found.Count;
        if (_nodes.TryGetValue(name, out var node))
        {
            result.DependsOnHeaders |= node.Matcher.DependsOnHeaders;
            result.DependsOnKey |= node.Matcher.DependsOnKey;
            result.Varies |= node.Matcher.Varies;
            node.Matcher.Match(routingKey, headers, found);
            if (node.History is { IsDeleted: false } history) AddHistory(history, headers, result);
        }
        if (isRecord) RemoveLater(found, start, position, result);
        var isRuled = node is not null && AddRuled(node, position, result);
        if (found.Count == start && !isRuled)
        {
            // What a log keeps has arrived somewhere.
            if (!isRecord && facet is not null && (facet.AlternateTopic ?? alternate(name)) is { } other) Walk(new TopicName(name.Namespace, other), routingKey, headers, result, default);
            return true;
        }
        for (var i = start; i < found.Count; i++)
        {
            // Routes of the topics behind this one are added behind those of this one, and removed again.
            var end = found.Count;
            if (found[i].Topic is { } topic) Walk(topic, routingKey, headers, result, default);
            else if (!found[i].Queue!.IsDeleted) result.AddQueue(found[i].Queue!);
            found.RemoveRange(end, found.Count - end);
        }
        return true;
    }

    private static void AddHistory(IQueueHandle history, RecordHeaders headers, RouteResult result)
    {
        result.DependsOnHeaders = true;
        if (!headers.TryGetLast(NoHistory, out var value) || !value.Span.SequenceEqual("true"u8)) result.AddHistory(history);
    }

    /// <summary>Adds the routes with rules, but for those that were made after a record was published.</summary>
    private static bool AddRuled(Node node, in LogPosition position, RouteResult result)
    {
        var isRecord = position.Topic != Guid.Empty;
        foreach (var route in node.Ruled)
        {
            if (isRecord && route.FirstOffset(position.Topic, position.Partition) > position.Offset) result.DependsOnOffset = true;
            else result.Add(route);
        }
        return node.Ruled.Count > 0;
    }

    /// <summary>Takes out the routes that were made after a record was published.</summary>
    private static void RemoveLater(List<LiveRoute> found, int start, in LogPosition position, RouteResult result)
    {
        for (var i = found.Count - 1; i >= start; i--)
        {
            if (found[i].Route.FirstOffset(position.Topic, position.Partition) <= position.Offset) continue;
            found.RemoveAt(i);
            result.DependsOnOffset = true;
        }
    }

    private ExchangeFacet? FacetOf(TopicName name, out bool isDeclared)
    {
        isDeclared = true;
        if (_nodes.TryGetValue(name, out var node) && node.Declared is { } declared) return declared;
        if (name.Name.StartsWith("amq.", StringComparison.Ordinal) && Predeclared.TryGetValue(name.Name, out var facet)) return facet;
        isDeclared = false;
        return null;
    }

    private void Remove(LiveRoute live, Removed gone)
    {
        var route = live.Route;
        if (!_nodes.TryGetValue(route.Source, out var node) || !node.Routes.Remove(route)) return;
        node.Matcher.Remove(live);
        if (live.Queue is not null) RemoveFrom(_toQueue, live.Queue.Id, live);
        else RemoveFrom(_toTopic, live.Topic!, live);
        gone.Sources.Add(route.Source);
        if (route.IsDurable) gone.Routes.Add(route);
        Touch();
        if (node.Routes.Count > 0) return;
        if (node.Declared is null)
        {
            if (node.Ruled.Count == 0) _nodes.Remove(route.Source);
        }
        else if (node.Declared.AutoDelete) RemoveNode(route.Source, gone);
    }

    private void RemoveNode(TopicName name, Removed gone)
    {
        if (!_nodes.Remove(name, out var node)) return;
        if (node.Ruled.Count > 0)
        {
            // What its front end made stays until that takes it back.
            var left = new Node(RouteMatchers.Create(ExchangeFacet.Default, random));
            left.Ruled.AddRange(node.Ruled);
            _nodes[name] = left;
        }
        if (topics.Find(name) is null) statistics.OnTopicDeleted(name);
        if (node.Declared is { IsDurable: true }) gone.Topics.Add(name);
        gone.Sources.Add(name);
        foreach (var live in node.Routes.Values)
        {
            if (live.Queue is not null) RemoveFrom(_toQueue, live.Queue.Id, live);
            else RemoveFrom(_toTopic, live.Topic!, live);
            if (live.Route.IsDurable) gone.Routes.Add(live.Route);
        }
        if (_toTopic.TryGetValue(name, out var leading))
            foreach (var live in leading.ToArray()) Remove(live, gone);
        Touch();
    }

    private static void AddTo<TKey>(Dictionary<TKey, List<LiveRoute>> index, TKey key, LiveRoute route)
        where TKey : notnull
    {
        if (!index.TryGetValue(key, out var routes)) index[key] = routes = [];
        routes.Add(route);
    }

    private static void RemoveFrom<TKey>(Dictionary<TKey, List<LiveRoute>> index, TKey key, LiveRoute route)
        where TKey : notnull
    {
        if (!index.TryGetValue(key, out var routes)) return;
        routes.Remove(route);
        if (routes.Count == 0) index.Remove(key);
    }
}
