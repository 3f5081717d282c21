using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Topology;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Links;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Links.Definitions;
using Dragoman.Links.Messages;
using Dragoman.Protocols;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Links.Ends;

/// <summary>Takes messages from a queue of this broker, whichever protocol fills it, as a consumer that needs no connection.</summary>
internal sealed class LocalSource(Broker.Broker broker, EndDefinition end, string link, int prefetch, FieldTable consumerArguments, bool noAck) : ILinkSource, IDeliverySink
{
    private readonly Arrivals _arrivals = new();
    private readonly DeliveredProperties _properties = new();
    private IQueueHandle? _queue;
    private IConsumer? _consumer;
    private volatile bool _ended;
    private volatile bool _isDeleted;

    public string Uri => end.Uris[0].Shown;

    public bool MayForget => false;

    public Guid QueueId => _queue?.Id ?? Guid.Empty;

    public long ReadyAtStart { get; private set; }

    public bool HasForgotten => false;

    /// <summary>Whether the queue keeps what was read, so that the link has to know where to go on.</summary>
    public bool IsKept => _queue?.Settings.Retention is not null;

    /// <summary>The name of the queue that a source of an exchange has.</summary>
    public static string QueueOf(string link) => RemoteSource.QueueOf(link);

    public async Task OpenAsync(CancellationToken cancellation)
    {
        if (end.Exchange is { } exchange)
        {
            var topic = new TopicName(LocalEnds.SpaceOf(end), exchange);
            if (broker.Routing.Find(topic) is null) throw new LinkException($"NOT_FOUND - no exchange '{exchange}' in vhost '{VirtualHosts.FromNamespace(topic.Namespace)}'");
            _queue = await DeclareAsync(end with { Queue = QueueOf(link) }, cancellation).ConfigureAwait(false);
            var answer = await broker.Routing.BindAsync(topic, _queue, end.Key ?? "", [], cancellation).ConfigureAwait(false);
            if (answer.Status != RoutingStatus.Ok) throw new LinkException(answer.Message ?? $"The binding to '{exchange}' failed: {answer.Status}");
        }
        else
        {
            _queue = await DeclareAsync(end, cancellation).ConfigureAwait(false);
        }
        ReadyAtStart = (await _queue.GetCountsAsync().ConfigureAwait(false)).Ready;
        var position = broker.LinkProgress.Find(link).Position;
        var options = new ConsumerOptions
        {
            Name = $"link {link}",
            Priority = consumerArguments.TryGet("x-priority", out var priority) ? (int)priority.Bits : 0,
            From = position >= 0 ? new ReadFrom(ReadOrigin.Offset, position) : IsKept ? Begin() : default,
        };
        var opened = await _queue.ConsumeAsync(options, this, cancellation).ConfigureAwait(false);
        if (opened.Consumer is null) throw new LinkException($"Queue '{_queue.Name}' takes no consumer: {opened.Status}");
        _consumer = opened.Consumer;
        _consumer.Grant(prefetch);
    }

    public ValueTask<List<LinkMessage>> ReadAsync(int maxMessages, CancellationToken cancellation) => _arrivals.ReadAsync(maxMessages, cancellation);

    public async ValueTask AcknowledgeAsync(IReadOnlyList<LinkMessage> messages, bool alreadyGone, CancellationToken cancellation)
    {
        if (messages.Count == 0) return;
        if (!alreadyGone && !noAck)
        {
            var ranges = messages.Select(m => OffsetRange.Of(m.Number)).ToArray();
            var answer = await _consumer!.SettleAsync(Settlement.Acknowledge, ranges).ConfigureAwait(false);
            // What the link has sent is gone here only now: if that does not last, the next run settles it.
            if (answer.Status != QueueStatus.Ok) throw new LinkException(answer.Message ?? $"Queue '{_queue!.Name}' does not settle: {answer.Status}");
        }
        _consumer!.Grant(messages.Count);
    }

    public ValueTask ConfirmAsync(CancellationToken cancellation) => default;

    public HeldMessages? Hold(IReadOnlyList<LinkMessage> messages) =>
        IsKept || noAck ? null : new HeldMessages(_queue!, _consumer!, [.. messages.Select(m => m.Number)]);

    public async ValueTask DisposeAsync()
    {
        if (_consumer is null) return;
        _consumer.Pause();
        if (!_ended)
        {
            // Nobody has tried what was not sent, so it does not count as delivered.
            await _consumer.CancelAsync().ConfigureAwait(false);
            _arrivals.End(new LinkException("The link has ended."));
            var left = new List<OffsetRange>();
            try
            {
                while (true) left.AddRange((await ReadAsync(int.MaxValue, default).ConfigureAwait(false)).Select(m => OffsetRange.Of(m.Number)));
            }
            catch (LinkException)
            {
                // That was all.
            }
            if (left.Count > 0) _consumer.Settle(Settlement.Release, left.ToArray());
        }
        await _consumer.DisposeAsync().ConfigureAwait(false);
        _consumer = null;
        if (_isDeleted) await ForgetAsync(default).ConfigureAwait(false);
    }

    private async Task<IQueueHandle> DeclareAsync(EndDefinition source, CancellationToken cancellation)
    {
        var isThere = broker.Queues.Find(new QueueName(LocalEnds.SpaceOf(source), source.Queue!)) is not null;
        var queue = await LocalEnds.DeclareAsync(broker, source, cancellation).ConfigureAwait(false);
        if (!isThere) await ForgetAsync(cancellation).ConfigureAwait(false);
        return queue;
    }

    /// <summary>Another queue of the name counts its messages anew: where the link was in the one before says nothing there.</summary>
    private async Task ForgetAsync(CancellationToken cancellation)
    {
        if (broker.LinkProgress.Find(link).Position < 0) return;
        var answer = await broker.LinkProgress.ForgetAsync(link, cancellation).ConfigureAwait(false);
        if (answer.Status != QueueStatus.Ok) throw new LinkException(answer.Message ?? $"What the link has read cannot be forgotten: {answer.Status}");
    }

    void IDeliverySink.OnDeliveries(IConsumer consumer, DeliveryBatch deliveries)
    {
        using (deliveries)
        {
            for (var i = 0; i < deliveries.Count; i++)
            {
                var message = deliveries.Message(i);
                _properties.Read(message.Headers, message.Key, message.Timestamp, default);
                var properties = WireProperties.Decode(_properties.Encoded);
                var (exchange, key) = (System.Text.Encoding.UTF8.GetString(_properties.Exchange), System.Text.Encoding.UTF8.GetString(_properties.RoutingKey));
                _arrivals.Add(new LinkMessage
                {
                    Exchange = exchange,
                    RoutingKey = key,
                    Properties = properties,
                    Body = message.Value.Span.ToArray(),
                    Number = message.Offset,
                    IsRedelivered = deliveries[i].Count > 1,
                    Fingerprint = LinkMessage.FingerprintOf(exchange, key, properties, message.Value.Span),
                });
            }
            if (noAck) Forget(consumer, deliveries);
        }
    }

    void IDeliverySink.OnEnded(IConsumer consumer, ConsumerEnd reason)
    {
        _ended = true;
        _isDeleted = reason == ConsumerEnd.Deleted;
        _arrivals.End(new LinkException(reason switch
        {
            ConsumerEnd.Deleted => "The source queue was deleted.",
            ConsumerEnd.Moved => "The source queue has moved.",
            _ => "The broker stops.",
        }));
    }

    /// <summary>Where to begin in a queue that keeps what was read.</summary>
    private ReadFrom Begin()
    {
        try
        {
            // Whoever carries a stream somewhere else means all of it, unless he says so.
            if (!consumerArguments.TryGet("x-stream-offset", out _)) return new ReadFrom(ReadOrigin.First);
            return StreamArguments.ReadFrom(consumerArguments, $"queue '{_queue!.Name.Name}'", broker.Time.GetUtcNow().ToUnixTimeMilliseconds());
        }
        catch (RequestFailedException refused)
        {
            throw new LinkException($"PRECONDITION_FAILED - {refused.Message}", refused);
        }
    }

    private static void Forget(IConsumer consumer, DeliveryBatch deliveries)
    {
        var ranges = new OffsetRange[deliveries.Count];
        for (var i = 0; i < ranges.Length; i++) ranges[i] = OffsetRange.Of(deliveries[i].Offset);
        consumer.Settle(Settlement.Acknowledge, ranges);
    }
}
