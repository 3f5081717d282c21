namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks which producers partitions know (KIP-664).</summary>
[KafkaRequest(ApiKey.DescribeProducers, "0", FlexibleFrom = 0)]
public sealed partial class DescribeProducersRequest
{
    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<TopicRequest> Topics { get; set; } = [];

    /// <summary>The partitions of a topic.</summary>
    public sealed partial class TopicRequest
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> PartitionIndexes { get; set; } = [];
    }
}

/// <summary>The producers of partitions.</summary>
[KafkaResponse(ApiKey.DescribeProducers, "0", FlexibleFrom = 0)]
public sealed partial class DescribeProducersResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<TopicResponse> Topics { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class TopicResponse
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<PartitionResponse> Partitions { get; set; } = [];
    }

    /// <summary>The answer for a partition.</summary>
    public sealed partial class PartitionResponse
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

        /// <summary>The producers.</summary>
        [Field("0+")]
        public List<ProducerState> ActiveProducers { get; set; } = [];
    }

    /// <summary>What a partition knows of a producer.</summary>
    public sealed partial class ProducerState
    {
        /// <summary>The producer's id.</summary>
        [Field("0+")]
        public long ProducerId { get; set; }

        /// <summary>The producer's epoch.</summary>
        [Field("0+")]
        public int ProducerEpoch { get; set; }

        /// <summary>The last sequence number; -1 when there is none.</summary>
        [Field("0+")]
        public int LastSequence { get; set; } = -1;

        /// <summary>The timestamp of the last batch, in milliseconds since 1970; -1 when there is none.</summary>
        [Field("0+")]
        public long LastTimestamp { get; set; } = -1;

        /// <summary>The epoch in the last marker.</summary>
        [Field("0+")]
        public int CoordinatorEpoch { get; set; }

        /// <summary>Where the open transaction begins; -1 when none is open.</summary>
        [Field("0+")]
        public long CurrentTxnStartOffset { get; set; } = -1;
    }
}
