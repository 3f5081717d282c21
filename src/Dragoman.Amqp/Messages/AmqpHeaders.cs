using System.Collections.Frozen;
using System.Text;

namespace Dragoman.Amqp.Messages;

/// <summary>
/// Names of record headers that only this front end writes, and how the names of an AMQP headers table are kept apart
/// from the canonical ones.
/// </summary>
internal static class AmqpHeaders
{
    /// <summary>Stands before the name of a free header that would else be taken for a property.</summary>
    public static ReadOnlySpan<byte> Escape => "header:"u8;

    /// <summary>1 for transient, 2 for persistent, as the publisher said.</summary>
    public static ReadOnlySpan<byte> DeliveryMode => "delivery-mode"u8;

    /// <summary>The lifetime in milliseconds, as the publisher said.</summary>
    public static ReadOnlySpan<byte> Expiration => "expiration"u8;

    /// <summary>The publisher's time, in seconds since 1970.</summary>
    public static ReadOnlySpan<byte> Timestamp => "timestamp"u8;

    /// <summary>A property that AMQP reserves, and hands through.</summary>
    public static ReadOnlySpan<byte> ClusterId => "cluster-id"u8;

    // Everything that a record header of that name is taken for, instead of a free header.
    private static readonly FrozenSet<string> Reserved = new[]
    {
        "content-type", "content-encoding", "correlation-id", "reply-to", "message-id", "type", "app-id", "user-id", "priority", "expires-at", "deliver-at",
        "routing-key", "topic", "deaths", "header-types", "delivery-mode", "expiration", "timestamp", "cluster-id",
        "created-at", "also-routing-key", "passed-topics", "dedup-id",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> ReservedByName = Reserved.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether a free header has to be escaped.</summary>
    public static bool NeedsEscape(ReadOnlySpan<byte> name)
    {
        if (name.StartsWith(Escape)) return true;
        if (name.Length is < 4 or > 16) return false;
        Span<char> chars = stackalloc char[16];
        return Encoding.UTF8.TryGetChars(name, chars, out var length) && ReservedByName.Contains(chars[..length]);
    }
}
