namespace Dragoman.Kafka.Wire;

/// <summary>A request or response body. Implemented by generated code.</summary>
/// <typeparam name="TSelf">The message itself.</typeparam>
public interface IKafkaMessage<TSelf>
    where TSelf : IKafkaMessage<TSelf>
{
    /// <summary>The number of the API that the message belongs to.</summary>
    static abstract ApiKey ApiKey { get; }

    /// <summary>The lowest version that can be decoded and encoded.</summary>
    static abstract short MinVersion { get; }

    /// <summary>The highest version that can be decoded and encoded.</summary>
    static abstract short MaxVersion { get; }

    /// <summary>The first flexible version; <see cref="short.MaxValue"/> when there is none.</summary>
    static abstract short FlexibleFrom { get; }

    /// <summary>Decodes a body and leaves the reader behind it.</summary>
    /// <exception cref="KafkaWireException">The bytes are no such message, or the version is not served.</exception>
    static abstract TSelf Read(ref KafkaReader reader, short version);

    /// <summary>Encodes the body.</summary>
    /// <exception cref="KafkaWireException">The message cannot be spelled in this version.</exception>
    void Write(ref KafkaWriter writer, short version);
}

/// <summary>A request body.</summary>
/// <typeparam name="TSelf">The request itself.</typeparam>
public interface IKafkaRequest<TSelf> : IKafkaMessage<TSelf>
    where TSelf : IKafkaRequest<TSelf>;

/// <summary>A response body.</summary>
/// <typeparam name="TSelf">The response itself.</typeparam>
public interface IKafkaResponse<TSelf> : IKafkaMessage<TSelf>
    where TSelf : IKafkaResponse<TSelf>;
