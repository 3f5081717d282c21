using System.Buffers.Text;
using System.Text;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;
using Dragoman.Links.Definitions;
using Dragoman.Links.Messages;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Links.Ends;

/// <summary>
/// Publishes messages at this broker. What the link has taken is in the commit that publishes it, so it is known when the
/// source hands it out once more.
/// </summary>
internal sealed class LocalTarget(Broker.Broker broker, EndDefinition end, string link) : ILinkTarget
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly PublishSet _batch = new();
    private readonly PublishedHeaders _headers = new();
    private readonly RouteResult _route = new();
    private NamespaceName _space = NamespaceName.Default;
    private volatile bool _isBlocked;

    public string Uri => end.Uris[0].Shown;

    public bool IsBlocked => _isBlocked;

    public bool Remembers => true;

    public SentBatch? LastBatch => null;

    public async Task OpenAsync(CancellationToken cancellation)
    {
        _space = LocalEnds.SpaceOf(end);
        if (end.Queue is not null) await LocalEnds.DeclareAsync(broker, end, cancellation).ConfigureAwait(false);
        if (end.Exchange is { Length: > 0 } exchange) Require(exchange);
    }

    public async ValueTask WriteAsync(LinkWrite write, CancellationToken cancellation)
    {
        var left = write.Messages;
        var held = write.Held;
        while (left.Count > 0)
        {
            var taken = Fill(left);
            var part = held is null || taken == left.Count ? held : held with { Offsets = [.. held.Offsets.Take(taken)] };
            var answer = await broker.LinkProgress.PublishAsync(link, _batch, write.Confirmed, part, PositionsOf(write, left, taken), cancellation).ConfigureAwait(false);
            _batch.Clear();
            switch (answer.Status)
            {
                case QueueStatus.Ok when answer.Refused is null:
                    left = [.. left.Skip(taken)];
                    if (held is not null) held = held with { Offsets = [.. held.Offsets.Skip(taken)] };
                    _isBlocked = false;
                    continue;
                case QueueStatus.Ok:
                    // A full queue has refused some: they wait here, and so does what comes after them.
                    var refused = answer.Refused.ToHashSet();
                    if (held is not null) held = held with { Offsets = [.. held.Offsets.Where((_, i) => i >= taken || refused.Contains(i))] };
                    left = [.. left.Where((_, i) => i >= taken || refused.Contains(i))];
                    break;
                case QueueStatus.Full:
                    break;
                default:
                    throw new LinkException(answer.Message ?? answer.Status.ToString());
            }
            _isBlocked = true;
            await Task.Delay(RetryDelay, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Where to go on in the source's log if one of the messages is not taken, or all of them are; null where the source forgets.</summary>
    private static long[]? PositionsOf(LinkWrite write, IReadOnlyList<LinkMessage> left, int taken) =>
        write.Held is not null || write.QueueId == Guid.Empty ? null : [.. left.Take(taken).Select(static m => m.Number), taken < left.Count ? left[taken].Number : write.Messages[^1].Number + 1];

    public ValueTask DisposeAsync()
    {
        _batch.Dispose();
        _headers.Dispose();
        return default;
    }

    /// <summary>Fills the batch with as many of some messages as one commit takes.</summary>
    private int Fill(IReadOnlyList<LinkMessage> messages)
    {
        var now = broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var exchange = end.Queue is not null ? "" : end.Exchange ?? message.Exchange;
            var key = end.Queue ?? end.Key ?? message.RoutingKey;
            var keyBytes = Encoding.UTF8.GetBytes(key);
            var properties = AmqpProperties.Read(WireProperties.Encode(message.Properties));
            var copies = properties.Headers.IsEmpty ? null : CarbonCopies.Find(properties.Headers);
            var delay = exchange.Length == 0 || properties.Headers.IsEmpty ? 0 : MessageDelay.Find(properties.Headers);
            var holding = delay > 0 ? broker.Routing.FindHolding(new TopicName(_space, exchange)) : null;
            if (holding is null) delay = 0;
            _headers.Write(Encoding.UTF8.GetBytes(exchange), keyBytes, properties, withPriority: true, delay);
            _route.Clear();
            if (holding is not null)
            {
                _route.AddQueue(holding);
            }
            else
            {
                Resolve(exchange, key);
                foreach (var copy in copies ?? []) Resolve(exchange, copy);
            }
            short priority = -1;
            if (properties.Has(PropertyFlags.Priority) && _route.Queues.Any(static q => q.Settings.MaxPriority > 0))
            {
                // The queue writes what it acts upon.
                priority = properties.Priority;
                _headers.Write(Encoding.UTF8.GetBytes(exchange), keyBytes, properties, withPriority: false);
            }
            if (copies is not null && (_route.Logs.Count > 0 || holding is not null)) _headers.AddRoutingKeys(copies);
            var cost = PublishSet.CostOf(_route.Queues, _route.Logs, keyBytes.Length + (long)message.Body.Length + _headers.Headers.Encoded.Length);
            if (_batch.Count > 0 && _batch.Cost + cost > broker.Queues.MaxSetCost) return i;
            foreach (var channel in _route.Channels)
            {
                var space = broker.Channels.In(channel.Namespace);
                if (!space.IsEmpty) space.Publish(Encoding.UTF8.GetBytes(channel.Name), message.Body.Span);
            }
            var lifetime = Utf8Parser.TryParse(properties.Expiration, out long milliseconds, out var used) && used == properties.Expiration.Length && milliseconds is >= 0 and <= uint.MaxValue ? milliseconds : -1;
            _batch.Add(
                new MessageProperties { Timestamp = now, ExpiresAt = lifetime < 0 || delay > 0 ? -1 : now + lifetime, DeliverAt = delay > 0 ? now + delay : -1, Priority = priority }, keyBytes, message.Body.Span, _headers.Headers, _route.Queues, _route.Logs, _route.Routes, message.Fingerprint);
        }
        return messages.Count;
    }

    private void Resolve(string exchange, string key)
    {
        if (exchange.Length > 0)
        {
            if (!broker.Routing.Resolve(new TopicName(_space, exchange), key, _headers.Headers, _route)) Require(exchange);
        }
        else if (broker.Queues.Find(new QueueName(_space, key)) is { } queue)
        {
            _route.AddQueue(queue);
        }
    }

    private void Require(string exchange)
    {
        if (broker.Routing.Find(new TopicName(_space, exchange)) is null) throw new LinkException($"NOT_FOUND - no exchange '{exchange}' in vhost '{VirtualHosts.FromNamespace(_space)}'");
    }
}
