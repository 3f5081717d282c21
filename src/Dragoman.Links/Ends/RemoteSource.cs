using Dragoman.Amqp.Wire;
using Dragoman.Broker.Links;
using Dragoman.Links.Definitions;
using Dragoman.Links.Messages;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Dragoman.Links.Ends;

/// <summary>How messages are taken from a broker elsewhere.</summary>
/// <param name="End">The broker, and the queue or exchange.</param>
/// <param name="Link">What the link is called, over all brokers.</param>
/// <param name="ConnectionName">What the connection is called there.</param>
/// <param name="Prefetch">Messages under way at once.</param>
/// <param name="ConsumerArguments">The arguments of the consumer.</param>
internal sealed record RemoteSourceOptions(EndDefinition End, string Link, string ConnectionName, int Prefetch, FieldTable ConsumerArguments)
{
    /// <summary>Acknowledges as soon as a message arrives.</summary>
    public bool NoAck { get; init; }

    /// <summary>Has more done before consuming begins, such as bindings made.</summary>
    public Func<RemoteConnection, CancellationToken, Task>? Prepare { get; init; }

    /// <summary>Whether it consumes only once it is told to.</summary>
    public bool BeginsPaused { get; init; }

    /// <summary>The consumer's tag; empty for one that the broker there makes.</summary>
    public string ConsumerTag { get; init; } = "";
}

/// <summary>
/// Takes messages from a queue of a broker elsewhere. It is acknowledged there only what the target has, in the order in which
/// it came; what is under way is bounded by the prefetch count.
/// </summary>
internal sealed class RemoteSource(RemoteSourceOptions options) : ILinkSource
{
    private readonly Arrivals _arrivals = new();
    private RemoteConnection? _connection;
    private IChannel? _channel;
    private PrivateQueues? _private;
    private string _queue = "";
    private bool _mustSign;
    private volatile string? _tag;

    public string Uri => _connection?.Uri.Shown ?? options.End.Uris[0].Shown;

    public bool MayForget => true;

    public Guid QueueId => Guid.Empty;

    public long ReadyAtStart { get; private set; }

    public bool HasForgotten { get; private set; }

    /// <summary>The connection.</summary>
    public RemoteConnection Connection => _connection!;

    /// <summary>The name of the queue that a source of an exchange has there.</summary>
    public static string QueueOf(string link) => $"{new PrivateQueues(null!, link).Progress}.source";

    public async Task OpenAsync(CancellationToken cancellation)
    {
        _connection = await RemoteConnection.OpenAsync(options.End.Uris, options.ConnectionName, cancellation).ConfigureAwait(false);
        _ = WatchAsync(_connection);
        _queue = options.End.Queue ?? QueueOf(options.Link);
        if (options.Prepare is { } prepare) await prepare(_connection, cancellation).ConfigureAwait(false);
        else if (options.End.Queue is not null) await _connection.DeclareAsync(options.End, cancellation).ConfigureAwait(false);
        else await BindAsync(_connection, cancellation).ConfigureAwait(false);
        _private = new PrivateQueues(_connection, options.Link);
        HasForgotten = await _private.WasStartedAnewAsync(cancellation).ConfigureAwait(false);
        _mustSign = HasForgotten;
        _channel = await _connection.OpenChannelAsync(cancellation).ConfigureAwait(false);
        _channel.ChannelShutdownAsync += (_, reason) =>
        {
            _arrivals.End(new LinkException(reason.ReplyText));
            return Task.CompletedTask;
        };
        ReadyAtStart = await _channel.MessageCountAsync(_queue, cancellation).ConfigureAwait(false);
        await _channel.BasicQosAsync(0, (ushort)options.Prefetch, global: false, cancellation).ConfigureAwait(false);
        if (!options.BeginsPaused) await ConsumeAsync(true, cancellation).ConfigureAwait(false);
    }

    /// <summary>Begins to consume, or ends it; what has arrived is carried on all the same.</summary>
    public async Task ConsumeAsync(bool wanted, CancellationToken cancellation)
    {
        if (wanted == _tag is not null) return;
        if (_tag is { } tag)
        {
            _tag = null;
            await _channel!.BasicCancelAsync(tag, noWait: false, cancellation).ConfigureAwait(false);
            return;
        }
        var consumer = new AsyncEventingBasicConsumer(_channel!);
        consumer.ReceivedAsync += OnReceivedAsync;
        consumer.UnregisteredAsync += (_, _) => OnCancelledAsync();
        _tag = await _channel!.BasicConsumeAsync(
            _queue, autoAck: false, options.ConsumerTag, noLocal: false, exclusive: false, Fields.ToDictionary(options.ConsumerArguments), consumer, cancellation).ConfigureAwait(false);
    }

    public ValueTask<List<LinkMessage>> ReadAsync(int maxMessages, CancellationToken cancellation) => _arrivals.ReadAsync(maxMessages, cancellation);

    public async ValueTask AcknowledgeAsync(IReadOnlyList<LinkMessage> messages, bool alreadyGone, CancellationToken cancellation)
    {
        // All that came before was acknowledged before, so one acknowledgement does for all.
        if (!options.NoAck && messages.Count > 0) await _channel!.BasicAckAsync((ulong)messages[^1].Number, multiple: true, cancellation).ConfigureAwait(false);
    }

    public async ValueTask ConfirmAsync(CancellationToken cancellation)
    {
        // Methods of a channel are carried out in order, so with this answer the acknowledgements have been.
        if (options.NoAck) return;
        await _channel!.MessageCountAsync(_queue, cancellation).ConfigureAwait(false);
        // What the broker there had forgotten comes before all that is new, so by now it has come.
        if (!_mustSign) return;
        _mustSign = false;
        await _private!.SignAsync(cancellation).ConfigureAwait(false);
    }

    public HeldMessages? Hold(IReadOnlyList<LinkMessage> messages) => null;

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null) await _channel.DisposeAsync().ConfigureAwait(false);
        if (_connection is not null) await _connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A queue of the link's own, which outlives its connection: what comes while the link is down waits.</summary>
    private async Task BindAsync(RemoteConnection connection, CancellationToken cancellation)
    {
        var arguments = new Dictionary<string, object?> { ["x-expires"] = (long)TimeSpan.FromDays(30).TotalMilliseconds };
        var failed = await connection.TryAsync(
            async channel =>
            {
                await channel.QueueDeclareAsync(_queue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancellation).ConfigureAwait(false);
                await channel.QueueBindAsync(_queue, options.End.Exchange!, options.End.Key ?? "", cancellationToken: cancellation).ConfigureAwait(false);
            },
            cancellation).ConfigureAwait(false);
        if (failed is { } error) throw new LinkException(error.Text);
    }

    private async Task OnReceivedAsync(object sender, BasicDeliverEventArgs delivery)
    {
        var properties = new BasicProperties(delivery.BasicProperties);
        var body = delivery.Body.ToArray();
        if (options.NoAck) await _channel!.BasicAckAsync(delivery.DeliveryTag, multiple: false, delivery.CancellationToken).ConfigureAwait(false);
        _arrivals.Add(new LinkMessage
        {
            Exchange = delivery.Exchange,
            RoutingKey = delivery.RoutingKey,
            Properties = properties,
            Body = body,
            Number = (long)delivery.DeliveryTag,
            IsRedelivered = delivery.Redelivered,
            Fingerprint = LinkMessage.FingerprintOf(delivery.Exchange, delivery.RoutingKey, properties, body),
        });
    }

    private Task OnCancelledAsync()
    {
        // Unless it was asked for.
        if (_tag is not null) _arrivals.End(new LinkException($"The queue '{_queue}' was deleted, or its consumer cancelled."));
        return Task.CompletedTask;
    }

    private async Task WatchAsync(RemoteConnection connection) => _arrivals.End(new LinkException(await connection.Closed.ConfigureAwait(false)));
}
