using System.Collections.Concurrent;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Statistics;

namespace Dragoman.Admin.Statistics;

/// <summary>
/// Looks at all counters every five seconds, so that there are rates, as long as somebody has asked for such within the
/// last ten minutes; otherwise it does nothing at all. Of the node and its namespaces it remembers a day, of anything else
/// the last two looks, and more from when samples of it were first asked for.
/// </summary>
internal sealed class Sampler : IDisposable
{
    /// <summary>How far apart looks are.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>How long it goes on after somebody has asked.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly AdminNode _node;
    private readonly NodeFigures _figures;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<object, Series> _series = new(ReferenceEqualityComparer.Instance);
    private readonly ConcurrentDictionary<NamespaceName, object> _namespaceKeys = new();
    private readonly object _nodeKey = new();
    private long _askedAt;
    private bool _isRunning;
    private bool _isDisposed;
    private int _round;

    public Sampler(AdminNode node)
    {
        _node = node;
        _figures = node.Figures;
        _timer = node.Broker.Time.CreateTimer(static state => ((Sampler)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether it looks at all.</summary>
    public bool IsRunning => Volatile.Read(ref _isRunning);

    /// <summary>How many things it remembers.</summary>
    public int Count => _series.Count;

    private long Now => _node.Broker.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Somebody asks for figures: rates are there from the second look on.</summary>
    public void Touch()
    {
        Volatile.Write(ref _askedAt, Now);
        if (IsRunning) return;
        lock (_lock)
        {
            if (_isRunning || _isDisposed) return;
            Look();
            Volatile.Write(ref _isRunning, true);
            _timer.Change(Interval, Interval);
        }
    }

    /// <summary>What is remembered of the node.</summary>
    public Series? OfNode => _series.GetValueOrDefault(_nodeKey);

    /// <summary>What is remembered of a namespace.</summary>
    public Series? Of(NamespaceName space) => _namespaceKeys.TryGetValue(space, out var key) ? _series.GetValueOrDefault(key) : null;

    /// <summary>What is remembered of a queue, a connection or an object that counts.</summary>
    public Series? Of(object key) => _series.GetValueOrDefault(key);

    /// <summary>As <see cref="Of(object)"/>, and remembers more from now on.</summary>
    public Series? Watch(object key)
    {
        var series = Of(key);
        series?.Watch(Now + (long)Patience.TotalMilliseconds);
        return series;
    }

    /// <summary>Forgets everything, as if nobody had asked.</summary>
    public void Reset()
    {
        lock (_lock) _series.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock) _isDisposed = true;
        _timer.Dispose();
    }

    private void OnTimer()
    {
        lock (_lock)
        {
            if (_isDisposed || !_isRunning) return;
            if (Now - Volatile.Read(ref _askedAt) > Patience.TotalMilliseconds)
            {
                Volatile.Write(ref _isRunning, false);
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _series.Clear();
                return;
            }
            Look();
        }
    }

    private void Look()
    {
        var now = Now;
        _round++;
        Span<long> values = stackalloc long[Figures.OfNode];
        var sums = _node.Broker.Statistics.SumByNamespace(_node.Broker.Queues);
        var spaces = new Dictionary<NamespaceName, long[]>();
        foreach (var space in _figures.Namespaces)
        {
            var ofSpace = new long[Figures.OfNamespace];
            if (sums.TryGetValue(space, out var counted)) counted.CopyTo(ofSpace, 0);
            spaces.TryAdd(space, ofSpace);
        }
        foreach (var queue in _node.Broker.Queues.All)
        {
            var ofQueue = values[..Figures.OfQueue];
            NodeFigures.Read(queue, ofQueue);
            Add(queue, ofQueue, now);
            if (!spaces.TryGetValue(queue.Name.Namespace, out var ofSpace)) continue;
            for (var i = Figures.Messages; i < Figures.OfQueue; i++) ofSpace[i] += ofQueue[i];
        }
        foreach (var (_, counters) in _node.Broker.Statistics.Topics) AddCounters(counters, values, now);
        foreach (var connection in _node.Connections.All)
        {
            values[Figures.ConnectionReceived] = connection.ReceivedBytes;
            values[Figures.ConnectionSent] = connection.SentBytes;
            Add(connection, values[..Figures.OfConnection], now);
            if (spaces.TryGetValue(connection.Namespace, out var ofSpace))
            {
                ofSpace[Figures.Received] += connection.ReceivedBytes;
                ofSpace[Figures.Sent] += connection.SentBytes;
            }
            if (connection.Channels is not { } channels) continue;
            foreach (var counters in channels.Counters) AddCounters(counters, values, now);
        }
        foreach (var (space, ofSpace) in spaces)
        {
            var key = _namespaceKeys.GetOrAdd(space, static _ => new object());
            Add(key, ofSpace, now, keeps: true);
        }
        _figures.Read(values);
        Add(_nodeKey, values, now, keeps: true);
        foreach (var (key, series) in _series)
            if (series.Round != _round) _series.TryRemove(key, out _);
    }

    private void AddCounters(MessageCounters counters, Span<long> values, long now)
    {
        var some = values[..MessageCounters.Count];
        some.Clear();
        counters.AddTo(some);
        Add(counters, some, now);
    }

    private void Add(object key, ReadOnlySpan<long> values, long now, bool keeps = false)
    {
        var series = _series.GetOrAdd(key, static _ => new Series());
        if (keeps) series.Watch(long.MaxValue);
        series.Round = _round;
        series.Add(values, now);
    }
}
