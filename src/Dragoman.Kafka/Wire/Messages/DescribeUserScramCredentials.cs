namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks which SCRAM credentials users have.</summary>
[KafkaRequest(ApiKey.DescribeUserScramCredentials, "0", FlexibleFrom = 0)]
public sealed partial class DescribeUserScramCredentialsRequest
{
    /// <summary>The users; null or none for all.</summary>
    [Field("0+", Nullable = "0+")]
    public List<UserName>? Users { get; set; } = [];

    /// <summary>A user.</summary>
    public sealed partial class UserName
    {
        /// <summary>The user.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";
    }
}

/// <summary>The SCRAM credentials of users; no secrets.</summary>
[KafkaResponse(ApiKey.DescribeUserScramCredentials, "0", FlexibleFrom = 0)]
public sealed partial class DescribeUserScramCredentialsResponse
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

    /// <summary>The users.</summary>
    [Field("0+")]
    public List<DescribeUserScramCredentialsResult> Results { get; set; } = [];

    /// <summary>A user's credentials.</summary>
    public sealed partial class DescribeUserScramCredentialsResult
    {
        /// <summary>The user.</summary>
        [Field("0+")]
        public string User { get; set; } = "";

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("0+", Nullable = "0+")]
        public string? ErrorMessage { get; set; }

        /// <summary>The credentials.</summary>
        [Field("0+")]
        public List<CredentialInfo> CredentialInfos { get; set; } = [];
    }

    /// <summary>A credential.</summary>
    public sealed partial class CredentialInfo
    {
        /// <summary>The mechanism.</summary>
        [Field("0+")]
        public ScramMechanism Mechanism { get; set; }

        /// <summary>How often the hash was applied.</summary>
        [Field("0+")]
        public int Iterations { get; set; }
    }
}
