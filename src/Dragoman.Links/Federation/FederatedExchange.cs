using System.Globalization;
using Dragoman.Amqp.Topology;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;
using Dragoman.Links.Definitions;
using Dragoman.Links.Ends;
using Dragoman.Links.Messages;
using Dragoman.Links.Running;
using Dragoman.Protocols.RabbitMq;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Dragoman.Links.Federation;

/// <summary>
/// A link of an exchange to one upstream: a queue there gathers what the bindings here ask for, and the link publishes it to
/// the exchange here. Bindings are made there as they are made here.
/// </summary>
internal sealed class FederatedExchange : FederationRun
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly TopicName _exchange;
    private readonly string _virtualHost;
    private readonly string _cluster;
    private readonly Dictionary<string, Binding> _bound = new(StringComparer.Ordinal);
    private string _internal = "";
    private string? _upstreamCluster;

    /// <summary>A binding as it is upstream.</summary>
    private sealed record Binding(string Key, Dictionary<string, object?> Arguments);

    /// <summary>Creates it.</summary>
    public FederatedExchange(Broker.Broker broker, TopicName exchange, UpstreamDefinition upstream, ILogger log)
        : base(broker, exchange.Namespace, exchange.Name, upstream, isExchange: true)
    {
        _exchange = exchange;
        _virtualHost = VirtualHosts.FromNamespace(exchange.Namespace);
        _cluster = RoutingHeader.ClusterName(broker);
        var end = new EndDefinition { Uris = upstream.Uris, Queue = QueueName };
        Link = new Link(
            broker,
            new LinkOptions(
                new PumpOptions(Memory, upstream.AckMode, -1, Change),
                upstream.ReconnectDelay,
                () => new RemoteSource(new RemoteSourceOptions(end, Worldwide, $"Federation link (upstream: {upstream.Name}, policy)", upstream.Prefetch, Amqp.Wire.FieldTable.Empty)
                {
                    NoAck = upstream.AckMode == AckMode.NoAck,
                    Prepare = PrepareAsync,
                    ConsumerTag = upstream.ConsumerTag,
                }),
                () => new LocalTarget(broker, new EndDefinition { Uris = [AmqpUri.Parse($"amqp:///{Uri.EscapeDataString(_virtualHost)}", out _)!], Exchange = exchange.Name }, Memory),
                $"Federation link of exchange '{exchange.Name}' in virtual host '{_virtualHost}' to upstream '{upstream.Name}'")
            {
                Beside = (source, cancellation) => FollowAsync(((RemoteSource)source).Connection, cancellation),
            },
            log);
    }

    private string QueueName
    {
        get
        {
            var upstreamHost = Upstream.Uris[0].VirtualHost ?? VirtualHosts.Default;
            var part = upstreamHost != _virtualHost ? $":{_virtualHost}:{_exchange.Name}" : UpstreamName != _exchange.Name ? $":{_exchange.Name}" : "";
            return $"federation: {UpstreamName} -> {_cluster}{part}";
        }
    }

    /// <inheritdoc/>
    protected override async Task CleanUpAsync(RemoteConnection connection, CancellationToken cancellation)
    {
        if (Upstream.KeepsResources) return;
        await connection.TryAsync(c => c.QueueDeleteAsync(QueueName, ifUnused: false, ifEmpty: false, cancellationToken: cancellation), cancellation).ConfigureAwait(false);
        foreach (var suffix in new[] { "A", "B" }) await connection.TryAsync(c => c.ExchangeDeleteAsync($"{QueueName} {suffix}", cancellationToken: cancellation), cancellation).ConfigureAwait(false);
    }

    private async Task PrepareAsync(RemoteConnection connection, CancellationToken cancellation)
    {
        _upstreamCluster = connection.ServerProperty("cluster_name");
        var facet = Broker.Routing.Find(_exchange)?.Facet ?? throw new LinkException($"NOT_FOUND - no exchange '{_exchange.Name}' in vhost '{_virtualHost}'");
        if (await connection.TryAsync(c => c.ExchangeDeclarePassiveAsync(UpstreamName, cancellation), cancellation).ConfigureAwait(false) is not null)
            await RequireAsync(connection, c => c.ExchangeDeclareAsync(UpstreamName, facet.Type, facet.IsDurable, facet.AutoDelete, Fields.ToDictionary(ExchangeDeclaration.ArgumentsOf(facet)), cancellationToken: cancellation), cancellation).ConfigureAwait(false);
        var arguments = new Dictionary<string, object?> { ["x-internal-purpose"] = "federation", ["x-queue-type"] = Upstream.QueueType };
        if (Upstream.ExpiresMs is { } expires) arguments["x-expires"] = expires;
        if (Upstream.MessageLifetimeMs is { } lifetime) arguments["x-message-ttl"] = lifetime;
        await RequireAsync(connection, c => c.QueueDeclareAsync(QueueName, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancellation), cancellation).ConfigureAwait(false);
        // Bindings of before that are no more go with the exchange they are at; until the other one has all of them, it stays.
        var isFirstThere = await connection.TryAsync(c => c.ExchangeDeclarePassiveAsync($"{QueueName} A", cancellation), cancellation).ConfigureAwait(false) is null;
        var former = isFirstThere ? $"{QueueName} A" : $"{QueueName} B";
        _internal = isFirstThere ? $"{QueueName} B" : $"{QueueName} A";
        await connection.TryAsync(c => c.ExchangeDeleteAsync(_internal, cancellationToken: cancellation), cancellation).ConfigureAwait(false);
        await RequireAsync(
            connection,
            async channel =>
            {
                var properties = new Dictionary<string, object?> { ["x-internal-purpose"] = "federation" };
                // It would be internal, which clients of this library cannot ask for; nobody guesses its name.
                await channel.ExchangeDeclareAsync(_internal, ExchangeType.Fanout, durable: true, autoDelete: true, properties, cancellationToken: cancellation).ConfigureAwait(false);
                await channel.QueueBindAsync(QueueName, _internal, "", cancellationToken: cancellation).ConfigureAwait(false);
            },
            cancellation).ConfigureAwait(false);
        _bound.Clear();
        await BindAsync(connection, cancellation).ConfigureAwait(false);
        await connection.TryAsync(c => c.ExchangeDeleteAsync(former, cancellationToken: cancellation), cancellation).ConfigureAwait(false);
    }

    /// <summary>Makes the bindings there that are here, and ends those that are not.</summary>
    private async Task BindAsync(RemoteConnection connection, CancellationToken cancellation)
    {
        var wanted = Wanted();
        var (missing, surplus) = (wanted.Where(w => !_bound.ContainsKey(w.Key)).ToList(), _bound.Where(b => !wanted.ContainsKey(b.Key)).ToList());
        if (missing.Count == 0 && surplus.Count == 0) return;
        await RequireAsync(
            connection,
            async channel =>
            {
                foreach (var (id, binding) in missing)
                {
                    await channel.ExchangeBindAsync(_internal, UpstreamName, binding.Key, binding.Arguments, cancellationToken: cancellation).ConfigureAwait(false);
                    _bound[id] = binding;
                }
                foreach (var (id, binding) in surplus)
                {
                    await channel.ExchangeUnbindAsync(_internal, UpstreamName, binding.Key, binding.Arguments, cancellationToken: cancellation).ConfigureAwait(false);
                    _bound.Remove(id);
                }
            },
            cancellation).ConfigureAwait(false);
    }

    private Dictionary<string, Binding> Wanted()
    {
        var wanted = new Dictionary<string, Binding>(StringComparer.Ordinal);
        var facet = Broker.Routing.Find(_exchange)?.Facet ?? throw new LinkException($"NOT_FOUND - no exchange '{_exchange.Name}' in vhost '{_virtualHost}'");
        foreach (var route in Broker.Routing.RoutesFrom(_exchange)) Add(route.Key, Fields.ToDictionary(Attributes.ToTable(route.Arguments)));
        // A log wants everything, as far as a binding can say so.
        if (Broker.Topics.Find(_exchange) is not null && facet.Type is ExchangeTypes.Fanout or ExchangeTypes.Topic) Add(facet.Type == ExchangeTypes.Topic ? "#" : "", []);
        return wanted;

        void Add(string key, Dictionary<string, object?> arguments)
        {
            if (Hops.Bind(arguments, Upstream.MaxHops, _cluster, _virtualHost, _exchange.Name, _upstreamCluster, Upstream.Uris[0].VirtualHost ?? VirtualHosts.Default) is not { } there) return;
            var identity = Convert.ToBase64String(WireProperties.Encode(new BasicProperties { Type = key.Length > 200 ? key[..200] : key, Headers = there }));
            wanted[string.Create(CultureInfo.InvariantCulture, $"{key.Length}:{key}{identity}")] = new Binding(key, there);
        }
    }

    /// <summary>Follows the bindings here, for as long as the link is connected.</summary>
    private async Task FollowAsync(RemoteConnection connection, CancellationToken cancellation)
    {
        var version = -1L;
        while (true)
        {
            await Task.Delay(LookEvery, cancellation).ConfigureAwait(false);
            if (Broker.Routing.Version is var current && current == version) continue;
            await BindAsync(connection, cancellation).ConfigureAwait(false);
            version = current;
        }
    }

    private LinkMessage? Change(LinkMessage message)
    {
        if (!Hops.MayGo(message.Properties.Headers, Upstream.MaxHops, _cluster, _virtualHost)) return null;
        var properties = new BasicProperties(message.Properties);
        var headers = properties.Headers is { } known ? new Dictionary<string, object?>(known) : [];
        var hop = new Dictionary<string, object?> { ["uri"] = Upstream.Uris[0].Shown, ["exchange"] = UpstreamName, ["redelivered"] = message.IsRedelivered };
        if (_upstreamCluster is not null) hop["cluster-name"] = _upstreamCluster;
        hop["vhost"] = Upstream.Uris[0].VirtualHost ?? VirtualHosts.Default;
        RoutingHeader.Prepend(headers, Hops.MessageHeader, hop);
        return Changed(message, properties, headers);
    }
}
