namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks which partitions are being moved.</summary>
[KafkaRequest(ApiKey.ListPartitionReassignments, "0", FlexibleFrom = 0)]
public sealed partial class ListPartitionReassignmentsRequest
{
    /// <summary>Milliseconds to wait for the work to be done before answering that it was not.</summary>
    [Field("0+")]
    public int TimeoutMs { get; set; } = 60000;

    /// <summary>Which topics; null for all.</summary>
    [Field("0+", Nullable = "0+")]
    public List<ListPartitionReassignmentsTopics>? Topics { get; set; }

    /// <summary>A topic of interest.</summary>
    public sealed partial class ListPartitionReassignmentsTopics
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> PartitionIndexes { get; set; } = [];
    }
}

/// <summary>The partitions that are being moved.</summary>
[KafkaResponse(ApiKey.ListPartitionReassignments, "0", FlexibleFrom = 0)]
public sealed partial class ListPartitionReassignmentsResponse
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

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<OngoingTopicReassignment> Topics { get; set; } = [];

    /// <summary>A topic.</summary>
    public sealed partial class OngoingTopicReassignment
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<OngoingPartitionReassignment> Partitions { get; set; } = [];
    }

    /// <summary>A partition that is being moved.</summary>
    public sealed partial class OngoingPartitionReassignment
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>The nodes that have a replica now.</summary>
        [Field("0+")]
        public List<int> Replicas { get; set; } = [];

        /// <summary>The nodes that are to get a replica.</summary>
        [Field("0+")]
        public List<int> AddingReplicas { get; set; } = [];

        /// <summary>The nodes that are to lose theirs.</summary>
        [Field("0+")]
        public List<int> RemovingReplicas { get; set; } = [];
    }
}
