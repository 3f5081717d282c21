using System.Buffers.Text;
using Dragoman.Broker.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Reads, out of a message's headers, what a queue acts upon. What makes no sense counts as not said.</summary>
internal static class SpecialHeaders
{
    public static MessageProperties Read(RecordHeaders headers)
    {
        long expiresAt = -1;
        long deliverAt = -1;
        short priority = -1;
        foreach (var header in headers)
        {
            var key = header.Key;
            // Lengths tell nearly all other headers apart.
            if (key.Length == CanonicalHeaders.ExpiresAt.Length)
            {
                if (key.SequenceEqual(CanonicalHeaders.ExpiresAt)) expiresAt = Number(header.Value, long.MaxValue);
                else if (key.SequenceEqual(CanonicalHeaders.DeliverAt)) deliverAt = Number(header.Value, long.MaxValue);
            }
            else if (key.Length == CanonicalHeaders.Priority.Length && key.SequenceEqual(CanonicalHeaders.Priority))
            {
                priority = (short)Number(header.Value, byte.MaxValue);
            }
        }
        return new MessageProperties { ExpiresAt = expiresAt, DeliverAt = deliverAt, Priority = priority };
    }

    /// <summary>Whether a header is one of those.</summary>
    public static bool Is(ReadOnlySpan<byte> key) =>
        key.SequenceEqual(CanonicalHeaders.ExpiresAt) || key.SequenceEqual(CanonicalHeaders.DeliverAt) || key.SequenceEqual(CanonicalHeaders.Priority);

    private static long Number(NullableBytes value, long max) =>
        Utf8Parser.TryParse(value.Span, out long number, out var used) && used == value.Length && number >= 0 ? Math.Min(number, max) : -1;
}
