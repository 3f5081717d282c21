using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Tests.Queues;

/// <summary>A message as a test remembers it.</summary>
internal sealed record Received(long Offset, int Count, string Text, long Lease = 0);

/// <summary>A consumer that keeps what it gets.</summary>
internal sealed class TestConsumer : IDeliverySink
{
    private readonly Lock _lock = new();
    private readonly List<Received> _received = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IConsumer Consumer { get; private set; } = null!;

    public ConsumerEnd? Ended { get; private set; }

    public bool IsActive { get; private set; }

    public IReadOnlyList<Received> Received
    {
        get
        {
            lock (_lock) return [.. _received];
        }
    }

    public static async Task<TestConsumer> OpenAsync(IQueueHandle queue, int credit = int.MaxValue, ConsumerOptions? options = null)
    {
        var sink = new TestConsumer();
        var answer = await queue.ConsumeAsync(options ?? new ConsumerOptions(), sink);
        Assert.Equal(QueueStatus.Ok, answer.Status);
        sink.Consumer = answer.Consumer!;
        if (credit > 0) sink.Consumer.Grant(credit);
        return sink;
    }

    /// <summary>Waits until so many messages have come, in all.</summary>
    public async Task<IReadOnlyList<Received>> WaitForAsync(int count) => await WaitUntilAsync(() => _received.Count >= count) ? Received : throw new TimeoutException($"{_received.Count} of {count} messages came.");

    public async Task<bool> WaitUntilAsync(Func<bool> condition)
    {
        var limit = DateTime.UtcNow.AddSeconds(30);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (condition()) return true;
                changed = _changed.Task;
            }
            var left = limit - DateTime.UtcNow;
            if (left <= TimeSpan.Zero) return false;
            await Task.WhenAny(changed, Task.Delay(left));
        }
    }

    public ValueTask<SubscriptionAnswer> SettleAsync(Settlement settlement, params IReadOnlyList<long> offsets) =>
        Consumer.SettleAsync(settlement, offsets.Select(OffsetRange.Of).ToArray());

    public void OnDeliveries(IConsumer consumer, DeliveryBatch deliveries)
    {
        lock (_lock)
        {
            for (var i = 0; i < deliveries.Count; i++) _received.Add(Read(deliveries, i));
        }
        deliveries.Dispose();
        Changed();
    }

    public static Received Read(DeliveryBatch deliveries, int index)
    {
        ref readonly var delivery = ref deliveries[index];
        var message = deliveries.Message(index);
        Assert.Equal(delivery.Offset, message.Offset);
        return new Received(delivery.Offset, delivery.Count, Encoding.UTF8.GetString(message.Value.Span), delivery.Lease);
    }

    public static List<Received> ReadAll(DeliveryBatch? deliveries)
    {
        var all = new List<Received>();
        for (var i = 0; i < (deliveries?.Count ?? 0); i++) all.Add(Read(deliveries!, i));
        deliveries?.Dispose();
        return all;
    }

    public void OnActivity(IConsumer consumer, bool isActive)
    {
        IsActive = isActive;
        Changed();
    }

    public void OnEnded(IConsumer consumer, ConsumerEnd reason)
    {
        Ended = reason;
        Changed();
    }

    private void Changed()
    {
        lock (_lock)
        {
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public static MessageBatch Batch(params IEnumerable<string> texts)
    {
        var batch = MessageBatch.Rent();
        foreach (var text in texts) batch.Add(new MessageProperties { Timestamp = 1000 }, default, Encoding.UTF8.GetBytes(text));
        return batch;
    }
}
