using System.Buffers;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.Framing;

namespace Dragoman.Amqp.Sessions;

/// <summary>One channel of a connection: what arrives on it, and what its client has not acknowledged.</summary>
internal sealed class Channel : IDisposable
{
    private static readonly TimeSpan BudgetPatience = TimeSpan.FromSeconds(30);

    private readonly ContentAssembly _content;
    private readonly Publisher _publisher;
    private readonly Lock _consumersLock = new();
    private readonly Dictionary<string, ConsumerSource> _consumers = new(StringComparer.Ordinal);
    private readonly List<ConsumerSource> _cancelled = [];
    private readonly Dictionary<(Guid Queue, bool NoAck), GetHolder> _getters = [];
    private volatile bool _closing;
    private volatile bool _released;
    private long _lastTagMethod;
    private long _shortestWait = long.MaxValue;

    public Channel(AmqpSession session, ushort number)
    {
        Session = session;
        Number = number;
        Counters = session.Live.Registry.OpenChannel(AmqpSession.CountedAs);
        _content = new ContentAssembly(session.FrontEnd.Gathered);
        _publisher = new Publisher(this);
    }

    /// <summary>The connection.</summary>
    public AmqpSession Session { get; }

    /// <summary>Its number.</summary>
    public ushort Number { get; }

    /// <summary>
    /// What is counted of its messages: publishes and acknowledgements by the loop that reads, confirms under their source's
    /// lock, and what is handed out under <see cref="DeliveryLock"/>.
    /// </summary>
    public MessageCounters Counters { get; }

    /// <summary>Guards the tags of deliveries and the order in which they are sent.</summary>
    public Lock DeliveryLock { get; } = new();

    /// <summary>What the client has not acknowledged. Guarded by <see cref="DeliveryLock"/>.</summary>
    public UnackedTable Unacked { get; } = new();

    /// <summary>Whether the client may hear of it.</summary>
    public bool IsOpen => !_closing && !_released;

    /// <summary>Whether the server has closed it and waits for the client to have understood.</summary>
    public bool IsClosing => _closing;

    /// <summary>Whether a content frame must come next.</summary>
    public bool ExpectsContent => _content.IsUnderWay;

    /// <summary>Whether a message is arriving that takes memory which others wait for.</summary>
    public bool IsGathering => _content.IsCharged;

    /// <summary>The confirms, once they were asked for.</summary>
    public ConfirmSource? Confirms { get; set; }

    /// <summary>What is done when the transaction is committed, once the channel is transactional.</summary>
    public Transaction? Transaction { get; set; }

    /// <summary>The queue that was declared last: what an empty name means.</summary>
    public string LastQueue { get; set; } = "";

    /// <summary>Messages that a consumer that is yet to come takes before it settles some; 0 for any number.</summary>
    public int ConsumerPrefetch { get; set; }

    /// <summary>The consumers, by their tags.</summary>
    public IReadOnlyDictionary<string, ConsumerSource> Consumers => _consumers;

    /// <summary>The consumer of direct replies, if there is one.</summary>
    public DirectReplies? Replies { get; set; }

    /// <summary>Whether a method that gives out a delivery tag is not written yet. Guarded by <see cref="DeliveryLock"/>.</summary>
    public bool HasUnwrittenTags => _lastTagMethod > Session.Output.Drained;

    /// <summary>Sends a method.</summary>
    public void Send<T>(T method)
        where T : struct, IMethod<T> => Session.Output.Send(Number, method);

    /// <summary>Takes in <c>basic.publish</c>.</summary>
    public void BeginContent(ReadOnlySpan<byte> arguments)
    {
        Session.HasPublished = true;
        _content.Begin(arguments);
    }

    /// <summary>Takes in a header frame.</summary>
    public ValueTask OnContentHeader(in ReadOnlySequence<byte> payload)
    {
        if (_content.AddHeader(payload, Session.FrontEnd.Options.MaxMessageBytes)) Publish(ReadOnlySequence<byte>.Empty);
        return default;
    }

    /// <summary>Takes in a body frame.</summary>
    public ValueTask OnContentBody(in ReadOnlySequence<byte> payload)
    {
        var needed = _content.NeededFor(payload);
        if (needed > 0) return GatherAsync(payload, needed);
        if (_content.AddBody(payload, out var body)) Publish(body);
        return default;
    }

    /// <summary>Adds a consumer.</summary>
    public void AddConsumer(ConsumerSource consumer)
    {
        lock (_consumersLock) _consumers.Add(consumer.Tag, consumer);
        _shortestWait = Math.Min(_shortestWait, consumer.AcknowledgeWithin);
    }

    /// <summary>Takes a consumer out, if it is there.</summary>
    public ConsumerSource? TakeConsumer(string tag)
    {
        lock (_consumersLock) return _consumers.Remove(tag, out var consumer) ? consumer : null;
    }

    /// <summary>What it is at the moment; from any thread.</summary>
    public LiveChannel Describe()
    {
        LiveConsumer[] consumers;
        lock (_consumersLock) consumers = [.. _consumers.Values.Select(static c => c.Describe())];
        int unacked;
        lock (DeliveryLock) unacked = Unacked.Count;
        var transaction = Transaction;
        return new LiveChannel
        {
            Number = Number,
            Counters = Counters,
            Confirms = Confirms is not null,
            IsTransactional = transaction is not null,
            Prefetch = ConsumerPrefetch,
            GlobalPrefetch = Shared.Max,
            Unacknowledged = unacked,
            Unconfirmed = Confirms?.Outstanding ?? 0,
            Uncommitted = transaction?.Publishes ?? 0,
            UncommittedSettlements = transaction?.Settlements ?? 0,
            Consumers = consumers,
        };
    }

    /// <summary>Ends a consumer's deliveries; what the client has of it can still be settled.</summary>
    public async ValueTask CancelAsync(ConsumerSource consumer)
    {
        Session.Flush();
        await consumer.CancelAsync().ConfigureAwait(false);
        _cancelled.Add(consumer);
    }

    /// <summary>Limits what all consumers together hold; 0 for no limit.</summary>
    public void LimitAll(int prefetch)
    {
        Shared.Limit(prefetch);
        RefillAll();
    }

    /// <summary>Lets all consumers have what they may take now.</summary>
    public void RefillAll()
    {
        foreach (var consumer in _consumers.Values) consumer.Refill();
    }

    /// <summary>What all consumers of the channel together may hold.</summary>
    public SharedPrefetch Shared { get; } = new();

    /// <summary>The holder of what is got from a queue.</summary>
    /// <returns>Null if the queue is gone.</returns>
    public async ValueTask<GetHolder?> GetterAsync(IQueueHandle queue, bool noAck)
    {
        if (_getters.TryGetValue((queue.Id, noAck), out var known)) return known;
        var holder = new GetHolder(this, queue);
        if (!await holder.OpenAsync(noAck).ConfigureAwait(false)) return null;
        _getters.Add((queue.Id, noAck), holder);
        _shortestWait = Math.Min(_shortestWait, holder.AcknowledgeWithin);
        return holder;
    }

    /// <summary>Sends a message that was asked for.</summary>
    /// <param name="holder">Who holds it.</param>
    /// <param name="noAck">Whether it is settled already.</param>
    /// <param name="delivery">The delivery.</param>
    /// <param name="properties">What AMQP says of the message.</param>
    /// <param name="body">Its body.</param>
    /// <param name="left">Messages that are left in the queue.</param>
    public void SendGot(GetHolder holder, bool noAck, in Delivery delivery, DeliveredProperties properties, ReadOnlySpan<byte> body, long left)
    {
        lock (DeliveryLock)
        {
            Counters.AddAlone(noAck ? MessageCounter.GetNoAck : MessageCounter.Get, 1);
            if (delivery.Count > 1) Counters.AddAlone(MessageCounter.Redeliver, 1);
            var tag = noAck ? Unacked.Skip() : Unacked.Add(holder, delivery.Offset, Session.Now);
            var method = new BasicGetOk
            {
                DeliveryTag = tag,
                Redelivered = delivery.Count > 1,
                Exchange = System.Text.Encoding.UTF8.GetString(properties.Exchange),
                RoutingKey = System.Text.Encoding.UTF8.GetString(properties.RoutingKey),
                MessageCount = (uint)Math.Min(left, uint.MaxValue),
            };
            Session.Output.Send(Number, method, properties.Encoded, body, Session.FrameMax);
            _lastTagMethod = Session.Output.Added;
        }
    }

    /// <summary>Sends a direct reply.</summary>
    public void SendReply(string consumerTag, string routingKey, ReadOnlySpan<byte> properties, in ReadOnlySequence<byte> body)
    {
        lock (DeliveryLock)
        {
            if (!IsOpen) return;
            var method = new BasicDeliver { ConsumerTag = consumerTag, DeliveryTag = Unacked.Skip(), Exchange = "", RoutingKey = routingKey };
            Session.Output.Send(Number, method, properties, body, Session.FrameMax);
            _lastTagMethod = Session.Output.Added;
        }
    }

    /// <summary>Settles deliveries, now or when the transaction is committed.</summary>
    /// <exception cref="ChannelException">There is no such delivery.</exception>
    public void Settle(Settlement settlement, ulong tag, bool multiple)
    {
        if (!multiple)
        {
            UnackedTable.Entry entry;
            bool found;
            lock (DeliveryLock) found = Unacked.TryTake(tag, out entry);
            if (!found) throw Errors.Precondition($"unknown delivery tag {tag}");
            Count(settlement, 1);
            Settle(settlement, entry);
            return;
        }
        var taken = Session.TakenDeliveries;
        taken.Clear();
        bool any;
        lock (DeliveryLock) any = Unacked.TryTakeUpTo(tag, taken);
        // Zero is all there are, and none is all there may be.
        if (!any && tag != 0) throw Errors.Precondition($"unknown delivery tag {tag}");
        Count(settlement, taken.Count);
        foreach (var entry in taken) Settle(settlement, entry);
        taken.Clear();
    }

    /// <summary>Whether the client has held a message for too long; from any thread.</summary>
    public bool HoldsTooLong(long now)
    {
        lock (DeliveryLock) return Unacked.Count > 0 && Unacked.TryGetOverdue(now, Volatile.Read(ref _shortestWait), out _);
    }

    /// <summary>Closes the channel if its client has held a message for too long.</summary>
    public void CheckAcknowledgements(long now)
    {
        if (!IsOpen) return;
        UnackedTable.Entry overdue;
        lock (DeliveryLock)
            if (!Unacked.TryGetOverdue(now, _shortestWait, out overdue)) return;
        var milliseconds = (long)Session.FrontEnd.Broker.Time.GetElapsedTime(0, overdue.Holder!.AcknowledgeWithin).TotalMilliseconds;
        BeginClose(
            ReplyCode.PreconditionFailed,
            $"delivery acknowledgement on channel {Number} timed out. Timeout value used: {milliseconds} ms. This timeout value can be configured, see consumers doc guide to learn more",
            default);
    }

    /// <summary>Lets everything that is not acknowledged come again.</summary>
    public void Recover()
    {
        var taken = Session.TakenDeliveries;
        taken.Clear();
        lock (DeliveryLock) Unacked.TryTakeUpTo(0, taken);
        foreach (var entry in taken) entry.Holder!.Settle(Settlement.Return, entry.Offset);
        taken.Clear();
    }

    /// <summary>The broker has ended a consumer: its queue is gone.</summary>
    public void OnConsumerEnded(ConsumerSource consumer) => Session.Post(() =>
    {
        if (!IsOpen || TakeConsumer(consumer.Tag) is null) return default;
        lock (DeliveryLock) Shared.Return(Unacked.Forget(consumer));
        if (Session.Announces("consumer_cancel_notify")) Send(new BasicCancel { ConsumerTag = consumer.Tag, NoWait = true });
        return default;
    });

    /// <summary>Tells the client why the channel is closed, and waits for it to have understood.</summary>
    public void BeginClose(ReplyCode code, string text, MethodId method)
    {
        if (_closing) return;
        _closing = true;
        Session.OnChannelError(this, code, text);
        Release();
        Send(new ChannelClose { Code = (ushort)code, Text = $"{code.Name()} - {text}", ClassId = method.Class, MethodId = method.Method });
    }

    /// <summary>Lets go of all that the channel holds: what the client has not settled goes back.</summary>
    public void Release()
    {
        var releasing = ReleaseAsync();
        if (!releasing.IsCompletedSuccessfully) Session.Observe(releasing);
    }

    /// <summary>As <see cref="Release"/>; completes when it is done.</summary>
    public async ValueTask ReleaseAsync()
    {
        if (_released) return;
        _released = true;
        Dispose();
        ConsumerSource[] consumers = [.. _consumers.Values, .. _cancelled];
        var getters = _getters.Values.ToArray();
        lock (_consumersLock) _consumers.Clear();
        _cancelled.Clear();
        _getters.Clear();
        foreach (var consumer in consumers) await consumer.CloseAsync().ConfigureAwait(false);
        foreach (var getter in getters) await getter.CloseAsync().ConfigureAwait(false);
        Session.Live.Registry.CloseChannel(AmqpSession.CountedAs, Counters);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _content.Dispose();
        _publisher.Dispose();
        Transaction?.Dispose();
        Replies?.Dispose();
    }

    private void Count(Settlement settlement, int count)
    {
        if (settlement == Settlement.Acknowledge) Counters.AddAlone(MessageCounter.Ack, count);
    }

    private void Settle(Settlement settlement, in UnackedTable.Entry entry)
    {
        if (Transaction is { } transaction) transaction.Settle(settlement, entry);
        else entry.Holder!.Settle(settlement, entry.Offset);
    }

    private void Publish(in ReadOnlySequence<byte> body)
    {
        try
        {
            _publisher.Publish(_content, body);
        }
        finally
        {
            _content.End();
        }
    }

    private async ValueTask GatherAsync(ReadOnlySequence<byte> payload, int needed)
    {
        // What the connection has gathered itself is worth more than the place of a newcomer, so waiting is bounded.
        if (!await Session.FrontEnd.Gathered.TakeAsync(needed, _content.IsLarge ? BudgetShare.LargePublish : BudgetShare.Publish, BudgetPatience, Session.FrontEnd.Broker.Time, default).ConfigureAwait(false))
            throw Errors.Precondition("there is no memory for the message: other connections hold too much");
        _content.Charge(needed);
        if (_content.AddBody(payload, out var body)) Publish(body);
    }
}
