using System.Diagnostics.CodeAnalysis;

namespace Dragoman.Aws.Http;

/// <summary>
/// Ids of requests and messages: UUIDs of version 4, which are nobody's secret and so need no random numbers of the operating
/// system, each of which costs a system call.
/// </summary>
internal static class RandomIds
{
    /// <summary>A new one.</summary>
    [SuppressMessage("Security", "CA5394", Justification = "Nothing is kept from anybody by these ids.")]
    public static Guid Next()
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes);
        // RFC 9562: version 4 in the high half of the seventh byte, the variant in the two highest bits of the ninth.
        bytes[6] = (byte)(bytes[6] & 0x0F | 0x40);
        bytes[8] = (byte)(bytes[8] & 0x3F | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
