namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Commits offsets of a group.</summary>
[KafkaRequest(ApiKey.OffsetCommit, "2-9", FlexibleFrom = 8)]
public sealed partial class OffsetCommitRequest
{
    /// <summary>The group.</summary>
    [Field("0+")]
    public string GroupId { get; set; } = "";

    /// <summary>The generation of a classic group, or the member epoch of a consumer group; -1 outside any.</summary>
    [Field("1+")]
    public int GenerationIdOrMemberEpoch { get; set; } = -1;

    /// <summary>The member's id; empty when it has none yet.</summary>
    [Field("1+")]
    public string MemberId { get; set; } = "";

    /// <summary>The id of a static member (KIP-345); null for a dynamic one.</summary>
    [Field("7+", Nullable = "7+")]
    public string? GroupInstanceId { get; set; }

    /// <summary>Milliseconds to keep the offsets; -1 for the broker's default.</summary>
    [Field("2-4")]
    public long RetentionTimeMs { get; set; } = -1;

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<OffsetCommitRequestTopic> Topics { get; set; } = [];

    /// <summary>The offsets to commit of a topic.</summary>
    public sealed partial class OffsetCommitRequestTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<OffsetCommitRequestPartition> Partitions { get; set; } = [];
    }

    /// <summary>The offset to commit of a partition.</summary>
    public sealed partial class OffsetCommitRequestPartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>The offset of the next record to read; -1 when nothing is committed.</summary>
        [Field("0+")]
        public long CommittedOffset { get; set; }

        /// <summary>The leader epoch of the last record read; -1 when unknown.</summary>
        [Field("6+")]
        public int CommittedLeaderEpoch { get; set; } = -1;

        /// <summary>Whatever the client wants to keep beside the offset.</summary>
        [Field("0+", Nullable = "0+")]
        public string? CommittedMetadata { get; set; }
    }
}

/// <summary>Says which offsets were committed.</summary>
[KafkaResponse(ApiKey.OffsetCommit, "2-9", FlexibleFrom = 8)]
public sealed partial class OffsetCommitResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("3+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<OffsetCommitResponseTopic> Topics { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class OffsetCommitResponseTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<OffsetCommitResponsePartition> Partitions { get; set; } = [];
    }

    /// <summary>The answer for a partition.</summary>
    public sealed partial class OffsetCommitResponsePartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }
    }
}
