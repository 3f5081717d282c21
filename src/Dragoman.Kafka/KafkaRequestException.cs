using Dragoman.Kafka.Wire;
using Dragoman.Protocols;

namespace Dragoman.Kafka;

/// <summary>A request, or a part of one, that cannot be done, with the code that says so to Kafka's clients.</summary>
public class KafkaRequestException : RequestFailedException
{
    /// <summary>Creates the exception.</summary>
    public KafkaRequestException(ErrorCode code, string message)
        : base(message) => Code = code;

    /// <summary>The code.</summary>
    public ErrorCode Code { get; }
}
