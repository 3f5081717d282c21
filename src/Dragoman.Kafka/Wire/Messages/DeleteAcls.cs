namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Deletes the rules that filters pick.</summary>
[KafkaRequest(ApiKey.DeleteAcls, "1-3", FlexibleFrom = 2)]
public sealed partial class DeleteAclsRequest
{
    /// <summary>The filters.</summary>
    [Field("1+")]
    public List<DeleteAclsFilter> Filters { get; set; } = [];

    /// <summary>Picks rules.</summary>
    public sealed partial class DeleteAclsFilter
    {
        /// <summary>What kind of resource.</summary>
        [Field("1+")]
        public AclResourceType ResourceTypeFilter { get; set; }

        /// <summary>The resource's name; null for any.</summary>
        [Field("1+", Nullable = "1+")]
        public string? ResourceNameFilter { get; set; }

        /// <summary>How patterns are compared.</summary>
        [Field("1+")]
        public AclPatternType PatternTypeFilter { get; set; } = AclPatternType.Literal;

        /// <summary>The principal, as in <c>User:alice</c>; null for any.</summary>
        [Field("1+", Nullable = "1+")]
        public string? PrincipalFilter { get; set; }

        /// <summary>The host; null for any.</summary>
        [Field("1+", Nullable = "1+")]
        public string? HostFilter { get; set; }

        /// <summary>The operation.</summary>
        [Field("1+")]
        public AclOperation Operation { get; set; }

        /// <summary>Whether it allows or denies.</summary>
        [Field("1+")]
        public AclPermissionType PermissionType { get; set; }
    }
}

/// <summary>The rules that are gone, filter by filter.</summary>
[KafkaResponse(ApiKey.DeleteAcls, "1-3", FlexibleFrom = 2)]
public sealed partial class DeleteAclsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>One for each filter.</summary>
    [Field("1+")]
    public List<DeleteAclsFilterResult> FilterResults { get; set; } = [];

    /// <summary>What a filter picked.</summary>
    public sealed partial class DeleteAclsFilterResult
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("1+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("1+", Nullable = "1+")]
        public string? ErrorMessage { get; set; }

        /// <summary>The rules.</summary>
        [Field("1+")]
        public List<DeleteAclsMatchingAcl> MatchingAcls { get; set; } = [];
    }

    /// <summary>A rule that is gone.</summary>
    public sealed partial class DeleteAclsMatchingAcl
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("1+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("1+", Nullable = "1+")]
        public string? ErrorMessage { get; set; }

        /// <summary>What kind of resource.</summary>
        [Field("1+")]
        public AclResourceType ResourceType { get; set; }

        /// <summary>The resource's name.</summary>
        [Field("1+")]
        public string ResourceName { get; set; } = "";

        /// <summary>How the name is to be read.</summary>
        [Field("1+")]
        public AclPatternType PatternType { get; set; } = AclPatternType.Literal;

        /// <summary>The principal, as in <c>User:alice</c>.</summary>
        [Field("1+")]
        public string Principal { get; set; } = "";

        /// <summary>The host; <c>*</c> for any.</summary>
        [Field("1+")]
        public string Host { get; set; } = "";

        /// <summary>The operation.</summary>
        [Field("1+")]
        public AclOperation Operation { get; set; }

        /// <summary>Whether it allows or denies.</summary>
        [Field("1+")]
        public AclPermissionType PermissionType { get; set; }
    }
}
