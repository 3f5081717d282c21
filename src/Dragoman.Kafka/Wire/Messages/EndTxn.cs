namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Commits or aborts a transaction.</summary>
[KafkaRequest(ApiKey.EndTxn, "0-5", FlexibleFrom = 3)]
public sealed partial class EndTxnRequest
{
    /// <summary>The transactional id of the producer; null when it has none.</summary>
    [Field("0+")]
    public string TransactionalId { get; set; } = "";

    /// <summary>The producer's id; -1 for none.</summary>
    [Field("0+")]
    public long ProducerId { get; set; }

    /// <summary>The producer's epoch; -1 for none.</summary>
    [Field("0+")]
    public short ProducerEpoch { get; set; }

    /// <summary>Whether to commit, and not abort.</summary>
    [Field("0+")]
    public bool Committed { get; set; }
}

/// <summary>Says if the transaction is over.</summary>
[KafkaResponse(ApiKey.EndTxn, "0-5", FlexibleFrom = 3)]
public sealed partial class EndTxnResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The producer's id; -1 for none.</summary>
    [Field("5+")]
    public long ProducerId { get; set; } = -1;

    /// <summary>The producer's epoch; -1 for none.</summary>
    [Field("5+")]
    public short ProducerEpoch { get; set; } = -1;
}
