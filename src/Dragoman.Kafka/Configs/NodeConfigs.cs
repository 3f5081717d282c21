using System.Collections.Immutable;
using System.Globalization;
using Dragoman.Broker.Configs;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Configs;

/// <summary>
/// The configurations of a node, under the names that Kafka gives them. Most are settled when the node starts; of those
/// that Kafka can change while it runs, this node does what it can, keeps those that mean nothing here, and refuses the rest.
/// </summary>
/// <remarks>Names, types and defaults as in Kafka's documentation, "Broker Configs".</remarks>
internal sealed class NodeConfigs
{
    private const string CompactionRate = "log.cleaner.io.max.bytes.per.second";
    private const string Unlimited = "1.7976931348623157E308";
    private const string Kept = "Kept and given back; it changes nothing here.";

    private readonly KafkaFrontEnd _frontEnd;
    private readonly long _compactionAtStart;

    public NodeConfigs(KafkaFrontEnd frontEnd)
    {
        _frontEnd = frontEnd;
        _compactionAtStart = frontEnd.Broker.CompactionBytesPerSecond;
        All = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, Define().Select(c => KeyValuePair.Create(c.Name, c)));
        frontEnd.Broker.Configs.Changed += target =>
        {
            if (target.Kind == ConfigKind.Node) Apply();
        };
        Apply();
    }

    /// <summary>All of them, by name.</summary>
    public ImmutableSortedDictionary<string, NodeConfig> All { get; }

    /// <summary>What was set of this node alone while it ran.</summary>
    public ConfigTarget ThisNode => new(ConfigKind.Node, Text(_frontEnd.Broker.Options.NodeId));

    /// <summary>What was set of all nodes while they ran.</summary>
    public static ConfigTarget AllNodes => new(ConfigKind.Node, "");

    /// <summary>The resource of a name: this node or all nodes.</summary>
    /// <exception cref="KafkaRequestException">It is neither.</exception>
    public ConfigTarget Find(string name)
    {
        if (name.Length == 0) return AllNodes;
        if (name == ThisNode.Name) return ThisNode;
        throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Unexpected broker id, expected {ThisNode.Name}, but received {name}");
    }

    /// <summary>A configuration that can be changed.</summary>
    /// <exception cref="KafkaRequestException">There is none of the name.</exception>
    public TopicConfig FindDynamic(string name)
    {
        if (!All.TryGetValue(name, out var config)) throw new KafkaRequestException(ErrorCode.InvalidConfig, $"Unknown broker config name: {name}");
        if (!config.IsDynamic) throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Cannot update these configs dynamically: Set({name}). It is settled when the broker starts.");
        return config.Definition;
    }

    /// <summary>The values that a configuration has, the one in force first.</summary>
    public List<(string Value, ConfigSource Source)> ValuesOf(NodeConfig config)
    {
        var configs = _frontEnd.Broker.Configs;
        var values = new List<(string, ConfigSource)>();
        if (configs.Get(ThisNode).TryGetValue(config.Name, out var own)) values.Add((own, ConfigSource.DynamicBroker));
        if (configs.Get(AllNodes).TryGetValue(config.Name, out var all)) values.Add((all, ConfigSource.DynamicDefaultBroker));
        if (config.SourceAtStart == ConfigSource.StaticBroker) values.Add((config.AtStart, ConfigSource.StaticBroker));
        values.Add((config.Definition.Default, ConfigSource.Default));
        return values;
    }

    /// <summary>Has the node do what the configurations that mean something to it say.</summary>
    private void Apply()
    {
        var (value, source) = ValuesOf(All[CompactionRate])[0];
        var rate = double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture);
        _frontEnd.Broker.CompactionBytesPerSecond = source == ConfigSource.Default ? _compactionAtStart : (long)Math.Clamp(rate, 1, long.MaxValue / 2);
    }

    private List<NodeConfig> Define()
    {
        var broker = _frontEnd.Broker.Options;
        var topics = broker.DefaultTopicSettings;
        var groups = broker.Groups;
        var kafka = _frontEnd.Options;
        var configs = new List<NodeConfig>
        {
            Fixed("auto.create.topics.enable", ConfigValueType.Boolean, "true", broker.AutoCreateTopics ? "true" : "false", "Whether a topic is created when a client uses it."),
            Fixed("auto.leader.rebalance.enable", ConfigValueType.Boolean, "true", "false", "There is one replica, which always leads."),
            Fixed("broker.id", ConfigValueType.Int, "-1", Text(broker.NodeId), "The node's number."),
            Fixed("broker.rack", ConfigValueType.String, "", kafka.Rack ?? "", "The rack that the node is in."),
            Fixed("compression.type", ConfigValueType.String, "producer", "producer", "Batches keep the compression that the producer chose."),
            Fixed("controlled.shutdown.enable", ConfigValueType.Boolean, "true", "false", "There is nobody to hand partitions over to."),
            Fixed("default.replication.factor", ConfigValueType.Int, "1", "1", "There is one replica."),
            Fixed("delete.topic.enable", ConfigValueType.Boolean, "true", "true", "Topics can be deleted."),
            Fixed("fetch.max.bytes", ConfigValueType.Int, "57671680", Text(kafka.MaxFetchBytes), "The most record bytes in one Fetch response, the first batch aside."),
            Fixed("group.consumer.heartbeat.interval.ms", ConfigValueType.Int, "5000", Text((long)groups.ConsumerHeartbeatInterval.TotalMilliseconds), "The longest time between heartbeats of members that the broker assigns to; small groups are asked for more."),
            Fixed("group.consumer.max.session.timeout.ms", ConfigValueType.Int, "60000", Text((long)groups.ConsumerMaxSessionTimeout.TotalMilliseconds), "The longest session that can be set for such a group."),
            Fixed("group.consumer.max.size", ConfigValueType.Int, "2147483647", Text(groups.ConsumerMaxSize), "The most members of such a group."),
            Fixed("group.consumer.min.session.timeout.ms", ConfigValueType.Int, "45000", Text((long)groups.ConsumerMinSessionTimeout.TotalMilliseconds), "The shortest session that can be set for such a group."),
            Fixed("group.consumer.session.timeout.ms", ConfigValueType.Int, "45000", Text((long)groups.ConsumerSessionTimeout.TotalMilliseconds), "How long a member of such a group is in without a heartbeat."),
            Fixed("group.coordinator.rebalance.protocols", ConfigValueType.List, "classic,consumer", "classic,consumer", "The kinds of groups."),
            Fixed("group.initial.rebalance.delay.ms", ConfigValueType.Int, "3000", Text((long)groups.InitialRebalanceDelay.TotalMilliseconds), "How long a new group waits for more members before it divides its partitions."),
            Fixed("group.max.session.timeout.ms", ConfigValueType.Int, "1800000", Text((long)groups.MaxSessionTimeout.TotalMilliseconds), "The longest session timeout that a member may ask for."),
            Fixed("group.max.size", ConfigValueType.Int, "2147483647", Text(groups.MaxSize), "The most members that a group may have."),
            Fixed("group.min.session.timeout.ms", ConfigValueType.Int, "6000", Text((long)groups.MinSessionTimeout.TotalMilliseconds), "The shortest session timeout that a member may ask for."),
            Fixed("log.cleaner.enable", ConfigValueType.Boolean, "true", "true", "Compacted topics are compacted in the background."),
            Fixed("log.dir", ConfigValueType.String, "/tmp/kafka-logs", Path.GetFullPath(broker.Store.Directory), "The data directory."),
            Fixed("log.dirs", ConfigValueType.String, "", Path.GetFullPath(broker.Store.Directory), "The data directory, of which there is one."),
            Fixed("max.connections", ConfigValueType.Int, "2147483647", "2147483647", "The operating system's limits count."),
            Fixed("max.connections.per.ip", ConfigValueType.Int, "2147483647", "2147483647", "Quotas of addresses can limit how many come a second."),
            Fixed("max.request.partition.size.limit", ConfigValueType.Int, "2000", "2000", "The most partitions in one answer to DescribeTopicPartitions."),
            Fixed("node.id", ConfigValueType.Int, "-1", Text(broker.NodeId), "The node's number."),
            Fixed("num.partitions", ConfigValueType.Int, "1", Text(broker.DefaultPartitions), "Partitions of topics that say nothing else."),
            Fixed("offset.metadata.max.bytes", ConfigValueType.Int, "4096", Text(groups.MaxOffsetMetadata), "The longest text that may be committed with an offset."),
            Fixed("offsets.retention.check.interval.ms", ConfigValueType.Long, "600000", Text((long)groups.OffsetsRetentionCheckInterval.TotalMilliseconds), "How often it is looked whether committed offsets are too old."),
            Fixed("offsets.retention.minutes", ConfigValueType.Int, "10080", Text((long)groups.OffsetsRetention.TotalMinutes), "How long the offsets of a group without members stay."),
            Fixed("process.roles", ConfigValueType.List, "", "broker,controller", "The node does everything."),
            Fixed("producer.id.expiration.ms", ConfigValueType.Int, "86400000", Text((long)broker.Store.ProducerExpiration.TotalMilliseconds), "How long an idempotent producer is remembered that is silent."),
            Fixed("quota.window.num", ConfigValueType.Int, "11", "11", "Over how many samples quotas measure."),
            Fixed("quota.window.size.seconds", ConfigValueType.Int, "1", "1", "How long a sample is."),
            Fixed("queued.max.request.bytes", ConfigValueType.Long, "-1", Text(kafka.MaxQueuedRequestBytes), "Bytes of requests that all connections together hold."),
            Fixed("socket.request.max.bytes", ConfigValueType.Int, "104857600", Text(kafka.MaxRequestBytes), "The largest request."),
            Dynamic("background.threads", ConfigValueType.Int, "10", Kept, 1),
            Dynamic("log.cleaner.backoff.ms", ConfigValueType.Long, "15000", Kept, 0),
            Dynamic("log.cleaner.dedupe.buffer.size", ConfigValueType.Long, "134217728", Kept, 1),
            Dynamic("log.cleaner.io.buffer.load.factor", ConfigValueType.Double, "0.9", Kept, 0),
            Dynamic("log.cleaner.io.buffer.size", ConfigValueType.Int, "524288", Kept, 0),
            Dynamic(CompactionRate, ConfigValueType.Double, Unlimited, string.Create(CultureInfo.InvariantCulture, $"Bytes a second that compaction reads and writes at most; where nothing is set, {_compactionAtStart}."), 1),
            Dynamic("log.cleaner.threads", ConfigValueType.Int, "1", Kept, 0),
            Dynamic("num.io.threads", ConfigValueType.Int, "8", Kept, 1),
            Dynamic("num.network.threads", ConfigValueType.Int, "3", Kept, 1),
            Dynamic("num.recovery.threads.per.data.dir", ConfigValueType.Int, "2", Kept, 1),
            Dynamic("num.replica.fetchers", ConfigValueType.Int, "1", Kept, 0),
            Dynamic("sasl.kerberos.min.time.before.relogin", ConfigValueType.Long, "60000", Kept, 0),
            Dynamic("sasl.kerberos.ticket.renew.jitter", ConfigValueType.Double, "0.05", Kept, 0),
            Dynamic("sasl.kerberos.ticket.renew.window.factor", ConfigValueType.Double, "0.8", Kept, 0),
            Dynamic("sasl.login.refresh.buffer.seconds", ConfigValueType.Int, "300", Kept, 0),
            Dynamic("sasl.login.refresh.min.period.seconds", ConfigValueType.Int, "60", Kept, 0),
            Dynamic("sasl.login.refresh.window.factor", ConfigValueType.Double, "0.8", Kept, 0),
            Dynamic("sasl.login.refresh.window.jitter", ConfigValueType.Double, "0.05", Kept, 0),
        };
        // What topics have that say nothing else, under the names that it has for the node.
        foreach (var config in TopicConfigs.All.Values)
        {
            if (TopicConfigs.NodeNameOf(config) is not { } name || configs.Exists(c => c.Name == name)) continue;
            configs.Add(new NodeConfig(config with { Name = name, Documentation = $"Of topics that say nothing else: {config.Documentation}" }, TopicConfigs.ValueOf(config, topics, topics)));
        }
        return configs;
    }

    private static NodeConfig Fixed(string name, ConfigValueType type, string standard, string value, string documentation) =>
        new(new TopicConfig(name, type, standard, documentation), value);

    private static NodeConfig Dynamic(string name, ConfigValueType type, string standard, string documentation, long least) =>
        new(new TopicConfig(name, type, standard, documentation) { Min = least }, standard) { IsDynamic = true };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
