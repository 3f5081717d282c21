using System.Globalization;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Configs;

/// <summary>What tools like to know of a node, under the names that Kafka gives it. It is set when the node starts.</summary>
internal static class BrokerConfigs
{
    /// <summary>A node's configurations, by name.</summary>
    public static IEnumerable<TopicConfig> Describe(KafkaFrontEnd frontEnd)
    {
        var options = frontEnd.Broker.Options;
        var topics = options.DefaultTopicSettings;
        return
        [
            Of("auto.create.topics.enable", ConfigValueType.Boolean, options.AutoCreateTopics ? "true" : "false", "Whether a topic is created when a client uses it."),
            Of("broker.id", ConfigValueType.Int, Text(options.NodeId), "The node's number."),
            Of("default.replication.factor", ConfigValueType.Int, "1", "There is one replica."),
            Of("delete.topic.enable", ConfigValueType.Boolean, "true", "Topics can be deleted."),
            Of("fetch.max.bytes", ConfigValueType.Int, Text(frontEnd.Options.MaxFetchBytes), "The most record bytes in one Fetch response, the first batch aside."),
            Of("log.cleanup.policy", ConfigValueType.List, topics.Compacted ? "compact" : "delete", "What happens with old messages of topics that say nothing else."),
            Of("log.message.timestamp.type", ConfigValueType.String, topics.TimestampType.ToString(), "Who sets timestamps in topics that say nothing else."),
            Of("log.retention.bytes", ConfigValueType.Long, Text(topics.RetentionBytes), "Bytes that a partition keeps at least in topics that say nothing else."),
            Of("log.retention.ms", ConfigValueType.Long, Text(topics.RetentionMs), "How long messages stay in topics that say nothing else."),
            Of("message.max.bytes", ConfigValueType.Int, Text(topics.MaxMessageBytes), "The largest record batch in topics that say nothing else."),
            Of("min.insync.replicas", ConfigValueType.Int, "1", "There is one replica."),
            Of("node.id", ConfigValueType.Int, Text(options.NodeId), "The node's number."),
            Of("num.partitions", ConfigValueType.Int, Text(options.DefaultPartitions), "Partitions of topics that say nothing else."),
            Of("socket.request.max.bytes", ConfigValueType.Int, Text(frontEnd.Options.MaxRequestBytes), "The largest request."),
        ];
    }

    private static TopicConfig Of(string name, ConfigValueType type, string value, string documentation) => new(name, type, value, documentation);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
