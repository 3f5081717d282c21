using System.Collections.Immutable;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Routing;

/// <summary>
/// The queues that topics of some type need for themselves: one for each such topic, as durable as it is, there as long as it
/// is, and made again if somebody deletes it. No policy is meant for them.
/// </summary>
/// <param name="queues">The queues.</param>
/// <param name="find">Tells how a topic routes, if it is one of these.</param>
/// <param name="scheduler">Runs what is to be done for a topic.</param>
/// <param name="prefix">What the queues' names begin with; the topic's name follows.</param>
/// <param name="attribute">The attribute of a queue that names its topic.</param>
internal abstract class CompanionQueues(Queues.Queues queues, Func<TopicName, ExchangeFacet?> find, IScheduler scheduler, string prefix, string attribute)
{
    private readonly Lock _lock = new();

    /// <summary>What is being done for a topic, one thing after the other, and how many of them are not done yet.</summary>
    private readonly Dictionary<TopicName, (Task Last, int Count)> _work = [];

    /// <summary>The queues.</summary>
    protected Queues.Queues Queues => queues;

    /// <summary>Whether settings are those of a topic's own queue, of whatever kind.</summary>
    public static bool IsCompanion(QueueSettings settings) => HoldingQueues.IsHolding(settings) || HistoryQueues.IsHistory(settings);

    /// <summary>The topic that a queue belongs to; null for any other queue.</summary>
    public TopicName? TopicOf(IQueueHandle queue) =>
        queue.Settings.Attributes.TryGetValue(attribute, out var topic) ? new TopicName(queue.Name.Namespace, topic) : null;

    /// <summary>A topic's queue; null if it has none at the moment.</summary>
    public IQueueHandle? Find(TopicName topic) => queues.Find(NameFor(topic)) is { } queue && TopicOf(queue) is not null ? queue : null;

    /// <summary>Makes sure that a topic has its queue if it needs one, and none if it does not.</summary>
    public Task RefreshAsync(TopicName topic)
    {
        lock (_lock)
        {
            var isUnderWay = _work.TryGetValue(topic, out var work);
            if (!isUnderWay && find(topic) is null && Find(topic) is null) return Task.CompletedTask;
            var before = work.Last ?? Task.CompletedTask;
            var after = scheduler.Run("queue of a topic", () => RefreshAfterAsync(before, topic));
            _work[topic] = (after, work.Count + 1);
            return after;
        }
    }

    /// <summary>The settings of a topic's queue, but for what all of them have.</summary>
    protected abstract QueueSettings SettingsFor(TopicName topic, ExchangeFacet facet);

    /// <summary>The topic has its queue.</summary>
    protected abstract Task ReadyAsync(TopicName topic, LocalQueue queue);

    private QueueName NameFor(TopicName topic) => new(topic.Namespace, prefix + topic.Name);

    private async Task RefreshAfterAsync(Task before, TopicName topic)
    {
        await before;
        var facet = find(topic);
        var queue = Find(topic);
        if (facet is not null) queue ??= await CreateAsync(topic, facet);
        if (facet is null && queue is not null) await queues.DeleteAsync(queue, DeleteConditions.None, default);
        else if (queue is LocalQueue local) await ReadyAsync(topic, local);
        lock (_lock)
        {
            var (last, count) = _work[topic];
            if (count == 1) _work.Remove(topic);
            else _work[topic] = (last, count - 1);
        }
    }

    private async Task<IQueueHandle?> CreateAsync(TopicName topic, ExchangeFacet facet)
    {
        var settings = SettingsFor(topic, facet) with
        {
            IsDurable = facet.IsDurable,
            Attributes = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, [KeyValuePair.Create(attribute, topic.Name)]),
        };
        return (await queues.DeclareAsync(NameFor(topic), settings, default)).Queue is { } queue && TopicOf(queue) is not null ? queue : null;
    }
}
