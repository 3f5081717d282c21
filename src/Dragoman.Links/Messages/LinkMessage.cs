using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using RabbitMQ.Client;

namespace Dragoman.Links.Messages;

/// <summary>A message on its way over a link.</summary>
internal sealed class LinkMessage
{
    // What a broker itself says of each delivery differs from one to the next.
    private static readonly string[] OfDelivery = ["x-delivery-count", "x-acquired-count"];

    /// <summary>The exchange that it was published to.</summary>
    public required string Exchange { get; init; }

    /// <summary>The routing key.</summary>
    public required string RoutingKey { get; init; }

    /// <summary>The properties; whoever changes them copies them before.</summary>
    public required BasicProperties Properties { get; init; }

    /// <summary>The body.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>What it is known again by, when it comes once more.</summary>
    public required ulong Fingerprint { get; init; }

    /// <summary>Its number at the source: a delivery tag, or an offset.</summary>
    public required long Number { get; init; }

    /// <summary>Whether the source says that it was delivered before.</summary>
    public bool IsRedelivered { get; init; }

    /// <summary>Bytes that it takes, about.</summary>
    public int Size => Body.Length + 256;

    /// <summary>The message with other properties.</summary>
    public LinkMessage With(BasicProperties properties) => new()
    {
        Exchange = Exchange,
        RoutingKey = RoutingKey,
        Properties = properties,
        Body = Body,
        Fingerprint = Fingerprint,
        Number = Number,
        IsRedelivered = IsRedelivered,
    };

    /// <summary>Makes what a message is known again by: of all that its publisher said.</summary>
    public static ulong FingerprintOf(string exchange, string routingKey, BasicProperties properties, ReadOnlySpan<byte> body)
    {
        if (properties.Headers is { } headers && (headers.Count == 0 || OfDelivery.Any(headers.ContainsKey)))
        {
            var said = headers.Where(h => !OfDelivery.Contains(h.Key)).ToDictionary(h => h.Key, h => h.Value);
            // A message without headers has some only once it was delivered before.
            properties = new BasicProperties(properties) { Headers = said.Count == 0 ? null : said };
        }
        var hash = new XxHash3();
        Add(hash, Encoding.UTF8.GetBytes(exchange));
        Add(hash, Encoding.UTF8.GetBytes(routingKey));
        Add(hash, WireProperties.Encode(properties));
        Add(hash, body);
        return hash.GetCurrentHashAsUInt64();
    }

    private static void Add(XxHash3 hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.Append(length);
        hash.Append(bytes);
    }
}
