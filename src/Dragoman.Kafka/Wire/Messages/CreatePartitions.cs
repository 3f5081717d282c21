namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Adds partitions to topics.</summary>
[KafkaRequest(ApiKey.CreatePartitions, "0-3", FlexibleFrom = 2)]
public sealed partial class CreatePartitionsRequest
{
    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<CreatePartitionsTopic> Topics { get; set; } = [];

    /// <summary>Milliseconds to wait for the work to be done before answering that it was not.</summary>
    [Field("0+")]
    public int TimeoutMs { get; set; }

    /// <summary>Whether only to check, and change nothing.</summary>
    [Field("0+")]
    public bool ValidateOnly { get; set; }

    /// <summary>A topic that is to have more partitions.</summary>
    public sealed partial class CreatePartitionsTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>How many partitions there shall be in all.</summary>
        [Field("0+")]
        public int Count { get; set; }

        /// <summary>Which nodes get which partition; empty to leave it to the broker.</summary>
        [Field("0+", Nullable = "0+")]
        public List<CreatePartitionsAssignment>? Assignments { get; set; }
    }

    /// <summary>Where the replicas of a new partition go.</summary>
    public sealed partial class CreatePartitionsAssignment
    {
        /// <summary>The nodes.</summary>
        [Field("0+")]
        public List<int> BrokerIds { get; set; } = [];
    }
}

/// <summary>Says which topics got partitions.</summary>
[KafkaResponse(ApiKey.CreatePartitions, "0-3", FlexibleFrom = 2)]
public sealed partial class CreatePartitionsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The answers.</summary>
    [Field("0+")]
    public List<CreatePartitionsTopicResult> Results { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class CreatePartitionsTopicResult
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("0+", Nullable = "0+")]
        public string? ErrorMessage { get; set; }
    }
}
