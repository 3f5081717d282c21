using Dragoman.Storage.Records;

namespace Dragoman.Broker.Messages;

/// <summary>
/// The types of a message's headers that are not text: the value of one more header, so that what one protocol wrote
/// comes back to it unchanged, and others read a number or a truth value as text.
/// </summary>
/// <remarks>
/// The form is <c>name=type&amp;name=type</c>, names with <c>%</c>, <c>&amp;</c> and <c>=</c> escaped as in URLs. Types
/// are AMQP's letters: <c>t</c> truth value (<c>true</c>, <c>false</c>); <c>b B s u I i l</c> whole numbers of 8 to 64
/// bits, in decimal; <c>f d</c> floating point; <c>D</c> decimal; <c>T</c> seconds since 1970; <c>V</c> nothing;
/// <c>x</c> bytes; <c>F A</c> an AMQP table or array, encoded. Other protocols add names of their own that are longer.
/// </remarks>
public static class HeaderTypes
{
    /// <summary>The header's name.</summary>
    public static ReadOnlySpan<byte> Header => "header-types"u8;

    /// <summary>The type of a header; empty for text.</summary>
    /// <param name="types">The value of <see cref="Header"/>.</param>
    /// <param name="name">The header's name.</param>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> types, ReadOnlySpan<byte> name)
    {
        while (!types.IsEmpty)
        {
            var end = types.IndexOf((byte)'&');
            var entry = end < 0 ? types : types[..end];
            types = end < 0 ? default : types[(end + 1)..];
            var separator = entry.IndexOf((byte)'=');
            if (separator >= 0 && IsName(entry[..separator], name)) return entry[(separator + 1)..];
        }
        return default;
    }

    /// <summary>Adds a header's type to a value that is being written.</summary>
    public static void Add(PooledBuffer types, ReadOnlySpan<byte> name, ReadOnlySpan<byte> type)
    {
        ArgumentNullException.ThrowIfNull(types);
        if (types.Length > 0) types.Write("&"u8);
        foreach (var b in name)
        {
            switch (b)
            {
                case (byte)'%':
                    types.Write("%25"u8);
                    break;
                case (byte)'&':
                    types.Write("%26"u8);
                    break;
                case (byte)'=':
                    types.Write("%3D"u8);
                    break;
                default:
                    types.GetSpan(1)[0] = b;
                    types.Advance(1);
                    break;
            }
        }
        types.Write("="u8);
        types.Write(type);
    }

    private static bool IsName(ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> name)
    {
        if (!escaped.Contains((byte)'%')) return escaped.SequenceEqual(name);
        var at = 0;
        for (var i = 0; i < escaped.Length; i++, at++)
        {
            var b = escaped[i];
            if (b == '%' && i + 2 < escaped.Length)
            {
                b = escaped.Slice(i + 1, 2) switch { [(byte)'2', (byte)'5'] => (byte)'%', [(byte)'2', (byte)'6'] => (byte)'&', _ => (byte)'=' };
                i += 2;
            }
            if (at >= name.Length || name[at] != b) return false;
        }
        return at == name.Length;
    }
}
