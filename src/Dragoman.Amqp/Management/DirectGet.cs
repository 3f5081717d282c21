using System.Text;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Topology;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;
using Dragoman.Broker.Subscriptions;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Amqp.Management;

/// <summary>Gets messages from a queue without a connection.</summary>
internal static class DirectGet
{
    /// <summary>All of an answer is in memory, and in JSON again: it gets no more messages once its bodies come to this many bytes.</summary>
    private const long MaxBytes = 64 << 20;

    private const int BytesBeside = 512;
    private const int AtOnce = 64;

    /// <summary>Gets messages that are ready, and settles them.</summary>
    /// <exception cref="ChannelException">The client may not, or the queue gives none this way.</exception>
    public static async ValueTask<IReadOnlyList<AmqpGot>> RunAsync(AmqpCaller caller, IQueueHandle queue, int count, AmqpGetMode mode)
    {
        var text = AmqpTopology.Text(caller, "queue", queue.Name.Name);
        var declaration = QueueDeclaration.Of(queue.Settings);
        AmqpTopology.Require(caller, Operations.Read, ResourceKind.Queue, queue.Name.Name);
        if (queue.Settings.Retention is not null) throw Errors.NotImplemented($"basic.get not supported by stream queues {text}");
        if (declaration.IsExclusive) throw ExclusiveQueues.Locked(text);
        if (queue.Settings.Subscription.Dispatch == DispatchMode.Failover)
        {
            throw new ChannelException(
                ReplyCode.ResourceLocked, $"cannot obtain access to locked {text}. basic.get operations are not supported by {declaration.Type} queues with single active consumer");
        }
        var opened = await queue.ConsumeAsync(new ConsumerOptions { Name = "management", IsPassive = true }, Nowhere.Instance).ConfigureAwait(false);
        if (opened.Consumer is not { } consumer) throw Errors.NoQueue(queue.Name.Name, caller.VirtualHost);
        await using (consumer.ConfigureAwait(false))
        {
            var ready = (await queue.GetCountsAsync().ConfigureAwait(false)).Ready;
            var got = new List<AmqpGot>();
            var offsets = new List<OffsetRange>();
            for (long bytes = 0; got.Count < count && bytes < MaxBytes;)
            {
                var answer = await consumer.ReceiveAsync(Math.Min(count - got.Count, AtOnce)).ConfigureAwait(false);
                if (answer.Status == QueueStatus.NotFound) throw Errors.NoQueue(queue.Name.Name, caller.VirtualHost);
                using var deliveries = answer.Deliveries;
                if (deliveries is not { Count: > 0 }) break;
                for (var i = 0; i < deliveries.Count; i++)
                {
                    got.Add(Read(deliveries, i, declaration.Type == "quorum", Math.Max(0, ready - got.Count - 1)));
                    bytes += got[^1].Message.Body.Length + BytesBeside;
                    offsets.Add(OffsetRange.Of(deliveries[i].Offset));
                }
            }
            var settlement = mode switch { AmqpGetMode.Acknowledge => Settlement.Acknowledge, AmqpGetMode.Reject => Settlement.Reject, _ => Settlement.Return };
            if (offsets.Count > 0)
            {
                var settled = await consumer.SettleAsync(settlement, offsets.ToArray()).ConfigureAwait(false);
                if (settled.Status != QueueStatus.Ok) throw Errors.Internal(settled.Message ?? settled.Status.ToString());
            }
            return got;
        }
    }

    private static AmqpGot Read(DeliveryBatch deliveries, int index, bool tellsCount, long left)
    {
        using var properties = new DeliveredProperties();
        ref readonly var delivery = ref deliveries[index];
        var message = deliveries.Message(index);
        properties.Read(message.Headers, message.Key, message.Timestamp, default, tellsCount && delivery.Count > 1 ? delivery.Count - 1 : -1);
        var read = new AmqpMessage(
            Encoding.UTF8.GetString(properties.Exchange), Encoding.UTF8.GetString(properties.RoutingKey), MessagePropertiesJson.Read(properties.Encoded), message.Value.Span.ToArray());
        return new AmqpGot(read, delivery.Count > 1, left);
    }

    /// <summary>Nothing is delivered to whoever only asks.</summary>
    private sealed class Nowhere : IDeliverySink
    {
        public static Nowhere Instance { get; } = new();

        public void OnDeliveries(IConsumer consumer, DeliveryBatch deliveries) => deliveries.Dispose();
    }
}
