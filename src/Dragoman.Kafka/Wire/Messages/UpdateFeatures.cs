namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Changes the levels of the cluster's features.</summary>
[KafkaRequest(ApiKey.UpdateFeatures, "0-2", FlexibleFrom = 0)]
public sealed partial class UpdateFeaturesRequest
{
    /// <summary>Milliseconds to wait for the work to be done before answering that it was not.</summary>
    [Field("0+")]
    public int TimeoutMs { get; set; } = 60000;

    /// <summary>The features.</summary>
    [Field("0+")]
    public List<FeatureUpdateKey> FeatureUpdates { get; set; } = [];

    /// <summary>Whether only to check, and change nothing.</summary>
    [Field("1+")]
    public bool ValidateOnly { get; set; }

    /// <summary>A feature to change.</summary>
    public sealed partial class FeatureUpdateKey
    {
        /// <summary>The feature's name.</summary>
        [Field("0+")]
        public string Feature { get; set; } = "";

        /// <summary>The level to set; below 1 to remove it.</summary>
        [Field("0+")]
        public short MaxVersionLevel { get; set; }

        /// <summary>Whether the level may fall.</summary>
        [Field("0")]
        public bool AllowDowngrade { get; set; }

        /// <summary>1 only upwards, 2 also downwards if nothing is lost, 3 downwards whatever is lost.</summary>
        [Field("1+")]
        public sbyte UpgradeType { get; set; } = 1;
    }
}

/// <summary>Which features were changed.</summary>
[KafkaResponse(ApiKey.UpdateFeatures, "0-2", FlexibleFrom = 0)]
public sealed partial class UpdateFeaturesResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>What went wrong, in words; null when nothing did.</summary>
    [Field("0+", Nullable = "0+")]
    public string? ErrorMessage { get; set; }

    /// <summary>The answers.</summary>
    [Field("0-1")]
    public List<UpdatableFeatureResult> Results { get; set; } = [];

    /// <summary>The answer for a feature.</summary>
    public sealed partial class UpdatableFeatureResult
    {
        /// <summary>The feature's name.</summary>
        [Field("0+")]
        public string Feature { get; set; } = "";

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("0+", Nullable = "0+")]
        public string? ErrorMessage { get; set; }
    }
}
