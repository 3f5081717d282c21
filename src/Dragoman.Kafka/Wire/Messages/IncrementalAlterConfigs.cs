namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Changes configuration key by key.</summary>
[KafkaRequest(ApiKey.IncrementalAlterConfigs, "0-1", FlexibleFrom = 1)]
public sealed partial class IncrementalAlterConfigsRequest
{
    /// <summary>The resources.</summary>
    [Field("0+")]
    public List<AlterConfigsResource> Resources { get; set; } = [];

    /// <summary>Whether only to check, and change nothing.</summary>
    [Field("0+")]
    public bool ValidateOnly { get; set; }

    /// <summary>A resource, and the keys to change.</summary>
    public sealed partial class AlterConfigsResource
    {
        /// <summary>What kind of thing is configured.</summary>
        [Field("0+")]
        public ConfigResourceType ResourceType { get; set; }

        /// <summary>Which thing is configured: a topic's name, or a node id in digits.</summary>
        [Field("0+")]
        public string ResourceName { get; set; } = "";

        /// <summary>The configuration.</summary>
        [Field("0+")]
        public List<AlterableConfig> Configs { get; set; } = [];
    }

    /// <summary>A key to change.</summary>
    public sealed partial class AlterableConfig
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>What to do with the value.</summary>
        [Field("0+")]
        public ConfigOperation ConfigOperation { get; set; }

        /// <summary>The value; null for none, or one that is not shown.</summary>
        [Field("0+", Nullable = "0+")]
        public string? Value { get; set; }
    }
}

/// <summary>Says which configuration was changed.</summary>
[KafkaResponse(ApiKey.IncrementalAlterConfigs, "0-1", FlexibleFrom = 1)]
public sealed partial class IncrementalAlterConfigsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The answer, by topic.</summary>
    [Field("0+")]
    public List<AlterConfigsResourceResponse> Responses { get; set; } = [];

    /// <summary>The answer for a resource.</summary>
    public sealed partial class AlterConfigsResourceResponse
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("0+", Nullable = "0+")]
        public string? ErrorMessage { get; set; }

        /// <summary>What kind of thing is configured.</summary>
        [Field("0+")]
        public ConfigResourceType ResourceType { get; set; }

        /// <summary>Which thing is configured: a topic's name, or a node id in digits.</summary>
        [Field("0+")]
        public string ResourceName { get; set; } = "";
    }
}
