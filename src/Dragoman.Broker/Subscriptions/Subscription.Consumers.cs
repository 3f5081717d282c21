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

    private bool _hadConsumer;

    private bool HasOneActive => Delivery.Dispatch is DispatchMode.Failover or DispatchMode.Exclusive;

    /// <summary>Somebody who asks for messages apart from any credit: a consumer, or whoever wants timed leases.</summary>
    private sealed class ReceiveRequest(Consumer? consumer, int maxMessages)
    {
        public Consumer? Consumer { get; } = consumer;

        public int MaxMessages { get; } = Math.Min(maxMessages, SubscriptionState.MaxMessagesInStep);

        /// <summary>How long the leases last.</summary>
        public long LeaseMs { get; init; }

        /// <summary>Until when it waits for a message; 0 for not, or not any more.</summary>
        public long WaitUntil { get; set; }

        /// <summary>The number of the leases, once it has one.</summary>
        public long Number { get; set; }

        public long Deadline { get; set; }

        public bool IsAnswered { get; set; }

        public DeliveryBatch? Deliveries { get; set; }

        /// <summary>The key of which it gets messages, as long as there may be more; null for the next one's.</summary>
        public UInt128? Key { get; set; }

        /// <summary>Whether messages of other keys may still be passed over to find more of its key.</summary>
        public bool MayLookAhead => _passed < KeyLookAhead && _passedBytes < KeyLookAheadBytes;

        private int _passed;
        private long _passedBytes;

        /// <summary>A message of another key was passed over.</summary>
        public void NotePassed(int bytes)
        {
            _passed++;
            _passedBytes += bytes;
        }

        public TaskCompletionSource<ReceiveAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public ConsumeAnswer Consume(ConsumerOptions options, IDeliverySink sink)
    {
        var consumer = new Consumer(this, options, sink);
        bool isActive;
        lock (Gate)
        {
            if (IsOver) return new ConsumeAnswer(OverStatus, null);
            if (options.IsPassive)
            {
                _passive.Add(consumer);
                return new ConsumeAnswer(QueueStatus.Ok, consumer);
            }
            var wantsItself = options.IsExclusive || Delivery.Dispatch == DispatchMode.Exclusive;
            if (_consumers.Count > 0 && (wantsItself || _consumers[0].Options.IsExclusive))
                return new ConsumeAnswer(QueueStatus.InUse, null);
            _consumers.Add(consumer);
            _hadConsumer = true;
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
        if (best.HasCredit) AddToRing(best);
        return true;
    }

    private void AddToRing(Consumer consumer)
    {
        Volatile.Write(ref _restsUntilAsked, false);
        _ring.Add(consumer);
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
            AddToRing(consumer);
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
        else if (_consumers.Count == 0) LastConsumerLeft();
        if (_active != consumer) return null;
        _active = null;
        return Activate() ? _active : null;
    }

    public void Close(Consumer consumer)
    {
        Consumer? activated;
        lock (Gate)
        {
            if (consumer.IsClosed || IsOver) return;
            activated = CancelLocked(consumer);
            consumer.IsClosed = true;
            ReturnAll(consumer);
        }
        activated?.Sink.OnActivity(activated, isActive: true);
        Schedule();
    }

    /// <summary>Whether nobody uses it who could: it may go, if it goes with its last consumer or after some time.</summary>
    public bool IsUnused
    {
        get
        {
            lock (Gate)
            {
                if (IsOver || _consumers.Count > 0) return false;
                if (_queueSettings.AutoDelete && _hadConsumer) return true;
                return _queueSettings.ExpiresAfterMs >= 0 && _host.Now >= _lastUsed + _queueSettings.ExpiresAfterMs;
            }
        }
    }

    private void LastConsumerLeft()
    {
        _lastUsed = _host.Now;
        if (_queueSettings.AutoDelete) _host.Scheduler.Post(new Unused(this));
    }

    /// <summary>What a consumer holds goes back.</summary>
    private void ReturnAll(Consumer consumer)
    {
        if (consumer.Held == 0) return;
        var held = new List<(long Offset, Lease Lease)>(consumer.Held);
        foreach (var (offset, lease) in _leases)
            if (lease.Holder == consumer) held.Add((offset, lease));
        var now = _host.Now;
        foreach (var (offset, lease) in held)
        {
            _leases.Remove(offset);
            Return(offset, lease, isCounted: true, delayMs: -1, now);
        }
        consumer.Held = 0;
    }

    public ValueTask<ReceiveAnswer> ReceiveAsync(Consumer consumer, int maxMessages)
    {
        var request = new ReceiveRequest(consumer, maxMessages);
        lock (Gate)
        {
            if (IsOver || consumer.IsClosed) return ValueTask.FromResult(new ReceiveAnswer(OverStatus, null));
            _lastUsed = _host.Now;
            Volatile.Write(ref _restsUntilAsked, false);
            _receives.Enqueue(request);
        }
        Schedule();
        return new ValueTask<ReceiveAnswer>(request.Answer.Task);
    }

    public async ValueTask<ReceiveAnswer> ReceiveAsync(int maxMessages, TimeSpan? lease, TimeSpan wait, CancellationToken cancellation)
    {
        ReceiveRequest request;
        lock (Gate)
        {
            if (IsOver) return new ReceiveAnswer(OverStatus, null);
            var now = _host.Now;
            _lastUsed = now;
            request = new ReceiveRequest(null, maxMessages)
            {
                LeaseMs = lease is { } time ? Math.Max(0, (long)time.TotalMilliseconds) : Delivery.LeaseMs,
                WaitUntil = wait > TimeSpan.Zero ? now + (long)wait.TotalMilliseconds : 0,
            };
            Volatile.Write(ref _restsUntilAsked, false);
            _receives.Enqueue(request);
        }
        RunOrSchedule();
        if (!cancellation.CanBeCanceled) return await request.Answer.Task;
        using (cancellation.UnsafeRegister(static (s, _) => ((Action)s!)(), (Action)(() => StopWaiting(request))))
            return await request.Answer.Task;
    }

    /// <summary>Whoever asked does not wait any longer.</summary>
    private void StopWaiting(ReceiveRequest request)
    {
        lock (Gate) request.WaitUntil = 0;
        Schedule();
    }

    private void SkipAnswered()
    {
        while (_receives.TryPeek(out var request) && request.IsAnswered) _receives.Dequeue();
    }

    private void EndReceives(QueueStatus status)
    {
        while (true)
        {
            ReceiveRequest? request;
            lock (Gate)
            {
                if (!_receives.TryDequeue(out request)) return;
                if (request.IsAnswered) continue;
                request.IsAnswered = true;
            }
            request.Answer.TrySetResult(new ReceiveAnswer(request.Deliveries is null ? status : QueueStatus.Ok, request.Deliveries));
        }
    }
}
