using System.Buffers;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Groups;

/// <summary>
/// What consumers tell each other through the broker (ConsumerProtocolSubscription.json). Every version begins as
/// version 0 does, so that a broker can read what it needs of any.
/// </summary>
internal static class ConsumerProtocol
{
    /// <summary>The protocol type of groups of consumers.</summary>
    public const string Type = "consumer";

    /// <summary>The topics that a consumer subscribes to; null if the bytes are no subscription.</summary>
    public static IReadOnlyList<TopicName>? TryReadTopics(byte[] subscription)
    {
        try
        {
            var reader = new KafkaReader(new ReadOnlySequence<byte>(subscription));
            reader.ReadInt16();
            var topics = new TopicName[reader.ReadArrayLength(flexible: false, nullable: false, minimumElementSize: sizeof(short))];
            for (var i = 0; i < topics.Length; i++) topics[i] = KafkaTopicNames.Parse(reader.ReadString(flexible: false));
            return topics;
        }
        catch (KafkaWireException)
        {
            // Assignors may put what they like there; then the broker does not know what the member reads.
            return null;
        }
    }

    /// <summary>The partitions of an assignment, as far as their topics are there; null if the bytes are no assignment.</summary>
    public static IReadOnlyList<GroupPartition>? TryReadAssignment(byte[] assignment, ITopics topics)
    {
        if (assignment.Length == 0) return [];
        try
        {
            var reader = new KafkaReader(new ReadOnlySequence<byte>(assignment));
            reader.ReadInt16();
            return ReadPartitions(ref reader, topics);
        }
        catch (KafkaWireException)
        {
            return null;
        }
    }

    private static List<GroupPartition> ReadPartitions(ref KafkaReader reader, ITopics topics)
    {
        var partitions = new List<GroupPartition>();
        for (var n = reader.ReadArrayLength(flexible: false, nullable: false, minimumElementSize: sizeof(short) + sizeof(int)); n > 0; n--)
        {
            var topic = topics.Find(KafkaTopicNames.Parse(reader.ReadString(flexible: false)));
            for (var m = reader.ReadArrayLength(flexible: false, nullable: false, minimumElementSize: sizeof(int)); m > 0; m--)
            {
                var partition = reader.ReadInt32();
                if (topic is not null) partitions.Add(new(topic.Id, partition));
            }
        }
        return partitions;
    }
}
