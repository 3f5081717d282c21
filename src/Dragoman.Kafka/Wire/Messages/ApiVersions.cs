namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks which APIs and versions are served (KIP-511).</summary>
[KafkaRequest(ApiKey.ApiVersions, "0-4", FlexibleFrom = 3)]
public sealed partial class ApiVersionsRequest
{
    /// <summary>The name of the client's library.</summary>
    [Field("3+")]
    public string ClientSoftwareName { get; set; } = "";

    /// <summary>The version of the client's library.</summary>
    [Field("3+")]
    public string ClientSoftwareVersion { get; set; } = "";
}

/// <summary>The APIs and versions served. Its header is version 0 in every version.</summary>
[KafkaResponse(ApiKey.ApiVersions, "0-4", FlexibleFrom = 3)]
public sealed partial class ApiVersionsResponse
{
    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The APIs served.</summary>
    [Field("0+")]
    public List<ApiVersion> ApiKeys { get; set; } = [];

    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The cluster features that this node knows.</summary>
    [Field("3+", Tag = 0)]
    public List<SupportedFeatureKey> SupportedFeatures { get; set; } = [];

    /// <summary>The number of the last change of the finalized features; -1 when unknown.</summary>
    [Field("3+", Tag = 1)]
    public long FinalizedFeaturesEpoch { get; set; } = -1;

    /// <summary>The cluster features that are switched on.</summary>
    [Field("3+", Tag = 2)]
    public List<FinalizedFeatureKey> FinalizedFeatures { get; set; } = [];

    /// <summary>Whether the node could migrate away from ZooKeeper.</summary>
    [Field("3+", Tag = 3)]
    public bool ZkMigrationReady { get; set; }

    /// <summary>An API and the versions served of it.</summary>
    public sealed partial class ApiVersion
    {
        /// <summary>The API.</summary>
        [Field("0+")]
        public ApiKey ApiKey { get; set; }

        /// <summary>The lowest version.</summary>
        [Field("0+")]
        public short MinVersion { get; set; }

        /// <summary>The highest version.</summary>
        [Field("0+")]
        public short MaxVersion { get; set; }
    }

    /// <summary>A feature that this node knows.</summary>
    public sealed partial class SupportedFeatureKey
    {
        /// <summary>The name.</summary>
        [Field("3+")]
        public string Name { get; set; } = "";

        /// <summary>The lowest version.</summary>
        [Field("3+")]
        public short MinVersion { get; set; }

        /// <summary>The highest version.</summary>
        [Field("3+")]
        public short MaxVersion { get; set; }
    }

    /// <summary>A feature that is switched on.</summary>
    public sealed partial class FinalizedFeatureKey
    {
        /// <summary>The name.</summary>
        [Field("3+")]
        public string Name { get; set; } = "";

        /// <summary>The highest level switched on.</summary>
        [Field("3+")]
        public short MaxVersionLevel { get; set; }

        /// <summary>The lowest level switched on.</summary>
        [Field("3+")]
        public short MinVersionLevel { get; set; }
    }
}
