using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Routing;

/// <summary>Where a message goes. Reusable; not safe for concurrent use.</summary>
public sealed class RouteResult
{
    private readonly List<IQueueHandle> _queues = [];
    private readonly List<ITopicHandle> _logs = [];
    private readonly List<TopicName> _channels = [];
    private readonly List<RuledRoute> _routes = [];
    private int _histories;

    /// <summary>The queues, each once.</summary>
    public IReadOnlyList<IQueueHandle> Queues => _queues;

    /// <summary>The topics whose logs keep the message, and carry it on; each once.</summary>
    public IReadOnlyList<ITopicHandle> Logs => _logs;

    /// <summary>
    /// The routes that it may take whose filters have not been asked yet, each once: what they make of it is published with it,
    /// see <see cref="IQueues.PublishAsync(Messages.MessageBatch, IReadOnlyList{IQueueHandle}, IReadOnlyList{RuledRoute}, Dragoman.Storage.Journal.CommitMode?, CancellationToken)"/>.
    /// </summary>
    public IReadOnlyList<RuledRoute> Routes => _routes;

    /// <summary>
    /// The topics without a log that it passes, each once: whoever listens to them at the moment hears it. A log's
    /// listeners hear what is committed there.
    /// </summary>
    public IReadOnlyList<TopicName> Channels => _channels;

    /// <summary>Whether the message's headers counted: then another message with the same routing key may go elsewhere.</summary>
    public bool DependsOnHeaders { get; internal set; }

    /// <summary>Whether the routing key counted: then a message with another one may go elsewhere.</summary>
    public bool DependsOnKey { get; internal set; }

    /// <summary>Whether another message may go elsewhere although nothing of it differs.</summary>
    public bool Varies { get; internal set; }

    /// <summary>Whether a route was left out because it was made after the record was published.</summary>
    internal bool DependsOnOffset { get; set; }

    /// <summary>The version of the routing that this follows from.</summary>
    public long Version { get; internal set; }

    /// <summary>Whether somebody gets it: a queue in which its topic keeps what was last published is nobody.</summary>
    public bool HasReceivers => _queues.Count > _histories || _logs.Count > 0 || _routes.Count > 0;

    /// <summary>Whether it goes nowhere.</summary>
    public bool IsEmpty => _queues.Count == 0 && _logs.Count == 0 && _routes.Count == 0;

    internal HashSet<TopicName> Visited { get; } = [];

    internal List<LiveRoute> Scratch { get; } = [];

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _queues.Clear();
        _histories = 0;
        _logs.Clear();
        _channels.Clear();
        _routes.Clear();
        Visited.Clear();
        DependsOnHeaders = false;
        DependsOnKey = false;
        DependsOnOffset = false;
        Varies = false;
    }

    /// <summary>Adds a queue that was found in another way, unless it is there.</summary>
    public void AddQueue(IQueueHandle queue)
    {
        if (!_queues.Contains(queue)) _queues.Add(queue);
    }

    internal void AddHistory(IQueueHandle queue)
    {
        if (_queues.Contains(queue)) return;
        _queues.Add(queue);
        _histories++;
    }

    internal void Add(RuledRoute route)
    {
        if (!_routes.Contains(route)) _routes.Add(route);
    }

    internal void AddChannel(TopicName name)
    {
        if (!_channels.Contains(name)) _channels.Add(name);
    }

    internal void Add(ITopicHandle log)
    {
        if (!_logs.Contains(log)) _logs.Add(log);
    }
}
