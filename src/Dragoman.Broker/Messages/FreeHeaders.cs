using System.Collections.Frozen;
using System.Text;

namespace Dragoman.Broker.Messages;

/// <summary>
/// How a protocol's free headers (AMQP's headers table, message attributes of SQS and SNS) are kept apart from the headers
/// that carry properties: those that would be taken for one are written with <see cref="Escape"/> before their names.
/// </summary>
public static class FreeHeaders
{
    /// <summary>Stands before the name of a free header that would else be taken for a property.</summary>
    public static ReadOnlySpan<byte> Escape => "header:"u8;

    // Everything that a record header of that name is taken for, instead of a free header, by whichever front end.
    private static readonly FrozenSet<string> Reserved = new[]
    {
        "content-type", "content-encoding", "correlation-id", "reply-to", "message-id", "type", "app-id", "user-id", "priority", "expires-at", "deliver-at", "lifetime",
        "routing-key", "topic", "deaths", "header-types", "delivery-mode", "expiration", "timestamp", "cluster-id",
        "created-at", "also-routing-key", "passed-topics", "dedup-id", "sns-subject", "sns-structure", "sns-sequence",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> ReservedByName = Reserved.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether a free header of that name has to be escaped.</summary>
    public static bool NeedsEscape(ReadOnlySpan<byte> name) => name.StartsWith(Escape) || IsProperty(name);

    /// <summary>Whether a record header of that name is a property, and no free header.</summary>
    public static bool IsProperty(ReadOnlySpan<byte> name)
    {
        if (name.Length is < 4 or > 16) return false;
        Span<char> chars = stackalloc char[16];
        return Encoding.UTF8.TryGetChars(name, chars, out var length) && ReservedByName.Contains(chars[..length]);
    }

    /// <summary>The name as its publisher gave it.</summary>
    public static ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> name) => name.StartsWith(Escape) ? name[Escape.Length..] : name;
}
