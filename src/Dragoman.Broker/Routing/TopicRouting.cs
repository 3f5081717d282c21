using Dragoman.Broker.Channels;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Forwarding;
using Dragoman.Broker.Routing.Matching;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Routing;

/// <summary>
/// The routing of this node. What lasts is in <see cref="RoutingState"/>; what messages are matched with is
/// <see cref="RouteGraph"/>, which also has what is transient. A change is made to both under the state's lock: additions
/// together, removals to the graph first and then, in a commit, to the state as far as the two differ.
/// </summary>
internal sealed class TopicRouting : IRouting, IQueueObserver, ITopicObserver, IDeadLetterRouter
{
    private readonly StateLog _state;
    private readonly BrokerStatistics _statistics;
    private readonly RoutingState _durable;
    private readonly ITopics _topics;
    private readonly RouteGraph _graph;
    private readonly Forwarders _forwarders;
    private readonly HoldingQueues _holding;
    private readonly HistoryQueues _history;

    /// <summary>Restores the routes that were there; those whose queue is gone are dropped.</summary>
    public TopicRouting(Store store, StateLog state, StateLog progress, ITopics topics, Queues.Queues queues, IScheduler scheduler, ForwardingDefects defects, BrokerStatistics statistics, Func<TopicName, string?> alternate, Random random)
    {
        _statistics = statistics;
        _state = state;
        _durable = (RoutingState)state.Machine;
        _topics = topics;
        _graph = new RouteGraph(topics, statistics, alternate, random);
        _forwarders = new Forwarders(store, progress, topics, queues, _graph, scheduler) { Defects = defects };
        _holding = new HoldingQueues(queues, FacetIfDelayed, scheduler);
        _history = new HistoryQueues(queues, FacetIfHistory, scheduler, _graph);
        foreach (var (name, facet) in _durable.Facets) _graph.Put(name, facet);
        foreach (var route in _durable.Routes)
        {
            if (route.Target.Kind == RouteTargetKind.Topic) _graph.Add(route, null);
            else if (queues.Find(route.Target.Id) is { } queue) _graph.Add(route, queue);
        }
    }

    /// <summary>Says that messages may go elsewhere than before, for a reason that is not here.</summary>
    public void Touch() => _graph.Touch();

    public long Version => _graph.Version + _topics.Version;

    public IReadOnlyList<ForwardingProgress> Forwarding => _forwarders.List();

    /// <summary>Begins to carry on what logs hold.</summary>
    /// <param name="channels">Who listens to the channels of a namespace.</param>
    public void Start(Func<NamespaceName, ChannelSpace> channels)
    {
        foreach (var topic in _graph.List())
        {
            if (topic.Facet.MatchedAs == ExchangeTypes.RecentHistory) _history.Attach(topic.Name);
            _ = RefreshCompanionsAsync(topic.Name);
        }
        _forwarders.Channels = channels;
        _forwarders.Start();
    }

    /// <summary>Ends that; completes when nothing is under way any more.</summary>
    public Task StopAsync() => _forwarders.StopAsync();

    public void AddObserver(IForwardingObserver observer) => _forwarders.AddObserver(observer);

    public void Register(IRouteTransformation transformation)
    {
        ArgumentNullException.ThrowIfNull(transformation);
        foreach (var source in _graph.Register(transformation)) _forwarders.Refresh(source);
    }

    /// <summary>Says that a topic is there because of a front end's facet.</summary>
    public void Announce(TopicName name) => _graph.Announce(name, true);

    /// <summary>Takes that back: the topic goes, with its other routes, unless something else keeps it.</summary>
    public void Withdraw(TopicName name)
    {
        _graph.Announce(name, false);
        if (_topics.Find(name) is null) RemoveUndeclared(name);
        _forwarders.Refresh(name);
    }

    /// <summary>Adds a route of a front end's own, or replaces it. What keeps it over a restart is the front end's facet.</summary>
    public void Put(RuledRoute route)
    {
        _graph.Put(route);
        _forwarders.Refresh(route.Source);
    }

    /// <summary>Takes such a route away.</summary>
    public void Remove(TopicName source, Guid id)
    {
        _graph.Remove(source, id);
        _forwarders.Refresh(source);
    }

    /// <summary>Where a topic's log ends now, for a route that begins there: the topic's id, and an offset for each partition.</summary>
    public (Guid Topic, IReadOnlyList<long> Offsets) EndOf(TopicName name) => _topics.Find(name) is { } log ? (log.Id, EndOf(log)) : (Guid.Empty, []);

    public RoutingTopic? Find(TopicName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _graph.Find(name);
    }

    public IReadOnlyList<RoutingTopic> List() => _graph.List();

    public IReadOnlyList<Route> RoutesFrom(TopicName source) => _graph.RoutesFrom(source);

    public IReadOnlyList<Route> RoutesTo(IQueueHandle queue)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return _graph.RoutesTo(queue.Id);
    }

    public IReadOnlyList<Route> RoutesTo(TopicName target) => _graph.RoutesTo(target);

    public bool Resolve(TopicName source, string routingKey, RecordHeaders headers, RouteResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        // Read first: what changes while the graph is walked makes the result old.
        result.Version = Version;
        return _graph.Resolve(source, routingKey, headers, result);
    }

    public async ValueTask<RoutingAnswer> DeclareAsync(TopicName name, ExchangeFacet facet, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(facet);
        var answer = await DeclareFacetAsync(name, facet, cancellation);
        if (answer.Status == RoutingStatus.Ok) await RefreshCompanionsAsync(name);
        return answer;
    }

    private ValueTask<RoutingAnswer> DeclareFacetAsync(TopicName name, ExchangeFacet facet, CancellationToken cancellation)
    {
        if (_graph.Find(name) is { IsDeclared: true } known) return ValueTask.FromResult(new RoutingAnswer(RoutingStatus.Ok, known.Facet));
        if (!facet.IsDurable)
        {
            lock (_state.Lock) return ValueTask.FromResult(Declare(null, name, facet));
        }
        return ExecuteAsync(commit => Declare(commit, name, facet), Store.TypicalCommandBytes + SizeOf(name, facet), cancellation);
    }

    public async ValueTask<RoutingAnswer> DeleteAsync(TopicName name, bool ifUnused, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        var gone = new Removed();
        lock (_state.Lock)
        {
            if (_graph.Find(name) is not { IsDeclared: true } || RouteGraph.IsPredeclared(name)) return new RoutingAnswer(RoutingStatus.NotFound);
            if (ifUnused && _graph.RoutesFrom(name).Length > 0) return new RoutingAnswer(RoutingStatus.InUse);
            _graph.RemoveTopic(name, gone);
        }
        var answer = await CommitAsync(gone, cancellation);
        await RefreshCompanionsAsync(name);
        return answer;
    }

    public IQueueHandle? FindHolding(TopicName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return FacetIfDelayed(name) is null ? null : _holding.Find(name);
    }

    public ValueTask<RoutingAnswer> BindAsync(TopicName source, IQueueHandle queue, string key, IReadOnlyList<RouteArgument> arguments, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return BindAsync(source, new RouteTarget(RouteTargetKind.Queue, queue.Name.Name, queue.Id), queue, queue.Settings.IsDurable, key, arguments, cancellation);
    }

    public ValueTask<RoutingAnswer> BindAsync(TopicName source, TopicName target, string key, IReadOnlyList<RouteArgument> arguments, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (_graph.Find(target) is not { } topic) return ValueTask.FromResult(new RoutingAnswer(RoutingStatus.NotFound));
        return BindAsync(source, new RouteTarget(RouteTargetKind.Topic, target.Name, Guid.Empty), null, topic.Facet.IsDurable, key, arguments, cancellation);
    }

    public ValueTask<RoutingAnswer> UnbindAsync(TopicName source, IQueueHandle queue, string key, IReadOnlyList<RouteArgument> arguments, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return UnbindAsync(source, new RouteTarget(RouteTargetKind.Queue, queue.Name.Name, queue.Id), key, arguments, cancellation);
    }

    public ValueTask<RoutingAnswer> UnbindAsync(TopicName source, TopicName target, string key, IReadOnlyList<RouteArgument> arguments, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(target);
        return UnbindAsync(source, new RouteTarget(RouteTargetKind.Topic, target.Name, Guid.Empty), key, arguments, cancellation);
    }

    void IQueueObserver.OnCreated(IQueueHandle queue) => _graph.Touch();

    void IQueueObserver.OnDeleted(IQueueHandle queue)
    {
        var gone = new Removed();
        lock (_state.Lock) _graph.RemoveRoutesTo(queue.Id, gone);
        // Somebody has deleted what a topic needs.
        if ((_holding.TopicOf(queue) ?? _history.TopicOf(queue)) is { } topic) _ = RefreshCompanionsAsync(topic);
        // Should this not get to the disk, the next start drops routes to queues that are gone.
        _ = CommitAsync(gone, default).AsTask();
    }

    void ITopicObserver.OnChanged(TopicName name)
    {
        if (_topics.Find(name) is null) RemoveUndeclared(name);
        _forwarders.Refresh(name);
    }

    void IDeadLetterRouter.Route(QueueName source, string topic, string routingKey, in MessageView message, List<IQueueHandle> queues, List<ITopicHandle> topics, List<RuledRoute> routes)
    {
        var result = new RouteResult();
        _graph.Resolve(new TopicName(source.Namespace, topic), routingKey, message.Headers, result);
        queues.AddRange(result.Queues);
        topics.AddRange(result.Logs);
        routes.AddRange(result.Routes);
    }

    private ExchangeFacet? FacetIfDelayed(TopicName name) => _graph.Find(name) is { IsDeclared: true, Facet: { Type: ExchangeTypes.Delayed } facet } ? facet : null;

    private ExchangeFacet? FacetIfHistory(TopicName name) => _graph.Find(name) is { IsDeclared: true, Facet: { MatchedAs: ExchangeTypes.RecentHistory } facet } ? facet : null;

    private async Task RefreshCompanionsAsync(TopicName name)
    {
        await _holding.RefreshAsync(name);
        await _history.RefreshAsync(name);
    }

    /// <summary>A topic that was a log alone is gone with it, and so are its routes.</summary>
    private void RemoveUndeclared(TopicName name)
    {
        var gone = new Removed();
        lock (_state.Lock)
        {
            if (_graph.Find(name) is not null) return;
            _statistics.OnTopicDeleted(name);
            _graph.RemoveTopic(name, gone);
        }
        // Should this not get to the disk, the routes lead from or to nothing.
        _ = CommitAsync(gone, default).AsTask();
    }

    private async ValueTask<RoutingAnswer> BindAsync(
        TopicName source, RouteTarget target, IQueueHandle? queue, bool targetIsDurable, string key, IReadOnlyList<RouteArgument> arguments, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(arguments);
        if (_graph.Find(source) is not { } topic) return new RoutingAnswer(RoutingStatus.NotFound);
        if (RouteMatchers.Check(topic.Facet, key, arguments, queue) is { } wrong) return new RoutingAnswer(RoutingStatus.Invalid, null, wrong);
        var route = new Route
        {
            Source = source,
            Target = target,
            Key = key,
            Arguments = arguments,
            IsDurable = topic.Facet.IsDurable && targetIsDurable,
        };
        if (_topics.Find(source) is { } log) route = route with { StartOffsets = EndOf(log), StartsIn = log.Id };
        var known = -1L;
        RoutingAnswer answer;
        if (route.IsDurable)
        {
            answer = await ExecuteAsync(commit => Bind(commit, route, queue, out known), Store.TypicalCommandBytes + route.EncodedSize, cancellation);
        }
        else
        {
            lock (_state.Lock) answer = Bind(null, route, queue, out known);
        }
        if (answer.Status != RoutingStatus.Ok || known <= 0) return answer;
        return await _history.CopyAsync(source, known, queue, queue is null ? new TopicName(source.Namespace, target.Name) : null);
    }

    private async ValueTask<RoutingAnswer> UnbindAsync(TopicName source, RouteTarget target, string key, IReadOnlyList<RouteArgument> arguments, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(arguments);
        var gone = new Removed();
        lock (_state.Lock) _graph.Remove(new Route { Source = source, Target = target, Key = key, Arguments = arguments }, gone);
        return await CommitAsync(gone, cancellation);
    }

    private RoutingAnswer Declare(Commit? commit, TopicName name, ExchangeFacet facet)
    {
        if (_graph.Find(name) is { IsDeclared: true } known) return new RoutingAnswer(RoutingStatus.Ok, known.Facet);
        if (commit is not null) _state.Emit(commit, RoutingState.PutFacet(name, facet));
        _graph.Put(name, facet);
        return new RoutingAnswer(RoutingStatus.Ok);
    }

    /// <summary>Makes a route.</summary>
    /// <param name="commit">Takes the change; null if the route is not durable.</param>
    /// <param name="route">The route.</param>
    /// <param name="queue">The queue that it leads to, or null.</param>
    /// <param name="known">Where that ends of which the target is to get copies, as what comes from now on comes there by itself; -1 for nothing.</param>
    private RoutingAnswer Bind(Commit? commit, Route route, IQueueHandle? queue, out long known)
    {
        known = -1;
        // Either end may have gone while the command waited.
        if (_graph.Find(route.Source) is null || queue is { IsDeleted: true }) return new RoutingAnswer(RoutingStatus.NotFound);
        if (route.Target.Kind == RouteTargetKind.Topic && _graph.Find(new TopicName(route.Source.Namespace, route.Target.Name)) is null) return new RoutingAnswer(RoutingStatus.NotFound);
        if (!_graph.Add(route, queue)) return new RoutingAnswer(RoutingStatus.Ok);
        known = _history.EndOf(route.Source);
        _forwarders.Refresh(route.Source);
        if (commit is not null && !_durable.Routes.Contains(route)) _state.Emit(commit, RoutingState.AddRoute(route));
        return new RoutingAnswer(RoutingStatus.Ok);
    }

    /// <summary>Lets the state forget what is gone from the graph, unless it has come back meanwhile.</summary>
    private ValueTask<RoutingAnswer> CommitAsync(Removed gone, CancellationToken cancellation)
    {
        foreach (var source in gone.Sources)
        {
            _forwarders.Refresh(source);
            _ = RefreshCompanionsAsync(source);
        }
        if (gone.Routes.Count == 0 && gone.Topics.Count == 0) return ValueTask.FromResult(new RoutingAnswer(RoutingStatus.Ok));
        var size = Store.TypicalCommandBytes;
        foreach (var route in gone.Routes) size += 64 + route.EncodedSize;
        foreach (var name in gone.Topics) size += 64 + SizeOf(name, ExchangeFacet.Default);
        return ExecuteAsync(
            commit =>
            {
                foreach (var route in gone.Routes)
                    if (_durable.Routes.Contains(route) && !_graph.Contains(route)) _state.Emit(commit, RoutingState.RemoveRoute(route));
                foreach (var name in gone.Topics)
                    if (_durable.Facets.ContainsKey(name) && _graph.Find(name) is not { IsDeclared: true, Facet.IsDurable: true }) _state.Emit(commit, RoutingState.RemoveFacet(name));
                return new RoutingAnswer(RoutingStatus.Ok);
            },
            size, cancellation, urgent: true);
    }

    private async ValueTask<RoutingAnswer> ExecuteAsync(Func<Commit, RoutingAnswer> decide, int maxBytes, CancellationToken cancellation, bool urgent = false)
    {
        try
        {
            return await _state.ExecuteAsync(CommitMode.Fsync, decide, maxBytes, urgent, cancellation);
        }
        catch (StorageFullException error)
        {
            return new RoutingAnswer(RoutingStatus.Full, null, error.Message);
        }
        catch (StoreFailedException error)
        {
            return new RoutingAnswer(RoutingStatus.StorageError, null, error.Message);
        }
    }

    private static int SizeOf(TopicName name, ExchangeFacet facet)
    {
        var size = 128 + 3 * (name.Namespace.Tenant.Length + name.Namespace.Name.Length + name.Name.Length + facet.Type.Length + (facet.AlternateTopic?.Length ?? 0));
        foreach (var (key, value) in facet.Attributes) size += 16 + 3 * (key.Length + value.Length);
        return size;
    }

    private static long[] EndOf(ITopicHandle topic)
    {
        var ends = new long[topic.Partitions.Count];
        for (var i = 0; i < ends.Length; i++)
            if (topic.Partitions[i].TryGetOffsets(out var offsets)) ends[i] = offsets.HighWatermark;
        return ends;
    }
}
