using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Tests.Queues.Model;

/// <summary>A consumer of a story, and what it got since somebody looked.</summary>
internal sealed class ModelConsumer : IDeliverySink
{
    public required ConsumerOptions Options { get; init; }

    /// <summary>The how-manieth it is.</summary>
    public required int Number { get; init; }

    public IConsumer Consumer { get; set; } = null!;

    public long Credit { get; set; }

    public bool IsCancelled { get; set; }

    public bool IsActive { get; private set; }

    public bool HasEnded { get; private set; }

    public List<Received> Arrived { get; } = [];

    public void OnDeliveries(IConsumer consumer, DeliveryBatch deliveries) => Arrived.AddRange(TestConsumer.ReadAll(deliveries));

    public void OnActivity(IConsumer consumer, bool isActive) => IsActive = isActive;

    public void OnEnded(IConsumer consumer, ConsumerEnd reason) => HasEnded = true;

    public override string ToString() => $"consumer {Number}";
}
