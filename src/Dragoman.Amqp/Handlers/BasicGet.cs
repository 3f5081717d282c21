using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Topology;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Security;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Amqp.Handlers;

/// <summary>Hands over one message, if there is one.</summary>
internal sealed class BasicGetHandler : ChannelMethod<BasicGet>
{
    protected override async ValueTask HandleAsync(Channel channel, BasicGet method)
    {
        var session = channel.Session;
        var queue = Queues.FindOpen(channel, method.Queue);
        session.Require(Operations.Read, ResourceKind.Queue, queue.Name.Name);
        var text = Queues.Describe(session, queue.Name.Name);
        if (queue.Settings.Retention is not null) throw Errors.NotImplemented($"basic.get not supported by stream queues {text}");
        if (queue.Settings.Subscription.Dispatch == DispatchMode.Failover)
        {
            throw new ChannelException(
                ReplyCode.ResourceLocked,
                $"cannot obtain access to locked {text}. basic.get operations are not supported by {QueueDeclaration.Of(queue.Settings).Type} queues with single active consumer");
        }
        // What this connection has published before may be what it asks for.
        await session.Publishes.WaitForAllAsync().ConfigureAwait(false);
        if (await channel.GetterAsync(queue, method.NoAck).ConfigureAwait(false) is not { } holder) throw Errors.NoQueue(queue.Name.Name, session.VirtualHost);
        var answer = await holder.Consumer.ReceiveAsync(1).ConfigureAwait(false);
        if (answer.Status == QueueStatus.NotFound) throw Errors.NoQueue(queue.Name.Name, session.VirtualHost);
        if (answer.Deliveries is not { Count: > 0 } deliveries)
        {
            answer.Deliveries?.Dispose();
            channel.Counters.AddAlone(MessageCounter.GetEmpty, 1);
            channel.Send(default(BasicGetEmpty));
            return;
        }
        var counts = await queue.GetCountsAsync().ConfigureAwait(false);
        Send(channel, holder, method.NoAck, deliveries, counts.Ready);
    }

    private static void Send(Channel channel, GetHolder holder, bool noAck, DeliveryBatch deliveries, long left)
    {
        using (deliveries)
        using (var properties = new DeliveredProperties())
        {
            ref readonly var delivery = ref deliveries[0];
            var message = deliveries.Message(0);
            // As RabbitMQ: one that is fetched is told of its first delivery, too.
            var tellsCount = QueueDeclaration.Of(holder.Queue.Settings).Type == "quorum";
            properties.Read(message.Headers, message.Key, message.Timestamp, default, tellsCount ? delivery.Count - 1 : -1);
            channel.SendGot(holder, noAck, delivery, properties, message.Value.Span, left);
        }
    }
}
