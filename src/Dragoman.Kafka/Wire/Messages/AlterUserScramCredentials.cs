namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Changes users' SCRAM credentials.</summary>
[KafkaRequest(ApiKey.AlterUserScramCredentials, "0", FlexibleFrom = 0)]
public sealed partial class AlterUserScramCredentialsRequest
{
    /// <summary>Credentials to delete.</summary>
    [Field("0+")]
    public List<ScramCredentialDeletion> Deletions { get; set; } = [];

    /// <summary>Credentials to make or replace.</summary>
    [Field("0+")]
    public List<ScramCredentialUpsertion> Upsertions { get; set; } = [];

    /// <summary>A credential to delete.</summary>
    public sealed partial class ScramCredentialDeletion
    {
        /// <summary>The user.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The mechanism.</summary>
        [Field("0+")]
        public ScramMechanism Mechanism { get; set; }
    }

    /// <summary>A credential to make or replace.</summary>
    public sealed partial class ScramCredentialUpsertion
    {
        /// <summary>The user.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The mechanism.</summary>
        [Field("0+")]
        public ScramMechanism Mechanism { get; set; }

        /// <summary>How often the hash was applied.</summary>
        [Field("0+")]
        public int Iterations { get; set; }

        /// <summary>The salt.</summary>
        [Field("0+")]
        public byte[] Salt { get; set; } = [];

        /// <summary>The password, salted.</summary>
        [Field("0+")]
        public byte[] SaltedPassword { get; set; } = [];
    }
}

/// <summary>How that went, user by user.</summary>
[KafkaResponse(ApiKey.AlterUserScramCredentials, "0", FlexibleFrom = 0)]
public sealed partial class AlterUserScramCredentialsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("0+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>One for each user.</summary>
    [Field("0+")]
    public List<AlterUserScramCredentialsResult> Results { get; set; } = [];

    /// <summary>How a user's changes went.</summary>
    public sealed partial class AlterUserScramCredentialsResult
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
    }
}
