namespace Dragoman.Kafka.Wire.Messages;

/// <summary>A client's step of a SASL exchange.</summary>
[KafkaRequest(ApiKey.SaslAuthenticate, "0-2", FlexibleFrom = 2)]
public sealed partial class SaslAuthenticateRequest
{
    /// <summary>The mechanism's bytes.</summary>
    [Field("0+")]
    public byte[] AuthBytes { get; set; } = [];
}

/// <summary>The broker's step of a SASL exchange.</summary>
[KafkaResponse(ApiKey.SaslAuthenticate, "0-2", FlexibleFrom = 2)]
public sealed partial class SaslAuthenticateResponse
{
    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>What went wrong, in words; null when nothing did.</summary>
    [Field("0+", Nullable = "0+")]
    public string? ErrorMessage { get; set; }

    /// <summary>The mechanism's bytes.</summary>
    [Field("0+")]
    public byte[] AuthBytes { get; set; } = [];

    /// <summary>Milliseconds after which the client must authenticate anew; 0 for never.</summary>
    [Field("1+")]
    public long SessionLifetimeMs { get; set; }
}
