namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Leaves a classic group; many members at once from version 3 on.</summary>
[KafkaRequest(ApiKey.LeaveGroup, "0-5", FlexibleFrom = 4)]
public sealed partial class LeaveGroupRequest
{
    /// <summary>The group.</summary>
    [Field("0+")]
    public string GroupId { get; set; } = "";

    /// <summary>The member's id; empty when it has none yet.</summary>
    [Field("0-2")]
    public string MemberId { get; set; } = "";

    /// <summary>The members.</summary>
    [Field("3+")]
    public List<MemberIdentity> Members { get; set; } = [];

    /// <summary>A member that leaves.</summary>
    public sealed partial class MemberIdentity
    {
        /// <summary>The member's id; empty when it has none yet.</summary>
        [Field("3+")]
        public string MemberId { get; set; } = "";

        /// <summary>The id of a static member (KIP-345); null for a dynamic one.</summary>
        [Field("3+", Nullable = "3+")]
        public string? GroupInstanceId { get; set; }

        /// <summary>Why, for the broker's log; null when not said.</summary>
        [Field("5+", Nullable = "5+")]
        public string? Reason { get; set; }
    }
}

/// <summary>Says who left.</summary>
[KafkaResponse(ApiKey.LeaveGroup, "0-5", FlexibleFrom = 4)]
public sealed partial class LeaveGroupResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The members.</summary>
    [Field("3+")]
    public List<MemberResponse> Members { get; set; } = [];

    /// <summary>The answer for a member.</summary>
    public sealed partial class MemberResponse
    {
        /// <summary>The member's id; empty when it has none yet.</summary>
        [Field("3+")]
        public string MemberId { get; set; } = "";

        /// <summary>The id of a static member (KIP-345); null for a dynamic one.</summary>
        [Field("3+", Nullable = "3+")]
        public string? GroupInstanceId { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("3+")]
        public ErrorCode ErrorCode { get; set; }
    }
}
