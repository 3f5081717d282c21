namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Chooses a SASL mechanism.</summary>
[KafkaRequest(ApiKey.SaslHandshake, "0-1")]
public sealed partial class SaslHandshakeRequest
{
    /// <summary>The SASL mechanism that the client wants.</summary>
    [Field("0+")]
    public string Mechanism { get; set; } = "";
}

/// <summary>The SASL mechanisms served.</summary>
[KafkaResponse(ApiKey.SaslHandshake, "0-1")]
public sealed partial class SaslHandshakeResponse
{
    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The SASL mechanisms served.</summary>
    [Field("0+")]
    public List<string> Mechanisms { get; set; } = [];
}
