using System.Buffers;
using System.Text;
using Dragoman.Broker.Channels;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Security;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Sessions;

/// <summary>Where publishes to one exchange with one routing key go. One object for each set of targets of a session, so that it tells batches apart.</summary>
internal sealed class Destination
{
    /// <summary>The queues, each once.</summary>
    public required IQueueHandle[] Queues { get; init; }

    /// <summary>The topics that keep the message in their logs.</summary>
    public required ITopicHandle[] Logs { get; init; }

    /// <summary>The routes that take what their rules say.</summary>
    public RuledRoute[] Routes { get; init; } = [];

    /// <summary>The channels whose listeners hear it at once: the exchanges on its way that keep no log.</summary>
    public Channel[] Channels { get; init; } = [];

    /// <summary>Who gets it as a direct reply, past all queues.</summary>
    public DirectReplies? Replies { get; init; }

    /// <summary>Whether a queue orders by priority, and so has to be told of it.</summary>
    public bool UsesPriority { get; init; }

    /// <summary>The version of the routing that it follows from.</summary>
    public long Version { get; init; }

    /// <summary>Whether other headers could lead elsewhere.</summary>
    public bool DependsOnHeaders { get; init; }

    /// <summary>Whether the next message may go elsewhere although nothing of it differs.</summary>
    public bool Varies { get; init; }

    /// <summary>The counters of the topic that is published to.</summary>
    public MessageCounters? Counters { get; init; }

    /// <summary>Whether the topic's own log counts what is published to it.</summary>
    public bool IsCountedByLog { get; init; }

    /// <summary>Messages that are not counted yet.</summary>
    public int Pending { get; set; }

    /// <summary>Counts what was published since the last time.</summary>
    public void FlushCounts()
    {
        if (!IsCountedByLog) Counters?.Add(MessageCounter.PublishIn, Pending);
        if (Queues.Length > 0) Counters?.Add(MessageCounter.PublishOut, (long)Pending * Queues.Length);
        Pending = 0;
    }

    /// <summary>Whether somebody gets the message: an exchange that keeps its last ones is nobody.</summary>
    public bool HasReceivers { get; init; } = true;

    /// <summary>Whether nobody keeps the message.</summary>
    public bool IsEmpty => Queues.Length == 0 && Logs.Length == 0 && Routes.Length == 0 && Replies is null;

    /// <summary>Lets those hear a message who listen to what it passes at the moment.</summary>
    /// <returns>How many did.</returns>
    public int Tell(in ReadOnlySequence<byte> body)
    {
        var heard = 0;
        foreach (var (space, name) in Channels)
        {
            if (space.IsEmpty) continue;
            heard += space.Publish(name, body.IsSingleSegment ? body.FirstSpan : body.ToArray());
        }
        return heard;
    }

    /// <summary>How many would hear a message.</summary>
    public int CountListeners()
    {
        var count = 0;
        foreach (var (space, name) in Channels) count += space.CountAll(name);
        return count;
    }

    /// <summary>A channel and the namespace's listeners.</summary>
    public readonly record struct Channel(ChannelSpace Space, byte[] Name);

    /// <summary>Where a message goes of which routing has found the targets.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="space">The namespace.</param>
    /// <param name="exchange">The exchange that it is published to; empty for the default one.</param>
    /// <param name="result">The targets.</param>
    /// <param name="version">The version that they follow from.</param>
    public static Destination Of(Broker.Broker broker, NamespaceName space, string exchange, RouteResult result, long version)
    {
        IQueueHandle[] queues = [.. result.Queues];
        var topic = new TopicName(space, exchange);
        return new Destination
        {
            Queues = queues,
            Logs = [.. result.Logs],
            Routes = [.. result.Routes],
            Channels = [.. result.Channels.Select(name => new Channel(broker.Channels.In(name.Namespace), Encoding.UTF8.GetBytes(name.Name)))],
            UsesPriority = Array.Exists(queues, static q => q.Settings.MaxPriority > 0),
            Counters = broker.Statistics.Of(topic),
            IsCountedByLog = result.Logs.Any(log => log.Name == topic),
            Version = version,
            HasReceivers = result.HasReceivers,
            DependsOnHeaders = result.DependsOnHeaders,
            Varies = result.Varies,
        };
    }

    /// <summary>Whether it is where another one leads.</summary>
    public bool IsSame(Destination other) => Queues.AsSpan().SequenceEqual(other.Queues) && Logs.AsSpan().SequenceEqual(other.Logs) && Routes.AsSpan().SequenceEqual(other.Routes);
}

/// <summary>What a session has found out about where its publishes go. Answers are kept until the routing changes.</summary>
internal sealed class DestinationCache(AmqpSession session)
{
    private const int Capacity = 4096;

    private readonly Dictionary<byte[], Destination> _byAddress = new(AddressComparer.Instance);
    private readonly RouteResult _result = new();
    private long _version = -1;

    /// <summary>The version of what answers follow from now: the routing, and who may do what.</summary>
    public long Version => session.FrontEnd.Broker.Routing.Version + session.FrontEnd.Broker.Accounts.Version;

    /// <summary>Finds where a message goes.</summary>
    /// <param name="address">The length of the exchange's name, the name, and the routing key.</param>
    /// <param name="headers">The message's record headers.</param>
    /// <exception cref="ChannelException">There is no such exchange, or only exchanges may publish to it.</exception>
    public Destination Find(ReadOnlySpan<byte> address, RecordHeaders headers)
    {
        var version = Version;
        if (version != _version)
        {
            _byAddress.Clear();
            _version = version;
        }
        var lookup = _byAddress.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(address, out var known)) return known;
        var exchange = Encoding.UTF8.GetString(address.Slice(1, address[0]));
        var routingKey = Encoding.UTF8.GetString(address[(1 + address[0])..]);
        if (exchange.Length == 0 && session.FrontEnd.Replies.TryGetValue(routingKey, out var replies)) return new Destination { Queues = [], Logs = [], Replies = replies, Version = version };
        _result.Clear();
        Resolve(exchange, routingKey, headers, _result);
        var destination = Intern(_result, exchange);
        if (_byAddress.Count >= Capacity) _byAddress.Clear();
        if (!destination.DependsOnHeaders && !destination.Varies) lookup[address] = destination;
        return destination;
    }

    /// <summary>Finds where a message goes that has more routing keys than one.</summary>
    public Destination Find(string exchange, IEnumerable<string> routingKeys, RecordHeaders headers)
    {
        _result.Clear();
        foreach (var key in routingKeys) Resolve(exchange, key, headers, _result);
        return Intern(_result, exchange);
    }

    /// <summary>The queue in which messages wait that an exchange holds back; null where it holds none back.</summary>
    /// <exception cref="ChannelException">The user may not publish to it, or only exchanges may.</exception>
    public Destination? FindHolding(string exchange)
    {
        var broker = session.FrontEnd.Broker;
        var version = Version;
        var name = new TopicName(session.Namespace, exchange);
        if (broker.Routing.Find(name) is not { Facet: { Type: ExchangeTypes.Delayed } facet }) return null;
        session.Require(Operations.Write, ResourceKind.Topic, exchange);
        if (facet.IsInternal) throw Errors.Refused($"cannot publish to internal exchange '{exchange}' in vhost '{session.VirtualHost}'");
        return broker.Routing.FindHolding(name) is { } queue ? new Destination { Queues = [queue], Logs = [], Counters = broker.Statistics.Of(name), Version = version, DependsOnHeaders = true } : null;
    }

    private void Resolve(string exchange, string routingKey, RecordHeaders headers, RouteResult result)
    {
        var broker = session.FrontEnd.Broker;
        if (exchange.Length == 0)
        {
            // The default exchange is the namespace of queues itself; to RabbitMQ's permissions it has this name.
            var identity = session.User.Identity;
            if (!identity.Allows(Operations.Write, ResourceKind.Queue, session.Namespace, routingKey)) session.Require(Operations.Write, ResourceKind.Topic, "amq.default");
            if (broker.Queues.Find(new QueueName(session.Namespace, routingKey)) is { } queue) result.AddQueue(queue);
            return;
        }
        session.Require(Operations.Write, ResourceKind.Topic, exchange);
        var name = new TopicName(session.Namespace, exchange);
        if (!broker.Routing.Resolve(name, routingKey, headers, result)) throw Errors.NoExchange(exchange, session.VirtualHost);
        if (broker.Routing.Find(name) is not { } found) return;
        if (found.Facet.IsInternal) throw Errors.Refused($"cannot publish to internal exchange '{exchange}' in vhost '{session.VirtualHost}'");
        session.RequireKey(Operations.Write, found, routingKey);
    }

    private Destination Intern(RouteResult result, string exchange) => Destination.Of(session.FrontEnd.Broker, session.Namespace, exchange, result, _version);

    private sealed class AddressComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static AddressComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }
    }
}
