namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks which transactions there are (KIP-664, KIP-994).</summary>
[KafkaRequest(ApiKey.ListTransactions, "0-1", FlexibleFrom = 0)]
public sealed partial class ListTransactionsRequest
{
    /// <summary>The states wanted; empty for all.</summary>
    [Field("0+")]
    public List<string> StateFilters { get; set; } = [];

    /// <summary>The producers wanted; empty for all.</summary>
    [Field("0+")]
    public List<long> ProducerIdFilters { get; set; } = [];

    /// <summary>Only those that have run for longer than so many milliseconds; negative for all.</summary>
    [Field("1+")]
    public long DurationFilter { get; set; } = -1;
}

/// <summary>Transactions.</summary>
[KafkaResponse(ApiKey.ListTransactions, "0-1", FlexibleFrom = 0)]
public sealed partial class ListTransactionsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>States that were asked for and that nobody knows.</summary>
    [Field("0+")]
    public List<string> UnknownStateFilters { get; set; } = [];

    /// <summary>The transactions.</summary>
    [Field("0+")]
    public List<ListedTransaction> TransactionStates { get; set; } = [];

    /// <summary>A transaction.</summary>
    public sealed partial class ListedTransaction
    {
        /// <summary>The transactional id.</summary>
        [Field("0+")]
        public string TransactionalId { get; set; } = "";

        /// <summary>The producer's id.</summary>
        [Field("0+")]
        public long ProducerId { get; set; }

        /// <summary>The state's name.</summary>
        [Field("0+")]
        public string TransactionState { get; set; } = "";
    }
}
