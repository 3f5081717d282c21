namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for classic groups.</summary>
[KafkaRequest(ApiKey.DescribeGroups, "0-6", FlexibleFrom = 5)]
public sealed partial class DescribeGroupsRequest
{
    /// <summary>The groups.</summary>
    [Field("0+")]
    public List<string> Groups { get; set; } = [];

    /// <summary>Whether to answer what the client may do to the groups.</summary>
    [Field("3+")]
    public bool IncludeAuthorizedOperations { get; set; }
}

/// <summary>Classic groups.</summary>
[KafkaResponse(ApiKey.DescribeGroups, "0-6", FlexibleFrom = 5)]
public sealed partial class DescribeGroupsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The groups.</summary>
    [Field("0+")]
    public List<DescribedGroup> Groups { get; set; } = [];

    /// <summary>A group.</summary>
    public sealed partial class DescribedGroup
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("6+", Nullable = "6+")]
        public string? ErrorMessage { get; set; }

        /// <summary>The group.</summary>
        [Field("0+")]
        public string GroupId { get; set; } = "";

        /// <summary>The group's state.</summary>
        [Field("0+")]
        public string GroupState { get; set; } = "";

        /// <summary>What the group is about, as <c>consumer</c>.</summary>
        [Field("0+")]
        public string ProtocolType { get; set; } = "";

        /// <summary>The assignor chosen.</summary>
        [Field("0+")]
        public string ProtocolData { get; set; } = "";

        /// <summary>The members.</summary>
        [Field("0+")]
        public List<DescribedGroupMember> Members { get; set; } = [];

        /// <summary>Bits of what the client may do to the group; the lowest number when not asked.</summary>
        [Field("3+")]
        public int AuthorizedOperations { get; set; } = int.MinValue;
    }

    /// <summary>A member of a group.</summary>
    public sealed partial class DescribedGroupMember
    {
        /// <summary>The member's id; empty when it has none yet.</summary>
        [Field("0+")]
        public string MemberId { get; set; } = "";

        /// <summary>The id of a static member (KIP-345); null for a dynamic one.</summary>
        [Field("4+", Nullable = "4+")]
        public string? GroupInstanceId { get; set; }

        /// <summary>What the member's client calls itself.</summary>
        [Field("0+")]
        public string ClientId { get; set; } = "";

        /// <summary>The address of the member's client.</summary>
        [Field("0+")]
        public string ClientHost { get; set; } = "";

        /// <summary>What the member joined with.</summary>
        [Field("0+")]
        public byte[] MemberMetadata { get; set; } = [];

        /// <summary>What the member was assigned.</summary>
        [Field("0+")]
        public byte[] MemberAssignment { get; set; } = [];
    }
}
