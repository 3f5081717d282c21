namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Moves partitions to other nodes, or ends such moves.</summary>
[KafkaRequest(ApiKey.AlterPartitionReassignments, "0", FlexibleFrom = 0)]
public sealed partial class AlterPartitionReassignmentsRequest
{
    /// <summary>Milliseconds to wait for the work to be done before answering that it was not.</summary>
    [Field("0+")]
    public int TimeoutMs { get; set; } = 60000;

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<ReassignableTopic> Topics { get; set; } = [];

    /// <summary>A topic.</summary>
    public sealed partial class ReassignableTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<ReassignablePartition> Partitions { get; set; } = [];
    }

    /// <summary>A partition, and where it shall be.</summary>
    public sealed partial class ReassignablePartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>The nodes to move to; null to end a move that is under way.</summary>
        [Field("0+", Nullable = "0+")]
        public List<int>? Replicas { get; set; }
    }
}

/// <summary>Which moves began or ended.</summary>
[KafkaResponse(ApiKey.AlterPartitionReassignments, "0", FlexibleFrom = 0)]
public sealed partial class AlterPartitionReassignmentsResponse
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

    /// <summary>The answers.</summary>
    [Field("0+")]
    public List<ReassignableTopicResponse> Responses { get; set; } = [];

    /// <summary>A topic.</summary>
    public sealed partial class ReassignableTopicResponse
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<ReassignablePartitionResponse> Partitions { get; set; } = [];
    }

    /// <summary>A partition, and whether it moves.</summary>
    public sealed partial class ReassignablePartitionResponse
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("0+", Nullable = "0+")]
        public string? ErrorMessage { get; set; }
    }
}
