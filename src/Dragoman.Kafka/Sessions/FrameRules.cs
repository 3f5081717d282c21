using System.Buffers.Binary;
using Dragoman.Kafka.Wire;
using Dragoman.Protocols;
using Dragoman.Protocols.Framing;

namespace Dragoman.Kafka.Sessions;

/// <summary>How large requests may be, and what a port scanner, a browser or a TLS client gets to hear.</summary>
internal sealed class FrameRules(KafkaOptions options) : IFrameRules
{
    // A request's number, its version and its correlation id.
    private const int SmallestHeader = 8;

    // Kafka's sasl.server.max.receive.size.
    private const int LargestBare = 512 * 1024;

    /// <summary>Whether frames are bare steps of a SASL exchange, and not requests.</summary>
    public bool IsBare { get; set; }

    /// <summary>The request's number tells Produce from the rest.</summary>
    public int PrefixLength => IsBare ? 0 : sizeof(short);

    public void Check(int length, ReadOnlySpan<byte> head)
    {
        if (IsBare)
        {
            if (length is < 0 or > LargestBare) throw new ConnectionFailedException($"The client announced a SASL message of {length} bytes; at most {LargestBare} are taken.");
            return;
        }
        var largest = Math.Max(options.MaxRequestBytes, options.MaxControlRequestBytes);
        if (head.Length >= sizeof(int) + sizeof(short))
        {
            var key = (ApiKey)BinaryPrimitives.ReadInt16BigEndian(head[sizeof(int)..]);
            largest = key == ApiKey.Produce ? options.MaxRequestBytes : options.MaxControlRequestBytes;
        }
        if (length >= SmallestHeader && length <= largest) return;
        var guess = Guess(head);
        throw new ConnectionFailedException(guess
            ?? $"The client announced a request of {length} bytes; between {SmallestHeader} and {largest} are served. Is it a Kafka client?");
    }

    public bool IsPublish(ReadOnlySpan<byte> head) =>
        !IsBare && head.Length >= sizeof(int) + sizeof(short) && (ApiKey)BinaryPrimitives.ReadInt16BigEndian(head[sizeof(int)..]) == ApiKey.Produce;

    private static string? Guess(ReadOnlySpan<byte> head)
    {
        if (head[0] == 0x16 && head[1] == 3) return "The client began a TLS handshake, and this port speaks plain Kafka. Set security.protocol=PLAINTEXT in the client.";
        var text = head[..4];
        if (text.SequenceEqual("GET "u8) || text.SequenceEqual("POST"u8) || text.SequenceEqual("HEAD"u8) || text.SequenceEqual("PUT "u8)
            || text.SequenceEqual("OPTI"u8) || text.SequenceEqual("DELE"u8) || text.SequenceEqual("PRI "u8))
            return "The client sent an HTTP request, and this port speaks Kafka. Is the URL's port right?";
        if (text.SequenceEqual("AMQP"u8)) return "The client sent an AMQP header, and this port speaks Kafka.";
        return null;
    }
}
