namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks where partitions are, page by page.</summary>
[KafkaRequest(ApiKey.DescribeTopicPartitions, "0", FlexibleFrom = 0)]
public sealed partial class DescribeTopicPartitionsRequest
{
    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<TopicRequest> Topics { get; set; } = [];

    /// <summary>How many partitions to answer at most.</summary>
    [Field("0+")]
    public int ResponsePartitionLimit { get; set; } = 2000;

    /// <summary>Where to begin; null for the first topic.</summary>
    [Field("0+", Nullable = "0+")]
    public TopicCursor? Cursor { get; set; }

    /// <summary>A topic to describe.</summary>
    public sealed partial class TopicRequest
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";
    }

    /// <summary>Where a page begins.</summary>
    public sealed partial class TopicCursor
    {
        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string TopicName { get; set; } = "";

        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }
    }
}

/// <summary>Where partitions are.</summary>
[KafkaResponse(ApiKey.DescribeTopicPartitions, "0", FlexibleFrom = 0)]
public sealed partial class DescribeTopicPartitionsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<DescribeTopicPartitionsResponseTopic> Topics { get; set; } = [];

    /// <summary>Where the next page begins; null when there is none.</summary>
    [Field("0+", Nullable = "0+")]
    public TopicCursor? NextCursor { get; set; }

    /// <summary>A topic.</summary>
    public sealed partial class DescribeTopicPartitionsResponseTopic
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The name.</summary>
        [Field("0+", Nullable = "0+")]
        public string? Name { get; set; }

        /// <summary>The topic's id.</summary>
        [Field("0+")]
        public Guid TopicId { get; set; }

        /// <summary>Whether the topic is the broker's own.</summary>
        [Field("0+")]
        public bool IsInternal { get; set; }

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<DescribeTopicPartitionsResponsePartition> Partitions { get; set; } = [];

        /// <summary>Bits of what the client may do to the topic; the lowest number when not asked.</summary>
        [Field("0+")]
        public int TopicAuthorizedOperations { get; set; } = int.MinValue;
    }

    /// <summary>Where a page begins.</summary>
    public sealed partial class TopicCursor
    {
        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string TopicName { get; set; } = "";

        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }
    }

    /// <summary>A partition.</summary>
    public sealed partial class DescribeTopicPartitionsResponsePartition
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>The leader's node id; -1 when there is none.</summary>
        [Field("0+")]
        public int LeaderId { get; set; }

        /// <summary>The leader's epoch; -1 when unknown.</summary>
        [Field("0+")]
        public int LeaderEpoch { get; set; } = -1;

        /// <summary>The nodes that have a replica.</summary>
        [Field("0+")]
        public List<int> ReplicaNodes { get; set; } = [];

        /// <summary>The nodes whose replica is in sync.</summary>
        [Field("0+")]
        public List<int> IsrNodes { get; set; } = [];

        /// <summary>The nodes that may lead though they are not in sync; null when unknown.</summary>
        [Field("0+", Nullable = "0+")]
        public List<int>? EligibleLeaderReplicas { get; set; }

        /// <summary>The nodes that last were such; null when unknown.</summary>
        [Field("0+", Nullable = "0+")]
        public List<int>? LastKnownElr { get; set; }

        /// <summary>The nodes whose replica is not there.</summary>
        [Field("0+")]
        public List<int> OfflineReplicas { get; set; } = [];
    }
}
