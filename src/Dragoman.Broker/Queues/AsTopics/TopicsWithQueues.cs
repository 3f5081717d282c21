using System.Runtime.CompilerServices;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Queues.AsTopics;

/// <summary>
/// All that can be read and written by offset: the topics that keep a log, and the queues, seen as topics under the prefix
/// that is theirs. What is created, deleted or changed here is a topic.
/// </summary>
internal sealed class TopicsWithQueues : ITopics, IQueueObserver
{
    private readonly ITopics _topics;
    private readonly Queues _queues;
    private readonly ConditionalWeakTable<LocalQueue, QueueTopic> _seen = [];
    private long _changes;

    public TopicsWithQueues(ITopics topics, Queues queues)
    {
        _topics = topics;
        _queues = queues;
        queues.AddObserver(this);
    }

    public long Version => _topics.Version + Volatile.Read(ref _changes);

    public ITopicHandle? Find(TopicName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!name.IsOfQueue) return _topics.Find(name);
        return _queues.Find(new QueueName(name.Namespace, name.Name[TopicName.QueuePrefix.Length..])) is LocalQueue queue ? View(queue) : null;
    }

    public ITopicHandle? Find(Guid id) => _topics.Find(id) ?? (_queues.Find(id) is LocalQueue queue ? View(queue) : null);

    public IReadOnlyList<ITopicHandle> List()
    {
        var all = new List<ITopicHandle>(_topics.List());
        foreach (var queue in _queues.List()) all.Add(View((LocalQueue)queue));
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name.ToString(), b.Name.ToString()));
        return all;
    }

    public ValueTask<TopicAnswer> CreateAsync(TopicName name, int partitions, TopicSettings settings, CancellationToken cancellation) =>
        _topics.CreateAsync(name, partitions, settings, cancellation);

    public ValueTask<TopicAnswer> DeleteAsync(TopicName name, CancellationToken cancellation) => _topics.DeleteAsync(name, cancellation);

    public ValueTask<TopicAnswer> AddPartitionsAsync(TopicName name, int newCount, CancellationToken cancellation) => _topics.AddPartitionsAsync(name, newCount, cancellation);

    public ValueTask<TopicAnswer> ChangeSettingsAsync(TopicName name, Func<TopicSettings, TopicSettings> change, CancellationToken cancellation) =>
        _topics.ChangeSettingsAsync(name, change, cancellation);

    public void AddObserver(ITopicObserver observer) => _topics.AddObserver(observer);

    void IQueueObserver.OnCreated(IQueueHandle queue) => Interlocked.Increment(ref _changes);

    void IQueueObserver.OnDeleted(IQueueHandle queue) => Interlocked.Increment(ref _changes);

    private QueueTopic View(LocalQueue queue) => _seen.GetValue(queue, q => new QueueTopic(_queues, q));
}
