namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for configuration.</summary>
[KafkaRequest(ApiKey.DescribeConfigs, "1-4", FlexibleFrom = 4)]
public sealed partial class DescribeConfigsRequest
{
    /// <summary>The resources.</summary>
    [Field("0+")]
    public List<DescribeConfigsResource> Resources { get; set; } = [];

    /// <summary>Whether to answer every place that a value could come from.</summary>
    [Field("1+")]
    public bool IncludeSynonyms { get; set; }

    /// <summary>Whether to answer what the keys mean.</summary>
    [Field("3+")]
    public bool IncludeDocumentation { get; set; }

    /// <summary>A resource, and which of its keys are wanted.</summary>
    public sealed partial class DescribeConfigsResource
    {
        /// <summary>What kind of thing is configured.</summary>
        [Field("0+")]
        public ConfigResourceType ResourceType { get; set; }

        /// <summary>Which thing is configured: a topic's name, or a node id in digits.</summary>
        [Field("0+")]
        public string ResourceName { get; set; } = "";

        /// <summary>The keys wanted; null for all.</summary>
        [Field("0+", Nullable = "0+")]
        public List<string>? ConfigurationKeys { get; set; }
    }
}

/// <summary>Configuration.</summary>
[KafkaResponse(ApiKey.DescribeConfigs, "1-4", FlexibleFrom = 4)]
public sealed partial class DescribeConfigsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The answers.</summary>
    [Field("0+")]
    public List<DescribeConfigsResult> Results { get; set; } = [];

    /// <summary>The configuration of a resource.</summary>
    public sealed partial class DescribeConfigsResult
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

        /// <summary>The configuration.</summary>
        [Field("0+")]
        public List<DescribeConfigsResourceResult> Configs { get; set; } = [];
    }

    /// <summary>A key and its value.</summary>
    public sealed partial class DescribeConfigsResourceResult
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The value; null for none, or one that is not shown.</summary>
        [Field("0+", Nullable = "0+")]
        public string? Value { get; set; }

        /// <summary>Whether the value cannot be changed.</summary>
        [Field("0+")]
        public bool ReadOnly { get; set; }

        /// <summary>Where the value comes from.</summary>
        [Field("1+")]
        public ConfigSource ConfigSource { get; set; } = ConfigSource.NotSaid;

        /// <summary>Whether the value is a secret, and not shown.</summary>
        [Field("0+")]
        public bool IsSensitive { get; set; }

        /// <summary>The values that this key has at each place, the one in force first.</summary>
        [Field("1+")]
        public List<DescribeConfigsSynonym> Synonyms { get; set; } = [];

        /// <summary>The type of the value.</summary>
        [Field("3+")]
        public ConfigValueType ConfigType { get; set; }

        /// <summary>What the key means; null when not asked.</summary>
        [Field("3+", Nullable = "0+")]
        public string? Documentation { get; set; }
    }

    /// <summary>A value that the key has at one place.</summary>
    public sealed partial class DescribeConfigsSynonym
    {
        /// <summary>The name.</summary>
        [Field("1+")]
        public string Name { get; set; } = "";

        /// <summary>The value; null for none, or one that is not shown.</summary>
        [Field("1+", Nullable = "0+")]
        public string? Value { get; set; }

        /// <summary>The place that the value comes from.</summary>
        [Field("1+")]
        public ConfigSource Source { get; set; }
    }
}
