using System.IO.Pipelines;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Amqp.Sessions;

/// <summary>Holds what a channel has got from one queue with <c>basic.get</c>.</summary>
internal sealed class GetHolder(Channel channel, IQueueHandle queue) : MessageHolder(channel, queue), IDeliverySink
{
    /// <summary>Opens the holder's side at the broker.</summary>
    /// <param name="noAck">Whether messages are settled as they are got.</param>
    /// <returns>False if the queue is gone.</returns>
    public async ValueTask<bool> OpenAsync(bool noAck)
    {
        var answer = await Queue.ConsumeAsync(new ConsumerOptions { Name = "basic.get", IsPassive = true, AutoAcknowledge = noAck }, this).ConfigureAwait(false);
        if (answer.Consumer is not { } consumer) return false;
        Consumer = consumer;
        return true;
    }

    /// <summary>Ends it. What the client has goes back.</summary>
    public async ValueTask CloseAsync()
    {
        Flush();
        await Consumer.DisposeAsync().ConfigureAwait(false);
    }

    void IDeliverySink.OnDeliveries(IConsumer consumer, DeliveryBatch deliveries) => deliveries.Dispose();

    public override bool Produce(PipeWriter writer, int budget, out int written)
    {
        written = 0;
        return false;
    }

    protected override void OnSettled(int count)
    {
    }
}
