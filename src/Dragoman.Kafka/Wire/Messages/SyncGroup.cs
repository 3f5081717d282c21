namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for a member's assignment; the leader brings everyone's.</summary>
[KafkaRequest(ApiKey.SyncGroup, "0-5", FlexibleFrom = 4)]
public sealed partial class SyncGroupRequest
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

    /// <summary>What the group is about, as <c>consumer</c>.</summary>
    [Field("5+", Nullable = "5+")]
    public string? ProtocolType { get; set; }

    /// <summary>The assignor chosen.</summary>
    [Field("5+", Nullable = "5+")]
    public string? ProtocolName { get; set; }

    /// <summary>Which nodes get which partition; empty to leave it to the broker.</summary>
    [Field("0+")]
    public List<SyncGroupRequestAssignment> Assignments { get; set; } = [];

    /// <summary>What the leader assigned to a member.</summary>
    public sealed partial class SyncGroupRequestAssignment
    {
        /// <summary>The member's id; empty when it has none yet.</summary>
        [Field("0+")]
        public string MemberId { get; set; } = "";

        /// <summary>The member's assignment, which only clients understand.</summary>
        [Field("0+")]
        public byte[] Assignment { get; set; } = [];
    }
}

/// <summary>The member's assignment.</summary>
[KafkaResponse(ApiKey.SyncGroup, "0-5", FlexibleFrom = 4)]
public sealed partial class SyncGroupResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>What the group is about, as <c>consumer</c>.</summary>
    [Field("5+", Nullable = "5+")]
    public string? ProtocolType { get; set; }

    /// <summary>The assignor chosen.</summary>
    [Field("5+", Nullable = "5+")]
    public string? ProtocolName { get; set; }

    /// <summary>The member's assignment, which only clients understand.</summary>
    [Field("0+")]
    public byte[] Assignment { get; set; } = [];
}
