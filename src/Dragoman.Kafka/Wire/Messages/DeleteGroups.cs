namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Deletes groups.</summary>
[KafkaRequest(ApiKey.DeleteGroups, "0-2", FlexibleFrom = 2)]
public sealed partial class DeleteGroupsRequest
{
    /// <summary>The groups.</summary>
    [Field("0+")]
    public List<string> GroupsNames { get; set; } = [];
}

/// <summary>Says which groups were deleted.</summary>
[KafkaResponse(ApiKey.DeleteGroups, "0-2", FlexibleFrom = 2)]
public sealed partial class DeleteGroupsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The answers.</summary>
    [Field("0+")]
    public List<DeletableGroupResult> Results { get; set; } = [];

    /// <summary>The answer for a group.</summary>
    public sealed partial class DeletableGroupResult
    {
        /// <summary>The group.</summary>
        [Field("0+")]
        public string GroupId { get; set; } = "";

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }
    }
}
