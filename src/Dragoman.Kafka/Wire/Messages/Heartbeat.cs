namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Says that a member of a classic group is alive.</summary>
[KafkaRequest(ApiKey.Heartbeat, "0-4", FlexibleFrom = 4)]
public sealed partial class HeartbeatRequest
{
    /// <summary>The group.</summary>
    [Field("0+")]
    public string GroupId { get; set; } = "";

    /// <summary>The generation; -1 when there is none.</summary>
    [Field("0+")]
    public int GenerationId { get; set; }

    /// <summary>The member's id; empty when it has none yet.</summary>
    [Field("0+")]
    public string MemberId { get; set; } = "";

    /// <summary>The id of a static member (KIP-345); null for a dynamic one.</summary>
    [Field("3+", Nullable = "3+")]
    public string? GroupInstanceId { get; set; }
}

/// <summary>Says if the group goes on as it is.</summary>
[KafkaResponse(ApiKey.Heartbeat, "0-4", FlexibleFrom = 4)]
public sealed partial class HeartbeatResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }
}
