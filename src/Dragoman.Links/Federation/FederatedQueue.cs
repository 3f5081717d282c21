using Dragoman.Amqp.Topology;
using Dragoman.Broker.Queues;
using Dragoman.Links.Definitions;
using Dragoman.Links.Ends;
using Dragoman.Links.Messages;
using Dragoman.Links.Running;
using Dragoman.Protocols.RabbitMq;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Dragoman.Links.Federation;

/// <summary>
/// A link of a queue to one upstream: it pulls messages from the queue there while consumers of the one here have nothing to
/// do. Consumers there come first.
/// </summary>
internal sealed class FederatedQueue : FederationRun
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private readonly IQueueHandle _queue;

    /// <summary>Creates it.</summary>
    public FederatedQueue(Broker.Broker broker, IQueueHandle queue, UpstreamDefinition upstream, ILogger log)
        : base(broker, queue.Name.Namespace, queue.Name.Name, upstream, isExchange: false)
    {
        _queue = queue;
        var virtualHost = VirtualHosts.FromNamespace(queue.Name.Namespace);
        var end = new EndDefinition { Uris = upstream.Uris, Queue = UpstreamName };
        Link = new Link(
            broker,
            new LinkOptions(
                new PumpOptions(Memory, upstream.AckMode, -1, Change),
                upstream.ReconnectDelay,
                () => new RemoteSource(new RemoteSourceOptions(
                    end, Worldwide, $"Federation link (upstream: {upstream.Name}, policy)", upstream.Prefetch,
                    new Amqp.Wire.FieldTable(KeyValuePair.Create("x-priority", Amqp.Wire.FieldValue.OfInt32(-1))))
                {
                    NoAck = upstream.AckMode == AckMode.NoAck,
                    Prepare = PrepareAsync,
                    ConsumerTag = upstream.ConsumerTag,
                    BeginsPaused = true,
                }),
                () => new LocalTarget(broker, new EndDefinition { Uris = [AmqpUri.Parse($"amqp:///{Uri.EscapeDataString(virtualHost)}", out _)!], Queue = queue.Name.Name, IsPredeclared = true }, Memory),
                $"Federation link of queue '{queue.Name.Name}' in virtual host '{virtualHost}' to upstream '{upstream.Name}'")
            {
                Beside = (source, cancellation) => FollowAsync((RemoteSource)source, cancellation),
            },
            log);
    }

    /// <inheritdoc/>
    protected override Task CleanUpAsync(RemoteConnection connection, CancellationToken cancellation) => Task.CompletedTask;

    private async Task PrepareAsync(RemoteConnection connection, CancellationToken cancellation)
    {
        if (await connection.TryAsync(c => c.QueueDeclarePassiveAsync(UpstreamName, cancellation), cancellation).ConfigureAwait(false) is null) return;
        var declaration = QueueDeclaration.Of(_queue.Settings);
        await RequireAsync(
            connection, c => c.QueueDeclareAsync(UpstreamName, declaration.IsDurable, exclusive: false, declaration.AutoDelete, Fields.ToDictionary(declaration.Arguments), cancellationToken: cancellation), cancellation).ConfigureAwait(false);
    }

    /// <summary>Pulls while it is needed, for as long as the link is connected.</summary>
    private async Task FollowAsync(RemoteSource source, CancellationToken cancellation)
    {
        while (true)
        {
            var counts = await _queue.GetCountsAsync().ConfigureAwait(false);
            if (_queue.IsDeleted) throw new LinkException($"Queue '{_queue.Name.Name}' was deleted.");
            await source.ConsumeAsync(counts is { Consumers: > 0, Ready: 0 }, cancellation).ConfigureAwait(false);
            await Task.Delay(LookEvery, cancellation).ConfigureAwait(false);
        }
    }

    private LinkMessage Change(LinkMessage message)
    {
        var properties = new BasicProperties(message.Properties);
        var headers = properties.Headers is { } known ? new Dictionary<string, object?>(known) : [];
        var visits = 0L;
        if (headers.TryGetValue(Hops.MessageHeader, out var value) && value is System.Collections.IEnumerable hops and not (string or byte[]))
        {
            // A queue that is visited again is named once, with the number of its visits.
            var others = new List<object?>();
            foreach (var hop in hops)
            {
                if (IsThisUpstream(hop, out var earlier)) visits = earlier;
                else others.Add(hop);
            }
            headers[Hops.MessageHeader] = others;
        }
        else
        {
            // Later they are those of this link.
            headers["x-original-exchange"] = message.Exchange;
            headers["x-original-routing-key"] = message.RoutingKey;
        }
        if (headers.Remove("CC", out var copies)) headers["x-original-cc"] = copies;
        RoutingHeader.Prepend(headers, Hops.MessageHeader, new Dictionary<string, object?>
        {
            ["uri"] = Upstream.Uris[0].Shown,
            ["queue"] = UpstreamName,
            ["redelivered"] = message.IsRedelivered,
            ["visit-count"] = visits + 1,
        });
        return Changed(message, properties, headers);
    }

    private bool IsThisUpstream(object? hop, out long visits)
    {
        visits = 0;
        if (hop is not IDictionary<string, object?> table || !table.TryGetValue("uri", out var uri) || Fields.TextOf(uri) != Upstream.Uris[0].Shown
            || !table.TryGetValue("queue", out var queue) || Fields.TextOf(queue) != UpstreamName) return false;
        if (table.TryGetValue("visit-count", out var count) && count is IConvertible number) visits = number.ToInt64(System.Globalization.CultureInfo.InvariantCulture);
        return true;
    }
}
