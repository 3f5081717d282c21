namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Joins a classic group.</summary>
[KafkaRequest(ApiKey.JoinGroup, "0-9", FlexibleFrom = 6)]
public sealed partial class JoinGroupRequest
{
    /// <summary>The group.</summary>
    [Field("0+")]
    public string GroupId { get; set; } = "";

    /// <summary>Milliseconds without a heartbeat after which the member is out.</summary>
    [Field("0+")]
    public int SessionTimeoutMs { get; set; }

    /// <summary>Milliseconds that members have to rejoin; -1 for the session timeout.</summary>
    [Field("1+")]
    public int RebalanceTimeoutMs { get; set; } = -1;

    /// <summary>The member's id; empty when it has none yet.</summary>
    [Field("0+")]
    public string MemberId { get; set; } = "";

    /// <summary>The id of a static member (KIP-345); null for a dynamic one.</summary>
    [Field("5+", Nullable = "5+")]
    public string? GroupInstanceId { get; set; }

    /// <summary>What the group is about, as <c>consumer</c>.</summary>
    [Field("0+")]
    public string ProtocolType { get; set; } = "";

    /// <summary>The assignors that the member speaks, the best first.</summary>
    [Field("0+")]
    public List<JoinGroupRequestProtocol> Protocols { get; set; } = [];

    /// <summary>Why, for the broker's log; null when not said.</summary>
    [Field("8+", Nullable = "8+")]
    public string? Reason { get; set; }

    /// <summary>An assignor, and what the member has to tell it.</summary>
    public sealed partial class JoinGroupRequestProtocol
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>Whatever the client kept beside the offset.</summary>
        [Field("0+")]
        public byte[] Metadata { get; set; } = [];
    }
}

/// <summary>The generation that the member joined, and for the leader all members.</summary>
[KafkaResponse(ApiKey.JoinGroup, "0-9", FlexibleFrom = 6)]
public sealed partial class JoinGroupResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("2+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The generation; -1 when there is none.</summary>
    [Field("0+")]
    public int GenerationId { get; set; } = -1;

    /// <summary>What the group is about, as <c>consumer</c>.</summary>
    [Field("7+", Nullable = "7+")]
    public string? ProtocolType { get; set; }

    /// <summary>The assignor chosen.</summary>
    [Field("0+", Nullable = "7+")]
    public string? ProtocolName { get; set; } = "";

    /// <summary>The member id of the member that assigns.</summary>
    [Field("0+")]
    public string Leader { get; set; } = "";

    /// <summary>Whether the leader is to leave the assignment as it is (KIP-814).</summary>
    [Field("9+")]
    public bool SkipAssignment { get; set; }

    /// <summary>The member's id; empty when it has none yet.</summary>
    [Field("0+")]
    public string MemberId { get; set; } = "";

    /// <summary>The members.</summary>
    [Field("0+")]
    public List<JoinGroupResponseMember> Members { get; set; } = [];

    /// <summary>A member, and what it has to tell the assignor.</summary>
    public sealed partial class JoinGroupResponseMember
    {
        /// <summary>The member's id; empty when it has none yet.</summary>
        [Field("0+")]
        public string MemberId { get; set; } = "";

        /// <summary>The id of a static member (KIP-345); null for a dynamic one.</summary>
        [Field("5+", Nullable = "5+")]
        public string? GroupInstanceId { get; set; }

        /// <summary>Whatever the client kept beside the offset.</summary>
        [Field("0+")]
        public byte[] Metadata { get; set; } = [];
    }
}
