using System.Collections.Immutable;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Routing;

/// <summary>
/// The queues in which messages of topics of type <see cref="ExchangeTypes.Delayed"/> wait: one for each such topic, as
/// durable as it is. What is due leaves its queue as a dead letter would, through the topic and in one commit with its
/// arrival, but without a history; so it is never lost and never there twice.
/// </summary>
/// <param name="queues">The queues.</param>
/// <param name="find">Tells how a topic routes, if it is one of these.</param>
/// <param name="scheduler">Runs what is to be done for a topic.</param>
internal sealed class HoldingQueues(Queues.Queues queues, Func<TopicName, ExchangeFacet?> find, IScheduler scheduler)
{
    private const string Prefix = "amq.delayed.";
    private const string Attribute = "holds-for";

    /// <summary>Messages that are taken at a time: they are on their way as soon as they are taken.</summary>
    private const int Credit = 1000;

    private readonly Lock _lock = new();

    /// <summary>What is being done for a topic, one thing after the other, and how many of them are not done yet.</summary>
    private readonly Dictionary<TopicName, (Task Last, int Count)> _work = [];

    /// <summary>The queue in which messages of a topic wait.</summary>
    public static QueueName NameFor(TopicName topic) => new(topic.Namespace, Prefix + topic.Name);

    /// <summary>The topic for which a queue holds messages; null for any other queue.</summary>
    public static TopicName? TopicOf(IQueueHandle queue) =>
        queue.Settings.Attributes.TryGetValue(Attribute, out var topic) ? new TopicName(queue.Name.Namespace, topic) : null;

    /// <summary>Whether settings are those of a queue that holds messages: no policy is meant for it.</summary>
    public static bool IsHolding(QueueSettings settings) => settings.Attributes.ContainsKey(Attribute);

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
            var after = scheduler.Run("delayed topic", () => RefreshAfterAsync(before, topic));
            _work[topic] = (after, work.Count + 1);
            return after;
        }
    }

    private async Task RefreshAfterAsync(Task before, TopicName topic)
    {
        await before;
        var facet = find(topic);
        var queue = Find(topic);
        if (facet is not null) queue ??= await CreateAsync(topic, facet);
        if (facet is null && queue is not null) await queues.DeleteAsync(queue, DeleteConditions.None, default);
        else if (queue is LocalQueue local && local.TakeHolding()) await new Holder(local).ConsumeAsync();
        lock (_lock)
        {
            var (last, count) = _work[topic];
            if (count == 1) _work.Remove(topic);
            else _work[topic] = (last, count - 1);
        }
    }

    private async Task<IQueueHandle?> CreateAsync(TopicName topic, ExchangeFacet facet)
    {
        var settings = QueueSettings.Default with
        {
            IsDurable = facet.IsDurable,
            Subscription = SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget(null, topic.Name, null) },
            Attributes = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, [KeyValuePair.Create(Attribute, topic.Name)]),
        };
        return (await queues.DeclareAsync(NameFor(topic), settings, default)).Queue is { } queue && TopicOf(queue) is not null ? queue : null;
    }

    /// <summary>Sends on what is due.</summary>
    private sealed class Holder(LocalQueue queue) : IDeliverySink
    {
        public async Task ConsumeAsync()
        {
            var answer = await queue.ConsumeAsync(new ConsumerOptions { Name = "delay" }, this, default);
            answer.Consumer?.Grant(Credit);
        }

        void IDeliverySink.OnDeliveries(IConsumer consumer, DeliveryBatch deliveries)
        {
            using (deliveries)
            {
                for (var i = 0; i < deliveries.Count; i++) consumer.Settle(Settlement.Reject, [OffsetRange.Of(deliveries[i].Offset)]);
                consumer.Grant(deliveries.Count);
            }
        }

        void IDeliverySink.OnEnded(IConsumer consumer, ConsumerEnd reason)
        {
            if (reason == ConsumerEnd.Moved) _ = ConsumeAsync();
        }
    }
}
