using Dragoman.Broker.Queues;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Who wants messages, and whose turn it is.</summary>
internal sealed partial class Subscription
{
    private readonly ConsumerRing _ring = new();
    private readonly List<Consumer> _consumers = [];
    private readonly List<Consumer> _passive = [];
    private readonly Queue<ReceiveRequest> _receives = new();

    /// <summary>The consumer that gets messages, where there is one at a time.</summary>
    private Consumer? _active;

    private bool HasOneActive => _settings.Dispatch is DispatchMode.Failover or DispatchMode.Exclusive;

    /// <summary>Somebody who waits for messages apart from any credit.</summary>
    private sealed class ReceiveRequest(Consumer consumer, int maxMessages)
    {
        public Consumer Consumer { get; } = consumer;

        public int MaxMessages { get; } = maxMessages;

        public DeliveryBatch? Deliveries { get; set; }

        public TaskCompletionSource<ReceiveAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public ConsumeAnswer Consume(ConsumerOptions options, IDeliverySink sink)
    {
        var consumer = new Consumer(this, options, sink);
        bool isActive;
        lock (Gate)
        {
            if (_isDeleted) return new ConsumeAnswer(QueueStatus.NotFound, null);
            if (options.IsPassive)
            {
                _passive.Add(consumer);
                return new ConsumeAnswer(QueueStatus.Ok, consumer);
            }
            var wantsItself = options.IsExclusive || _settings.Dispatch == DispatchMode.Exclusive;
            if (_consumers.Count > 0 && (wantsItself || _consumers[0].Options.IsExclusive))
                return new ConsumeAnswer(QueueStatus.InUse, null);
            _consumers.Add(consumer);
            isActive = Activate();
        }
        if (isActive) sink.OnActivity(consumer, isActive: true);
        return new ConsumeAnswer(QueueStatus.Ok, consumer);
    }

    /// <summary>Chooses the active consumer where there is one at a time and none is; whether one was chosen.</summary>
    private bool Activate()
    {
        if (!HasOneActive || _active is not null) return false;
        Consumer? best = null;
        foreach (var consumer in _consumers)
            if (best is null || consumer.Options.Priority > best.Options.Priority) best = consumer;
        if (best is null) return false;
        _active = best;
        if (best.HasCredit) _ring.Add(best);
        return true;
    }

    public void Grant(Consumer consumer, int messages, long bytes)
    {
        lock (Gate)
        {
            if (consumer.IsCancelled) return;
            consumer.Credit = messages == int.MaxValue || consumer.Credit == int.MaxValue ? int.MaxValue
                : (int)Math.Min((long)consumer.Credit + messages, int.MaxValue - 1);
            consumer.ByteCredit = bytes == long.MaxValue || consumer.ByteCredit == long.MaxValue ? long.MaxValue : consumer.ByteCredit + bytes;
            if (!consumer.HasCredit || consumer.IsInRing || (HasOneActive && consumer != _active)) return;
            _ring.Add(consumer);
        }
        Schedule();
    }

    public void Pause(Consumer consumer)
    {
        lock (Gate)
        {
            consumer.Credit = 0;
            consumer.ByteCredit = 0;
            _ring.Remove(consumer);
        }
    }

    public void Cancel(Consumer consumer)
    {
        Consumer? activated;
        lock (Gate) activated = CancelLocked(consumer);
        if (activated is null) return;
        activated.Sink.OnActivity(activated, isActive: true);
        Schedule();
    }

    /// <summary>Takes a consumer out; returns the one that is active in its place.</summary>
    private Consumer? CancelLocked(Consumer consumer)
    {
        if (consumer.IsCancelled) return null;
        consumer.IsCancelled = true;
        _ring.Remove(consumer);
        if (!_consumers.Remove(consumer)) _passive.Remove(consumer);
        if (_active != consumer) return null;
        _active = null;
        return Activate() ? _active : null;
    }

    public void Close(Consumer consumer)
    {
        Consumer? activated;
        lock (Gate)
        {
            if (consumer.IsClosed) return;
            activated = CancelLocked(consumer);
            consumer.IsClosed = true;
            ReturnAll(consumer);
        }
        activated?.Sink.OnActivity(activated, isActive: true);
        Schedule();
    }

    /// <summary>What a consumer holds goes back.</summary>
    private void ReturnAll(Consumer consumer)
    {
        if (consumer.Held == 0) return;
        var held = new List<(long Offset, Lease Lease)>(consumer.Held);
        foreach (var (offset, lease) in _leases)
            if (lease.Holder == consumer) held.Add((offset, lease));
        foreach (var (offset, lease) in held)
        {
            _leases.Remove(offset);
            Return(offset, lease, isCounted: true);
        }
        consumer.Held = 0;
    }

    public ValueTask<ReceiveAnswer> ReceiveAsync(Consumer consumer, int maxMessages)
    {
        var request = new ReceiveRequest(consumer, maxMessages);
        lock (Gate)
        {
            if (_isDeleted || consumer.IsClosed) return ValueTask.FromResult(new ReceiveAnswer(QueueStatus.NotFound, null));
            _receives.Enqueue(request);
        }
        Schedule();
        return new ValueTask<ReceiveAnswer>(request.Answer.Task);
    }

    private void EndReceives(QueueStatus status)
    {
        while (true)
        {
            ReceiveRequest? request;
            lock (Gate)
            {
                if (!_receives.TryDequeue(out request)) return;
            }
            request.Answer.TrySetResult(new ReceiveAnswer(request.Deliveries is null ? status : QueueStatus.Ok, request.Deliveries));
        }
    }
}
