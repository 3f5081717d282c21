using Dragoman.Broker.Groups;

namespace Dragoman.Kafka.Groups;

/// <summary>How groups are called in Kafka: as they are. Kafka allows any text, and the empty one for offsets alone.</summary>
internal static class KafkaGroupNames
{
    /// <summary>The group that a client names.</summary>
    public static GroupName Parse(string groupId) => GroupName.InDefault(groupId);

    /// <summary>What clients see a group as.</summary>
    public static string Format(GroupName name) => name.Name;
}
