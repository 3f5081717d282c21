namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks which groups there are.</summary>
[KafkaRequest(ApiKey.ListGroups, "0-5", FlexibleFrom = 3)]
public sealed partial class ListGroupsRequest
{
    /// <summary>The states wanted; empty for all.</summary>
    [Field("4+")]
    public List<string> StatesFilter { get; set; } = [];

    /// <summary>The types wanted; empty for all.</summary>
    [Field("5+")]
    public List<string> TypesFilter { get; set; } = [];
}

/// <summary>Groups.</summary>
[KafkaResponse(ApiKey.ListGroups, "0-5", FlexibleFrom = 3)]
public sealed partial class ListGroupsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The groups.</summary>
    [Field("0+")]
    public List<ListedGroup> Groups { get; set; } = [];

    /// <summary>A group.</summary>
    public sealed partial class ListedGroup
    {
        /// <summary>The group.</summary>
        [Field("0+")]
        public string GroupId { get; set; } = "";

        /// <summary>What the group is about, as <c>consumer</c>.</summary>
        [Field("0+")]
        public string ProtocolType { get; set; } = "";

        /// <summary>The group's state.</summary>
        [Field("4+")]
        public string GroupState { get; set; } = "";

        /// <summary>Whether the group is classic, consumer, share or streams.</summary>
        [Field("5+")]
        public string GroupType { get; set; } = "";
    }
}
