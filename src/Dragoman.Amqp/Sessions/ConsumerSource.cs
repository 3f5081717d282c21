using System.IO.Pipelines;
using System.Text;
using Dragoman.Amqp.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Protocols.Connections;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// A consumer: takes its messages as the broker hands them out, and writes them when the connection has room for them.
/// Messages are granted by number (the client's prefetch) and by bytes (what may wait here for the connection).
/// </summary>
internal sealed class ConsumerSource : MessageHolder, IDeliverySink, IDisposable
{
    /// <summary>Bytes of messages that may be on their way to the connection.</summary>
    private const long Window = 1 << 20;

    private readonly Lock _lock = new();
    private readonly Queue<(DeliveryBatch Batch, int Count)> _waiting = new();
    private readonly DeliveredProperties _properties = new();
    private readonly byte[] _tagBytes;
    private readonly byte[] _fallbackExchange;
    private readonly bool _tellsDeliveryCount;
    private int _position;
    private int _held;
    private bool _ended;
    private volatile bool _isActive;

    public ConsumerSource(Channel channel, IQueueHandle queue, string tag, bool noAck, int prefetch, bool tellsDeliveryCount)
        : base(channel, queue)
    {
        Tag = tag;
        NoAck = noAck;
        Prefetch = prefetch;
        _tagBytes = Encoding.UTF8.GetBytes(tag);
        _fallbackExchange = [];
        _tellsDeliveryCount = tellsDeliveryCount;
    }

    /// <summary>The consumer's name on its channel.</summary>
    public string Tag { get; }

    /// <summary>Whether messages are settled as they are delivered.</summary>
    public bool NoAck { get; }

    /// <summary>Messages that the client takes before it settles some; 0 for any number.</summary>
    public int Prefetch { get; }

    /// <summary>What it was made with.</summary>
    public string Arguments { get; init; } = "{}";

    /// <summary>What it is at the moment.</summary>
    public LiveConsumer Describe()
    {
        var isOneOfMany = Queue.Settings.Subscription.Dispatch == DispatchMode.Failover;
        return new LiveConsumer
        {
            Tag = Tag,
            Queue = Queue.Name,
            Settles = !NoAck,
            Prefetch = Prefetch,
            IsExclusive = Consumer?.Options.IsExclusive ?? false,
            IsOneOfMany = isOneOfMany,
            IsActive = !isOneOfMany || _isActive,
            Arguments = Arguments,
        };
    }

    private bool IsShared => !NoAck && Channel.Shared.IsLimited;

    /// <summary>Begins deliveries, once the client has been told that they may come.</summary>
    public void Start(IConsumer consumer)
    {
        Consumer = consumer;
        if (IsShared) Refill();
        else consumer.Grant(NoAck || Prefetch == 0 ? int.MaxValue : Prefetch, Window);
    }

    /// <summary>Grants anew what the consumer may take, after a limit or what counts against it has changed.</summary>
    public void Refill()
    {
        if (NoAck) return;
        Consumer.Pause();
        var own = Prefetch == 0 ? int.MaxValue : Math.Max(0, Prefetch - Volatile.Read(ref _held));
        if (Math.Min(own, Channel.Shared.Left) is > 0 and var left) Consumer.Grant(left, Window);
    }

    /// <summary>Ends deliveries. What was not written yet goes back; what the client has, it may still settle.</summary>
    public async ValueTask CancelAsync()
    {
        await Consumer.CancelAsync().ConfigureAwait(false);
        GiveBack();
    }

    /// <summary>Ends it. What the client has goes back too.</summary>
    public async ValueTask CloseAsync()
    {
        Flush();
        await CancelAsync().ConfigureAwait(false);
        await Consumer.DisposeAsync().ConfigureAwait(false);
    }

    void IDeliverySink.OnDeliveries(IConsumer consumer, DeliveryBatch deliveries)
    {
        var kept = NoAck ? deliveries.Count : Channel.Shared.Take(deliveries.Count);
        Interlocked.Add(ref _held, kept);
        lock (_lock)
        {
            if (_ended)
            {
                Channel.Shared.Return(NoAck ? 0 : kept);
                kept = 0;
            }
            else if (kept > 0)
            {
                _waiting.Enqueue((deliveries, kept));
                Channel.Session.Output.Announce(this);
            }
        }
        if (kept < deliveries.Count) Release(consumer, deliveries, kept);
        if (kept == 0) deliveries.Dispose();
        if (!IsShared || Channel.Shared.Left > 0) return;
        consumer.Pause();
        // What the client settled in between has been granted before the pause.
        if (Channel.Shared.Left > 0) Refill();
    }

    void IDeliverySink.OnActivity(IConsumer consumer, bool isActive) => _isActive = isActive;

    void IDeliverySink.OnEnded(IConsumer consumer, ConsumerEnd reason) => Channel.OnConsumerEnded(this);

    public override bool Produce(PipeWriter writer, int budget, out int written)
    {
        written = 0;
        var bytes = 0L;
        try
        {
            while (written < budget)
            {
                DeliveryBatch batch;
                int count;
                lock (_lock)
                {
                    if (_ended || !_waiting.TryPeek(out var next)) return false;
                    (batch, count) = next;
                    // A delivery must not overtake the method that its tag or its consumer depends on.
                    lock (Channel.DeliveryLock)
                    {
                        if (!Channel.IsOpen) return false;
                        if (Channel.HasUnwrittenTags) return true;
                        for (; _position < count && written < budget; _position++)
                        {
                            written += Write(writer, batch, _position);
                            bytes += batch[_position].Size;
                        }
                    }
                    if (_position < count) return true;
                    _waiting.Dequeue();
                    _position = 0;
                }
                batch.Dispose();
            }
            return true;
        }
        finally
        {
            if (bytes > 0) Consumer.Grant(0, bytes);
        }
    }

    protected override void OnSettled(int count)
    {
        Interlocked.Add(ref _held, -count);
        Channel.Shared.Return(count);
        if (IsShared) Channel.RefillAll();
        else if (Prefetch > 0) Consumer.Grant(count, 0);
    }

    private int Write(PipeWriter writer, DeliveryBatch batch, int index)
    {
        ref readonly var delivery = ref batch[index];
        var message = batch.Message(index);
        var isRedelivery = delivery.Count > 1;
        _properties.Read(message.Headers, message.Key, message.Timestamp, _fallbackExchange, _tellsDeliveryCount && isRedelivery ? delivery.Count - 1 : -1, IsStream ? delivery.Offset : -1);
        var counters = Channel.Counters;
        counters.AddAlone(NoAck ? MessageCounter.DeliverNoAck : MessageCounter.Deliver, 1);
        if (isRedelivery) counters.AddAlone(MessageCounter.Redeliver, 1);
        var tag = NoAck ? Channel.Unacked.Skip() : Channel.Unacked.Add(this, delivery.Offset, Channel.Session.Now);
        return DeliveryWriter.Write(writer, Channel, _tagBytes, tag, isRedelivery, _properties, message.Value.Span);
    }

    /// <summary>Lets what was not written go back, as if it had not been delivered.</summary>
    private void GiveBack()
    {
        lock (_lock)
        {
            if (_ended) return;
            _ended = true;
            while (_waiting.TryDequeue(out var waiting))
            {
                Release(Consumer, waiting.Batch, _position, waiting.Count);
                Channel.Shared.Return(NoAck ? 0 : waiting.Count - _position);
                waiting.Batch.Dispose();
                _position = 0;
            }
            Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _properties.Dispose();

    /// <summary>Lets messages go back to their places, as if they had not been delivered.</summary>
    private static void Release(IConsumer consumer, DeliveryBatch batch, int from, int to = int.MaxValue)
    {
        Span<OffsetRange> range = stackalloc OffsetRange[1];
        for (var i = from; i < Math.Min(to, batch.Count); i++)
        {
            range[0] = OffsetRange.Of(batch[i].Offset);
            consumer.Settle(Settlement.Release, range);
        }
    }
}
