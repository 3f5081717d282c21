namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Commits offsets of a group within a transaction.</summary>
[KafkaRequest(ApiKey.TxnOffsetCommit, "0-5", FlexibleFrom = 3)]
public sealed partial class TxnOffsetCommitRequest
{
    /// <summary>The transactional id of the producer; null when it has none.</summary>
    [Field("0+")]
    public string TransactionalId { get; set; } = "";

    /// <summary>The group.</summary>
    [Field("0+")]
    public string GroupId { get; set; } = "";

    /// <summary>The producer's id; -1 for none.</summary>
    [Field("0+")]
    public long ProducerId { get; set; }

    /// <summary>The producer's epoch; -1 for none.</summary>
    [Field("0+")]
    public short ProducerEpoch { get; set; }

    /// <summary>The generation; -1 when there is none.</summary>
    [Field("3+")]
    public int GenerationId { get; set; } = -1;

    /// <summary>The member's id; empty when it has none yet.</summary>
    [Field("3+")]
    public string MemberId { get; set; } = "";

    /// <summary>The id of a static member (KIP-345); null for a dynamic one.</summary>
    [Field("3+", Nullable = "3+")]
    public string? GroupInstanceId { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<TxnOffsetCommitRequestTopic> Topics { get; set; } = [];

    /// <summary>The offsets to commit of a topic.</summary>
    public sealed partial class TxnOffsetCommitRequestTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<TxnOffsetCommitRequestPartition> Partitions { get; set; } = [];
    }

    /// <summary>The offset to commit of a partition.</summary>
    public sealed partial class TxnOffsetCommitRequestPartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>The offset of the next record to read; -1 when nothing is committed.</summary>
        [Field("0+")]
        public long CommittedOffset { get; set; }

        /// <summary>The leader epoch of the last record read; -1 when unknown.</summary>
        [Field("2+")]
        public int CommittedLeaderEpoch { get; set; } = -1;

        /// <summary>Whatever the client wants to keep beside the offset.</summary>
        [Field("0+", Nullable = "0+")]
        public string? CommittedMetadata { get; set; }
    }
}

/// <summary>Says which offsets were committed.</summary>
[KafkaResponse(ApiKey.TxnOffsetCommit, "0-5", FlexibleFrom = 3)]
public sealed partial class TxnOffsetCommitResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<TxnOffsetCommitResponseTopic> Topics { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class TxnOffsetCommitResponseTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<TxnOffsetCommitResponsePartition> Partitions { get; set; } = [];
    }

    /// <summary>The answer for a partition.</summary>
    public sealed partial class TxnOffsetCommitResponsePartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }
    }
}
