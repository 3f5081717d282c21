using System.Buffers;
using System.Buffers.Binary;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Groups;

/// <summary>What a consumer tells in its subscription.</summary>
/// <param name="Topics">The topics that it subscribes to.</param>
/// <param name="Owned">The partitions that it still has, as far as their topics are there.</param>
/// <param name="Rack">Its rack; null if it does not say.</param>
internal sealed record ConsumerSubscription(IReadOnlyList<TopicName> Topics, IReadOnlyList<GroupPartition> Owned, string? Rack);

/// <summary>
/// What consumers tell each other through the broker (ConsumerProtocolSubscription.json). Every version begins as
/// version 0 does, so that a broker can read what it needs of any.
/// </summary>
internal static class ConsumerProtocol
{
    /// <summary>The protocol type of groups of consumers.</summary>
    public const string Type = "consumer";

    // ConsumerProtocolAssignment.json.
    private const short NewestAssignment = 3;

    /// <summary>Reads a subscription as far as its version goes; null if the bytes are none.</summary>
    public static ConsumerSubscription? TryReadSubscription(byte[] subscription, ITopics topics)
    {
        try
        {
            var reader = new KafkaReader(new ReadOnlySequence<byte>(subscription));
            var version = reader.ReadInt16();
            var names = new TopicName[reader.ReadArrayLength(flexible: false, nullable: false, minimumElementSize: sizeof(short))];
            for (var i = 0; i < names.Length; i++) names[i] = KafkaTopicNames.Parse(reader.ReadString(flexible: false));
            // Members of version 0 may end here; and each version adds to the one before.
            if (reader.Remaining > 0) reader.ReadBytes(flexible: false, nullable: true);
            IReadOnlyList<GroupPartition> owned = version >= 1 && reader.Remaining > 0 ? ReadPartitions(ref reader, topics) : [];
            if (version >= 2 && reader.Remaining > 0) reader.ReadInt32();
            var rack = version >= 3 && reader.Remaining > 0 ? reader.ReadString(flexible: false, nullable: true) : null;
            return new ConsumerSubscription(names, owned, rack);
        }
        catch (KafkaWireException)
        {
            // Assignors may put what they like there; then the broker does not know what the member reads.
            return null;
        }
    }

    /// <summary>Spells an assignment for a member that has sent a subscription: in its version. All versions look alike.</summary>
    public static byte[] WriteAssignment(IReadOnlyList<GroupPartition> partitions, byte[] subscription, ITopics topics)
    {
        var version = subscription.Length >= sizeof(short) ? BinaryPrimitives.ReadInt16BigEndian(subscription) : (short)0;
        var named = partitions.GroupBy(p => p.Topic).Select(t => (Topic: topics.Find(t.Key), Partitions: t.Select(p => p.Partition).ToList())).Where(t => t.Topic is not null).ToList();
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        writer.WriteInt16(Math.Min(version, NewestAssignment));
        writer.WriteInt32(named.Count);
        foreach (var (topic, indexes) in named)
        {
            writer.WriteString(KafkaTopicNames.Format(topic!.Name), flexible: false, nullable: false, "topic");
            writer.WriteInt32(indexes.Count);
            foreach (var index in indexes) writer.WriteInt32(index);
        }
        writer.WriteBytes(null, flexible: false, nullable: true, "userData");
        writer.Flush();
        return output.WrittenSpan.ToArray();
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
