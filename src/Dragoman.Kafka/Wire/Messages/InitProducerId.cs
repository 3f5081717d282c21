namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for a producer id, or for a new epoch of one.</summary>
[KafkaRequest(ApiKey.InitProducerId, "0-5", FlexibleFrom = 2)]
public sealed partial class InitProducerIdRequest
{
    /// <summary>The transactional id of the producer; null when it has none.</summary>
    [Field("0+", Nullable = "0+")]
    public string? TransactionalId { get; set; }

    /// <summary>Milliseconds after which the coordinator aborts a transaction that stands still.</summary>
    [Field("0+")]
    public int TransactionTimeoutMs { get; set; }

    /// <summary>The producer's id; -1 for none.</summary>
    [Field("3+")]
    public long ProducerId { get; set; } = -1;

    /// <summary>The producer's epoch; -1 for none.</summary>
    [Field("3+")]
    public short ProducerEpoch { get; set; } = -1;
}

/// <summary>A producer id and its epoch.</summary>
[KafkaResponse(ApiKey.InitProducerId, "0-5", FlexibleFrom = 2)]
public sealed partial class InitProducerIdResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The producer's id; -1 for none.</summary>
    [Field("0+")]
    public long ProducerId { get; set; } = -1;

    /// <summary>The producer's epoch; -1 for none.</summary>
    [Field("0+")]
    public short ProducerEpoch { get; set; }
}
