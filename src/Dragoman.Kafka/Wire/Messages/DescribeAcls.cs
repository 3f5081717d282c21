namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for the rules that a filter picks.</summary>
[KafkaRequest(ApiKey.DescribeAcls, "1-3", FlexibleFrom = 2)]
public sealed partial class DescribeAclsRequest
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

/// <summary>The rules, by resource.</summary>
[KafkaResponse(ApiKey.DescribeAcls, "1-3", FlexibleFrom = 2)]
public sealed partial class DescribeAclsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("1+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>What went wrong, in words; null when nothing did.</summary>
    [Field("1+", Nullable = "1+")]
    public string? ErrorMessage { get; set; }

    /// <summary>The resources that have rules.</summary>
    [Field("1+")]
    public List<DescribeAclsResource> Resources { get; set; } = [];

    /// <summary>A resource and its rules.</summary>
    public sealed partial class DescribeAclsResource
    {
        /// <summary>What kind of resource.</summary>
        [Field("1+")]
        public AclResourceType ResourceType { get; set; }

        /// <summary>The resource's name.</summary>
        [Field("1+")]
        public string ResourceName { get; set; } = "";

        /// <summary>How the name is to be read.</summary>
        [Field("1+")]
        public AclPatternType PatternType { get; set; } = AclPatternType.Literal;

        /// <summary>The rules.</summary>
        [Field("1+")]
        public List<AclDescription> Acls { get; set; } = [];
    }

    /// <summary>A rule.</summary>
    public sealed partial class AclDescription
    {
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
