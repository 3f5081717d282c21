using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Routing;

/// <summary>
/// The queues in which messages of topics of type <see cref="ExchangeTypes.Delayed"/> wait. What is due leaves its queue as a
/// dead letter would, through the topic and in one commit with its arrival, but without a history; so it is never lost and
/// never there twice.
/// </summary>
/// <param name="queues">The queues.</param>
/// <param name="find">Tells how a topic routes, if it is one of these.</param>
/// <param name="scheduler">Runs what is to be done for a topic.</param>
internal sealed class HoldingQueues(Queues.Queues queues, Func<TopicName, ExchangeFacet?> find, IScheduler scheduler)
    : CompanionQueues(queues, find, scheduler, "amq.delayed.", Attribute)
{
    private const string Attribute = "holds-for";

    /// <summary>Messages that are taken at a time: they are on their way as soon as they are taken.</summary>
    private const int Credit = 1000;

    /// <summary>Whether settings are those of a queue that holds messages.</summary>
    public static bool IsHolding(QueueSettings settings) => settings.Attributes.ContainsKey(Attribute);

    /// <inheritdoc/>
    protected override QueueSettings SettingsFor(TopicName topic, ExchangeFacet facet) =>
        QueueSettings.Default with { Subscription = SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget(null, topic.Name, null) } };

    /// <inheritdoc/>
    protected override Task ReadyAsync(TopicName topic, LocalQueue queue) => queue.TakeHolding() ? new Holder(queue).ConsumeAsync() : Task.CompletedTask;

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
