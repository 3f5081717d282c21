namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Tells what a member of a consumer group is, has and wants (KIP-848).</summary>
[KafkaRequest(ApiKey.ConsumerGroupHeartbeat, "0-1", FlexibleFrom = 0)]
public sealed partial class ConsumerGroupHeartbeatRequest
{
    /// <summary>The group.</summary>
    [Field("0+")]
    public string GroupId { get; set; } = "";

    /// <summary>The member's id; from version 1 on always the client's own choice (KIP-1082).</summary>
    [Field("0+")]
    public string MemberId { get; set; } = "";

    /// <summary>The member's epoch; 0 to join, -1 to leave, -2 where a static member leaves and means to come back.</summary>
    [Field("0+")]
    public int MemberEpoch { get; set; }

    /// <summary>The id of a static member; null for a dynamic one, or if it did not change.</summary>
    [Field("0+", Nullable = "0+")]
    public string? InstanceId { get; set; }

    /// <summary>The rack of the client; null if it has none, or if it did not change.</summary>
    [Field("0+", Nullable = "0+")]
    public string? RackId { get; set; }

    /// <summary>Milliseconds that the member may take to give partitions up; -1 if that did not change.</summary>
    [Field("0+")]
    public int RebalanceTimeoutMs { get; set; } = -1;

    /// <summary>The topics subscribed to by name; null if they did not change.</summary>
    [Field("0+", Nullable = "0+")]
    public List<string>? SubscribedTopicNames { get; set; }

    /// <summary>The pattern of further topics; null if it did not change.</summary>
    [Field("1+", Nullable = "1+")]
    public string? SubscribedTopicRegex { get; set; }

    /// <summary>The assignor wanted; null if the broker may choose, or if it did not change.</summary>
    [Field("0+", Nullable = "0+")]
    public string? ServerAssignor { get; set; }

    /// <summary>The partitions that the member has; null if they did not change.</summary>
    [Field("0+", Nullable = "0+")]
    public List<TopicPartition>? TopicPartitions { get; set; }

    /// <summary>Partitions of a topic.</summary>
    public sealed partial class TopicPartition
    {
        /// <summary>The topic's id.</summary>
        [Field("0+")]
        public Guid TopicId { get; set; }

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> Partitions { get; set; } = [];
    }
}

/// <summary>Tells a member what it shall have.</summary>
[KafkaResponse(ApiKey.ConsumerGroupHeartbeat, "0-1", FlexibleFrom = 0)]
public sealed partial class ConsumerGroupHeartbeatResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>What went wrong, in words; null when nothing did.</summary>
    [Field("0+", Nullable = "0+")]
    public string? ErrorMessage { get; set; }

    /// <summary>The member's id; null where the request was refused.</summary>
    [Field("0+", Nullable = "0+")]
    public string? MemberId { get; set; }

    /// <summary>The member's epoch.</summary>
    [Field("0+")]
    public int MemberEpoch { get; set; }

    /// <summary>Milliseconds until the next heartbeat.</summary>
    [Field("0+")]
    public int HeartbeatIntervalMs { get; set; }

    /// <summary>What the member shall have; null if that did not change.</summary>
    [Field("0+", Nullable = "0+")]
    public MemberAssignment? Assignment { get; set; }

    /// <summary>What a member shall have.</summary>
    public sealed partial class MemberAssignment
    {
        /// <summary>The partitions that it may use at once.</summary>
        [Field("0+")]
        public List<TopicPartition> TopicPartitions { get; set; } = [];
    }

    /// <summary>Partitions of a topic.</summary>
    public sealed partial class TopicPartition
    {
        /// <summary>The topic's id.</summary>
        [Field("0+")]
        public Guid TopicId { get; set; }

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> Partitions { get; set; } = [];
    }
}
