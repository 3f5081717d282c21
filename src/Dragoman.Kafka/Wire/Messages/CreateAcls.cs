namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Makes rules.</summary>
[KafkaRequest(ApiKey.CreateAcls, "1-3", FlexibleFrom = 2)]
public sealed partial class CreateAclsRequest
{
    /// <summary>The rules.</summary>
    [Field("1+")]
    public List<AclCreation> Creations { get; set; } = [];

    /// <summary>A rule.</summary>
    public sealed partial class AclCreation
    {
        /// <summary>What kind of resource.</summary>
        [Field("1+")]
        public AclResourceType ResourceType { get; set; }

        /// <summary>The resource's name.</summary>
        [Field("1+")]
        public string ResourceName { get; set; } = "";

        /// <summary>How the name is to be read.</summary>
        [Field("1+")]
        public AclPatternType ResourcePatternType { get; set; } = AclPatternType.Literal;

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

/// <summary>How that went, rule by rule.</summary>
[KafkaResponse(ApiKey.CreateAcls, "1-3", FlexibleFrom = 2)]
public sealed partial class CreateAclsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>One for each rule.</summary>
    [Field("1+")]
    public List<AclCreationResult> Results { get; set; } = [];

    /// <summary>How the making of a rule went.</summary>
    public sealed partial class AclCreationResult
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("1+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("1+", Nullable = "1+")]
        public string? ErrorMessage { get; set; }
    }
}
