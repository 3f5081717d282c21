namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Adds partitions to transactions; from version 4 on many, for brokers.</summary>
[KafkaRequest(ApiKey.AddPartitionsToTxn, "0-5", FlexibleFrom = 3)]
public sealed partial class AddPartitionsToTxnRequest
{
    /// <summary>The transactions.</summary>
    [Field("4+")]
    public List<AddPartitionsToTxnTransaction> Transactions { get; set; } = [];

    /// <summary>The transactional id of the producer.</summary>
    [Field("0-3")]
    public string V3AndBelowTransactionalId { get; set; } = "";

    /// <summary>The producer's id.</summary>
    [Field("0-3")]
    public long V3AndBelowProducerId { get; set; }

    /// <summary>The producer's epoch.</summary>
    [Field("0-3")]
    public short V3AndBelowProducerEpoch { get; set; }

    /// <summary>The topics.</summary>
    [Field("0-3")]
    public List<AddPartitionsToTxnTopic> V3AndBelowTopics { get; set; } = [];

    /// <summary>A transaction, and the partitions to add to it.</summary>
    public sealed partial class AddPartitionsToTxnTransaction
    {
        /// <summary>The transactional id of the producer; null when it has none.</summary>
        [Field("4+")]
        public string TransactionalId { get; set; } = "";

        /// <summary>The producer's id; -1 for none.</summary>
        [Field("4+")]
        public long ProducerId { get; set; }

        /// <summary>The producer's epoch; -1 for none.</summary>
        [Field("4+")]
        public short ProducerEpoch { get; set; }

        /// <summary>Whether only to ask if the partitions are in the transaction.</summary>
        [Field("4+")]
        public bool VerifyOnly { get; set; }

        /// <summary>The topics.</summary>
        [Field("4+")]
        public List<AddPartitionsToTxnTopic> Topics { get; set; } = [];
    }

    /// <summary>The partitions to add of a topic.</summary>
    public sealed partial class AddPartitionsToTxnTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> Partitions { get; set; } = [];
    }
}

/// <summary>Says which partitions were added.</summary>
[KafkaResponse(ApiKey.AddPartitionsToTxn, "0-5", FlexibleFrom = 3)]
public sealed partial class AddPartitionsToTxnResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("4+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The answers, by transaction.</summary>
    [Field("4+")]
    public List<AddPartitionsToTxnResult> ResultsByTransaction { get; set; } = [];

    /// <summary>The answers, by topic.</summary>
    [Field("0-3")]
    public List<AddPartitionsToTxnTopicResult> ResultsByTopicV3AndBelow { get; set; } = [];

    /// <summary>The answer for a transaction.</summary>
    public sealed partial class AddPartitionsToTxnResult
    {
        /// <summary>The transactional id of the producer; null when it has none.</summary>
        [Field("4+")]
        public string TransactionalId { get; set; } = "";

        /// <summary>The answers, by topic.</summary>
        [Field("4+")]
        public List<AddPartitionsToTxnTopicResult> TopicResults { get; set; } = [];
    }

    /// <summary>The answer for a topic.</summary>
    public sealed partial class AddPartitionsToTxnTopicResult
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The answers, by partition.</summary>
        [Field("0+")]
        public List<AddPartitionsToTxnPartitionResult> ResultsByPartition { get; set; } = [];
    }

    /// <summary>The answer for a partition.</summary>
    public sealed partial class AddPartitionsToTxnPartitionResult
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode PartitionErrorCode { get; set; }
    }
}
