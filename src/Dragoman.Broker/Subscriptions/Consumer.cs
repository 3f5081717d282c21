namespace Dragoman.Broker.Subscriptions;

/// <summary>A consumer whose subscription this node owns. Its fields are guarded by the subscription's lock.</summary>
internal sealed class Consumer(Subscription subscription, ConsumerOptions options, IDeliverySink sink) : IConsumer
{
    public ConsumerOptions Options { get; } = options;

    public IDeliverySink Sink { get; } = sink;

    /// <summary>Messages it may still get; <see cref="int.MaxValue"/> for any number.</summary>
    public int Credit { get; set; }

    /// <summary>Bytes it may still get; <see cref="long.MaxValue"/> for any number.</summary>
    public long ByteCredit { get; set; }

    /// <summary>Messages it holds.</summary>
    public int Held { get; set; }

    /// <summary>Whether it gets no more messages by itself.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>Whether it is over.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Whether its turn comes: it is in the ring.</summary>
    public bool IsInRing { get; set; }

    public Consumer? RingNext { get; set; }

    public Consumer? RingPrevious { get; set; }

    /// <summary>What it gets from the pass that is under way.</summary>
    public DeliveryBatch? Outgoing { get; set; }

    public bool HasCredit => Credit > 0 && ByteCredit > 0 && !IsCancelled;

    /// <summary>Takes the credit that a message costs.</summary>
    public void Spend(int bytes)
    {
        if (Credit != int.MaxValue) Credit--;
        if (ByteCredit != long.MaxValue) ByteCredit -= bytes;
    }

    public void Grant(int messages, long bytes = long.MaxValue) => subscription.Grant(this, messages, bytes);

    public void Pause() => subscription.Pause(this);

    public int Settle(Settlement settlement, ReadOnlySpan<OffsetRange> offsets) => subscription.Settle(this, settlement, offsets);

    public ValueTask<SubscriptionAnswer> SettleAsync(Settlement settlement, ReadOnlyMemory<OffsetRange> offsets) =>
        subscription.SettleAsync(this, settlement, offsets);

    public ValueTask<ReceiveAnswer> ReceiveAsync(int maxMessages) => subscription.ReceiveAsync(this, maxMessages);

    public ValueTask CancelAsync()
    {
        subscription.Cancel(this);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        subscription.Close(this);
        return ValueTask.CompletedTask;
    }
}
