namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks where consumer groups stand (KIP-848).</summary>
[KafkaRequest(ApiKey.ConsumerGroupDescribe, "0-1", FlexibleFrom = 0)]
public sealed partial class ConsumerGroupDescribeRequest
{
    /// <summary>The groups.</summary>
    [Field("0+")]
    public List<string> GroupIds { get; set; } = [];

    /// <summary>Whether to say what the client may do with them.</summary>
    [Field("0+")]
    public bool IncludeAuthorizedOperations { get; set; }
}

/// <summary>Where consumer groups stand.</summary>
[KafkaResponse(ApiKey.ConsumerGroupDescribe, "0-1", FlexibleFrom = 0)]
public sealed partial class ConsumerGroupDescribeResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
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
        [Field("0+", Nullable = "0+")]
        public string? ErrorMessage { get; set; }

        /// <summary>The group.</summary>
        [Field("0+")]
        public string GroupId { get; set; } = "";

        /// <summary>The group's state.</summary>
        [Field("0+")]
        public string GroupState { get; set; } = "";

        /// <summary>The group's epoch.</summary>
        [Field("0+")]
        public int GroupEpoch { get; set; }

        /// <summary>The epoch that the targets are for.</summary>
        [Field("0+")]
        public int AssignmentEpoch { get; set; }

        /// <summary>The assignor that made the targets.</summary>
        [Field("0+")]
        public string AssignorName { get; set; } = "";

        /// <summary>The members.</summary>
        [Field("0+")]
        public List<Member> Members { get; set; } = [];

        /// <summary>What the client may do, as a bit set; <see cref="int.MinValue"/> when not asked for.</summary>
        [Field("0+")]
        public int AuthorizedOperations { get; set; } = int.MinValue;
    }

    /// <summary>A member.</summary>
    public sealed partial class Member
    {
        /// <summary>The member's id.</summary>
        [Field("0+")]
        public string MemberId { get; set; } = "";

        /// <summary>The id of a static member; null for a dynamic one.</summary>
        [Field("0+", Nullable = "0+")]
        public string? InstanceId { get; set; }

        /// <summary>The member's rack; null if it has none.</summary>
        [Field("0+", Nullable = "0+")]
        public string? RackId { get; set; }

        /// <summary>The member's epoch.</summary>
        [Field("0+")]
        public int MemberEpoch { get; set; }

        /// <summary>What the client calls itself.</summary>
        [Field("0+")]
        public string ClientId { get; set; } = "";

        /// <summary>Where the client connects from.</summary>
        [Field("0+")]
        public string ClientHost { get; set; } = "";

        /// <summary>The topics subscribed to by name.</summary>
        [Field("0+")]
        public List<string> SubscribedTopicNames { get; set; } = [];

        /// <summary>The pattern of further topics; null if there is none.</summary>
        [Field("0+", Nullable = "0+")]
        public string? SubscribedTopicRegex { get; set; }

        /// <summary>What the member has.</summary>
        [Field("0+")]
        public MemberAssignment Assignment { get; set; } = new();

        /// <summary>What the member shall have.</summary>
        [Field("0+")]
        public MemberAssignment TargetAssignment { get; set; } = new();

        /// <summary>Which protocol the member follows: -1 unknown, 0 the classic one, 1 this one (KIP-1099).</summary>
        [Field("1+")]
        public sbyte MemberType { get; set; } = -1;
    }

    /// <summary>Partitions that a member has or shall have.</summary>
    public sealed partial class MemberAssignment
    {
        /// <summary>The partitions, by topic.</summary>
        [Field("0+")]
        public List<TopicPartition> TopicPartitions { get; set; } = [];
    }

    /// <summary>Partitions of a topic.</summary>
    public sealed partial class TopicPartition
    {
        /// <summary>The topic's id.</summary>
        [Field("0+")]
        public Guid TopicId { get; set; }

        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string TopicName { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<int> Partitions { get; set; } = [];
    }
}
