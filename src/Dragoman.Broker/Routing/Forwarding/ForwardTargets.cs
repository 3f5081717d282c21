using System.Diagnostics.CodeAnalysis;
using System.Text;
using Dragoman.Broker.Channels;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Routing.Forwarding;

/// <summary>Where records go.</summary>
/// <param name="Queues">The queues.</param>
/// <param name="Topics">Topics that keep a log of their own.</param>
/// <param name="Routes">Routes with a rule.</param>
/// <param name="Channels">Topics without a log on the way, for those who listen there.</param>
internal sealed record ForwardTargets(LocalQueue[] Queues, LocalTopic[] Topics, RuledRoute[] Routes, Channel[] Channels)
{
    public bool IsEmpty => Queues.Length == 0 && Topics.Length == 0 && Routes.Length == 0 && Channels.Length == 0;
}

/// <summary>A channel, and who listens in its namespace.</summary>
internal readonly record struct Channel(ChannelSpace Space, byte[] Name);

/// <summary>
/// Finds where the records of one partition go. Answers are kept until the routing changes, where the routing key alone
/// decides.
/// </summary>
internal sealed class TargetCache(RouteGraph graph, ITopics topics, LocalTopic topic, int partition, Func<NamespaceName, ChannelSpace>? spaces)
{
    private const int Capacity = 4096;

    private readonly Dictionary<byte[], ForwardTargets> _byKey = new(BytesComparer.Instance);
    private readonly RouteResult _result = new();
    private readonly List<TopicName> _passed = [];
    private ForwardTargets? _ofAll;
    private long _version = -1;

    /// <summary>Finds where a record goes.</summary>
    public ForwardTargets Find(in MessageView message, in RecordRoute route)
    {
        // Read first: what changes while the graph is walked makes the answer old.
        var version = graph.Version + topics.Version;
        if (version != _version)
        {
            _byKey.Clear();
            _ofAll = null;
            _version = version;
        }
        var isPlain = route.PassedTopics.IsEmpty && route.Deaths.IsEmpty && !route.HasMoreKeys;
        var lookup = _byKey.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (isPlain && _ofAll is not null) return _ofAll;
        if (isPlain && lookup.TryGetValue(route.RoutingKey, out var known)) return known;
        _result.Clear();
        ReadPassed(route.PassedTopics);
        Resolve(message, route.RoutingKey);
        if (route.HasMoreKeys)
        {
            foreach (var header in message.Headers)
                if (header.Key.SequenceEqual(CanonicalHeaders.MoreRoutingKeys)) Resolve(message, header.Value.Span);
        }
        var targets = new ForwardTargets([.. _result.Queues.Cast<LocalQueue>()], [.. _result.Logs.Cast<LocalTopic>()], [.. _result.Routes], ChannelsOf(_result));
        if (!route.Deaths.IsEmpty) targets = WithoutCircles(targets, DeathHistory.Decode(route.Deaths));
        if (!isPlain || _result.DependsOnHeaders || _result.DependsOnOffset || _result.Varies) return targets;
        if (!_result.DependsOnKey) return _ofAll = targets;
        if (_byKey.Count >= Capacity) _byKey.Clear();
        lookup[route.RoutingKey] = targets;
        return targets;
    }

    /// <summary>A dead letter does not go round: see <see cref="DeadLetters.IsCycle"/>.</summary>
    private static ForwardTargets WithoutCircles(ForwardTargets targets, IReadOnlyList<Death> deaths) =>
        targets with { Queues = Array.FindAll(targets.Queues, queue => !DeadLetters.IsCycle(queue.Name.Name, deaths)) };

    /// <summary>The channels that a record passes. Those who listen to the topic itself follow its log.</summary>
    private Channel[] ChannelsOf(RouteResult result) =>
        spaces is null ? [] : [.. result.Channels.Where(name => name != topic.Name).Select(name => new Channel(spaces(name.Namespace), Encoding.UTF8.GetBytes(name.Name)))];

    private void Resolve(in MessageView message, ReadOnlySpan<byte> routingKey) =>
        graph.ResolveRecord(topic.Name, new LogPosition(topic.Id, partition, message.Offset), Encoding.UTF8.GetString(routingKey), message.Headers, _passed, _result);

    private void ReadPassed(ReadOnlySpan<byte> names)
    {
        _passed.Clear();
        if (names.IsEmpty) return;
        foreach (var range in names.Split((byte)'\n')) _passed.Add(new TopicName(topic.Name.Namespace, Encoding.UTF8.GetString(names[range])));
    }

    private sealed class BytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static BytesComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

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
