namespace Dragoman.Kafka.Wire;

/// <summary>What is wrong with bytes that could not be decoded.</summary>
public enum KafkaWireError
{
    /// <summary>The bytes end before the message does.</summary>
    Truncated,

    /// <summary>A length, count, marker or number that the format does not allow.</summary>
    Malformed,

    /// <summary>A version that this message is not declared for.</summary>
    UnsupportedVersion,
}

/// <summary>
/// The one exception that decoding a Kafka message throws, whatever the bytes are. Encoding throws it for a message
/// that cannot be spelled in the version asked for, such as null in a field that is not nullable there.
/// </summary>
public sealed class KafkaWireException : Exception
{
    /// <summary>Creates the exception.</summary>
    public KafkaWireException(KafkaWireError error, string message)
        : base(message) => Error = error;

    /// <summary>What is wrong.</summary>
    public KafkaWireError Error { get; }
}
