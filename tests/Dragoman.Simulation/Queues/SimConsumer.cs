using System.Text;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Simulation.Queues;

/// <summary>A consumer on a connection: what it holds is its own until it lets go, or the broker dies.</summary>
internal sealed class SimConsumer(QueueSimModel model, SimScheduler sim, int number, ConsumerOptions options) : IDeliverySink
{
    public IConsumer Consumer { get; set; } = null!;

    public ConsumerOptions Options => options;

    public bool HasEnded { get; private set; }

    public List<SimMessage> Held { get; } = [];

    public void OnDeliveries(IConsumer consumer, DeliveryBatch deliveries)
    {
        for (var i = 0; i < deliveries.Count; i++)
        {
            ref readonly var delivery = ref deliveries[i];
            var text = Encoding.UTF8.GetString(deliveries.Message(i).Value.Span);
            sim.Note($"{this} gets {text} at {delivery.Offset}, {delivery.Count}");
            var message = model.Deliver(text, delivery.Offset, delivery.Count, this, 0, TimeSpan.MaxValue);
            if (!options.AutoAcknowledge)
            {
                Held.Add(message);
                continue;
            }
            message.AckAsked = message.IsGoneForNow = true;
            message.Holder = null;
        }
        deliveries.Dispose();
    }

    public void OnEnded(IConsumer consumer, ConsumerEnd reason) => HasEnded = true;

    /// <summary>Takes what it will settle out of what it holds.</summary>
    public List<SimMessage> Take(SimRandom random)
    {
        var taken = new List<SimMessage>();
        for (var i = Held.Count - 1; i >= 0; i--)
        {
            if (!random.OneIn(2)) continue;
            taken.Add(Held[i]);
            Held.RemoveAt(i);
        }
        return taken;
    }

    public override string ToString() => $"consumer {number}";
}
