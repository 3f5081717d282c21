namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Deletes offsets that a group committed (KIP-496).</summary>
[KafkaRequest(ApiKey.OffsetDelete, "0")]
public sealed partial class OffsetDeleteRequest
{
    /// <summary>The group.</summary>
    [Field("0+")]
    public string GroupId { get; set; } = "";

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<OffsetDeleteRequestTopic> Topics { get; set; } = [];

    /// <summary>Which offsets of a topic to delete.</summary>
    public sealed partial class OffsetDeleteRequestTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<OffsetDeleteRequestPartition> Partitions { get; set; } = [];
    }

    /// <summary>A partition of which to delete the offset.</summary>
    public sealed partial class OffsetDeleteRequestPartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }
    }
}

/// <summary>Says which offsets were deleted.</summary>
[KafkaResponse(ApiKey.OffsetDelete, "0")]
public sealed partial class OffsetDeleteResponse
{
    /// <summary>What went wrong with all of it, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<OffsetDeleteResponseTopic> Topics { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class OffsetDeleteResponseTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<OffsetDeleteResponsePartition> Partitions { get; set; } = [];
    }

    /// <summary>The answer for a partition.</summary>
    public sealed partial class OffsetDeleteResponsePartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }
    }
}
