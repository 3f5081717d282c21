namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for transactions (KIP-664).</summary>
[KafkaRequest(ApiKey.DescribeTransactions, "0", FlexibleFrom = 0)]
public sealed partial class DescribeTransactionsRequest
{
    /// <summary>The transactional ids.</summary>
    [Field("0+")]
    public List<string> TransactionalIds { get; set; } = [];
}

/// <summary>Transactions.</summary>
[KafkaResponse(ApiKey.DescribeTransactions, "0", FlexibleFrom = 0)]
public sealed partial class DescribeTransactionsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The transactions.</summary>
    [Field("0+")]
    public List<DescribedTransaction> TransactionStates { get; set; } = [];

    /// <summary>A transaction.</summary>
    public sealed partial class DescribedTransaction
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The transactional id.</summary>
        [Field("0+")]
        public string TransactionalId { get; set; } = "";

        /// <summary>The state's name.</summary>
        [Field("0+")]
        public string TransactionState { get; set; } = "";

        /// <summary>Milliseconds after which the transaction is aborted.</summary>
        [Field("0+")]
        public int TransactionTimeoutMs { get; set; }

        /// <summary>When the transaction began, in milliseconds since 1970.</summary>
        [Field("0+")]
        public long TransactionStartTimeMs { get; set; }

        /// <summary>The producer's id.</summary>
        [Field("0+")]
        public long ProducerId { get; set; }

        /// <summary>The producer's epoch.</summary>
        [Field("0+")]
        public short ProducerEpoch { get; set; }

        /// <summary>The topics in the transaction.</summary>
        [Field("0+")]
        public List<TopicData> Topics { get; set; } = [];
    }

    /// <summary>The partitions of a topic.</summary>
    public sealed partial class TopicData
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Topic { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> Partitions { get; set; } = [];
    }
}
