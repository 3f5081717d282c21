using System.Collections.Concurrent;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Statistics;

/// <summary>
/// What this node has counted since it was started. Queues and topics have counters of their own; a namespace's are what
/// concerns neither, and what queues had counted that are gone. So nothing is counted twice on its way, and sums never
/// fall.
/// </summary>
public sealed class BrokerStatistics
{
    private readonly ConcurrentDictionary<NamespaceName, MessageCounters> _namespaces = new();
    private readonly ConcurrentDictionary<TopicName, MessageCounters> _topics = new();
    private readonly Lock _retirement = new();
    private long _queuesDeclared;
    private long _queuesCreated;
    private long _queuesDeleted;

    internal BrokerStatistics()
    {
    }

    /// <summary>How often queues were declared, whether they were there or not.</summary>
    public long QueuesDeclared => Interlocked.Read(ref _queuesDeclared);

    /// <summary>Queues that were made.</summary>
    public long QueuesCreated => Interlocked.Read(ref _queuesCreated);

    /// <summary>Queues that were deleted.</summary>
    public long QueuesDeleted => Interlocked.Read(ref _queuesDeleted);

    /// <summary>Counts a declaration that found its queue.</summary>
    public void CountDeclared() => Interlocked.Increment(ref _queuesDeclared);

    /// <summary>
    /// The counters of a namespace: publishes (those to queues, to topics that keep a log, and, where a front end counts
    /// them, those that nobody gets), confirms, and what deleted queues had counted of deliveries.
    /// </summary>
    public MessageCounters Of(NamespaceName space)
    {
        ArgumentNullException.ThrowIfNull(space);
        return _namespaces.TryGetValue(space, out var known) ? known : _namespaces.GetOrAdd(space, static _ => new MessageCounters());
    }

    /// <summary>The counters of a topic; an empty name is the namespace's own queues, AMQP's default exchange.</summary>
    public MessageCounters Of(TopicName topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return _topics.TryGetValue(topic, out var known) ? known : _topics.GetOrAdd(topic, static _ => new MessageCounters());
    }

    /// <summary>The counters of a topic, if anything was counted; else null.</summary>
    public MessageCounters? Find(TopicName topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return _topics.GetValueOrDefault(topic);
    }

    /// <summary>
    /// What a namespace, or the whole node, has counted: its own counters and those of its queues, <see cref="MessageCounter.Publish"/>
    /// apart, which counts a message once, however many queues have taken it.
    /// </summary>
    /// <param name="queues">The queues.</param>
    /// <param name="space">The namespace; null for all.</param>
    /// <param name="totals">Takes the sums, one for each counter.</param>
    public void Sum(IQueues queues, NamespaceName? space, Span<long> totals)
    {
        ArgumentNullException.ThrowIfNull(queues);
        totals.Clear();
        Span<long> ofQueues = stackalloc long[MessageCounters.Count];
        // A queue that is deleted meanwhile is counted here or there, and not in both.
        lock (_retirement)
        {
            foreach (var queue in queues.All)
                if ((space is null || queue.Name.Namespace == space) && !queue.IsDeleted) queue.Counters.AddTo(ofQueues);
            ofQueues[(int)MessageCounter.Publish] = 0;
            foreach (var (name, counters) in _namespaces)
                if (space is null || name == space) counters.AddTo(totals);
        }
        for (var i = 0; i < totals.Length; i++) totals[i] += ofQueues[i];
    }

    /// <summary>As <see cref="Sum"/>, for each namespace that has counted anything, in one pass over the queues.</summary>
    public Dictionary<NamespaceName, long[]> SumByNamespace(IQueues queues)
    {
        ArgumentNullException.ThrowIfNull(queues);
        var sums = new Dictionary<NamespaceName, long[]>();
        Span<long> ofQueue = stackalloc long[MessageCounters.Count];
        lock (_retirement)
        {
            foreach (var (name, counters) in _namespaces)
            {
                var totals = new long[MessageCounters.Count];
                counters.AddTo(totals);
                sums.Add(name, totals);
            }
            foreach (var queue in queues.All)
            {
                if (queue.IsDeleted || !sums.TryGetValue(queue.Name.Namespace, out var totals)) continue;
                ofQueue.Clear();
                queue.Counters.AddTo(ofQueue);
                ofQueue[(int)MessageCounter.Publish] = 0;
                for (var i = 0; i < ofQueue.Length; i++) totals[i] += ofQueue[i];
            }
        }
        return sums;
    }

    /// <summary>The topics that something was counted for.</summary>
    public IEnumerable<KeyValuePair<TopicName, MessageCounters>> Topics
    {
        get
        {
            foreach (var topic in _topics) yield return topic;
        }
    }

    internal void OnQueueCreated()
    {
        Interlocked.Increment(ref _queuesDeclared);
        Interlocked.Increment(ref _queuesCreated);
    }

    /// <summary>A queue is gone: what it had counted stays counted.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="withdraw">Marks it deleted.</param>
    internal void OnQueueDeleted(IQueueHandle queue, Action withdraw)
    {
        Interlocked.Increment(ref _queuesDeleted);
        var counters = Of(queue.Name.Namespace);
        Span<long> values = stackalloc long[MessageCounters.Count];
        lock (_retirement)
        {
            withdraw();
            queue.Counters.AddTo(values);
            values[(int)MessageCounter.Publish] = 0;
            counters.Add(values);
        }
    }

    internal void OnTopicDeleted(TopicName topic) => _topics.TryRemove(topic, out _);
}
