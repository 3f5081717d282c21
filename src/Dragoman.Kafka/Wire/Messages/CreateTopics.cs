namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Creates topics.</summary>
[KafkaRequest(ApiKey.CreateTopics, "2-7", FlexibleFrom = 5)]
public sealed partial class CreateTopicsRequest
{
    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<CreatableTopic> Topics { get; set; } = [];

    /// <summary>Milliseconds to wait for the work to be done before answering that it was not.</summary>
    [Field("0+")]
    public int TimeoutMs { get; set; } = 60000;

    /// <summary>Whether only to check, and change nothing.</summary>
    [Field("1+")]
    public bool ValidateOnly { get; set; }

    /// <summary>A topic to create.</summary>
    public sealed partial class CreatableTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>How many partitions; -1 for the default.</summary>
        [Field("0+")]
        public int NumPartitions { get; set; }

        /// <summary>How many replicas; -1 for the default.</summary>
        [Field("0+")]
        public short ReplicationFactor { get; set; }

        /// <summary>Which nodes get which partition; empty to leave it to the broker.</summary>
        [Field("0+")]
        public List<CreatableReplicaAssignment> Assignments { get; set; } = [];

        /// <summary>The configuration.</summary>
        [Field("0+")]
        public List<CreatableTopicConfig> Configs { get; set; } = [];
    }

    /// <summary>Where the replicas of a partition go.</summary>
    public sealed partial class CreatableReplicaAssignment
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>The nodes.</summary>
        [Field("0+")]
        public List<int> BrokerIds { get; set; } = [];
    }

    /// <summary>A key to set.</summary>
    public sealed partial class CreatableTopicConfig
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The value; null for none, or one that is not shown.</summary>
        [Field("0+", Nullable = "0+")]
        public string? Value { get; set; }
    }
}

/// <summary>Says which topics were created.</summary>
[KafkaResponse(ApiKey.CreateTopics, "2-7", FlexibleFrom = 5)]
public sealed partial class CreateTopicsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("2+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<CreatableTopicResult> Topics { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class CreatableTopicResult
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The topic's id; all zeros when the topic goes by its name.</summary>
        [Field("7+")]
        public Guid TopicId { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("1+", Nullable = "0+")]
        public string? ErrorMessage { get; set; }

        /// <summary>Why the configuration is not shown.</summary>
        [Field("5+", Tag = 0)]
        public ErrorCode TopicConfigErrorCode { get; set; }

        /// <summary>How many partitions; -1 for the default.</summary>
        [Field("5+")]
        public int NumPartitions { get; set; } = -1;

        /// <summary>How many replicas; -1 for the default.</summary>
        [Field("5+")]
        public short ReplicationFactor { get; set; } = -1;

        /// <summary>The configuration.</summary>
        [Field("5+", Nullable = "5+")]
        public List<CreatableTopicConfigs>? Configs { get; set; }
    }

    /// <summary>A key that the new topic has.</summary>
    public sealed partial class CreatableTopicConfigs
    {
        /// <summary>The name.</summary>
        [Field("5+")]
        public string Name { get; set; } = "";

        /// <summary>The value; null for none, or one that is not shown.</summary>
        [Field("5+", Nullable = "5+")]
        public string? Value { get; set; }

        /// <summary>Whether the value cannot be changed.</summary>
        [Field("5+")]
        public bool ReadOnly { get; set; }

        /// <summary>Where the value comes from.</summary>
        [Field("5+")]
        public ConfigSource ConfigSource { get; set; } = ConfigSource.NotSaid;

        /// <summary>Whether the value is a secret, and not shown.</summary>
        [Field("5+")]
        public bool IsSensitive { get; set; }
    }
}
