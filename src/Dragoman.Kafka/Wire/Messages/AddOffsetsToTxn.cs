namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Adds a group's offsets to a transaction.</summary>
[KafkaRequest(ApiKey.AddOffsetsToTxn, "0-4", FlexibleFrom = 3)]
public sealed partial class AddOffsetsToTxnRequest
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

    /// <summary>The group.</summary>
    [Field("0+")]
    public string GroupId { get; set; } = "";
}

/// <summary>Says if the offsets were added.</summary>
[KafkaResponse(ApiKey.AddOffsetsToTxn, "0-4", FlexibleFrom = 3)]
public sealed partial class AddOffsetsToTxnResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }
}
