namespace Dragoman.Amqp.Wire;

/// <summary>The eight bytes that open a connection (AMQP 0-9-1, section 4.2.2).</summary>
internal static class ProtocolHeader
{
    /// <summary>Its length.</summary>
    public const int Size = 8;

    /// <summary>The header that this server speaks, and answers others with.</summary>
    public static ReadOnlySpan<byte> Bytes => "AMQP\0\0\x09\x01"u8;

    // What clients of 0-9 send, which differs from 0-9-1 in nothing that matters here.
    private static ReadOnlySpan<byte> Older => "AMQP\x01\x01\0\x09"u8;

    /// <summary>Whether a client's header asks for what is spoken here.</summary>
    public static bool IsAccepted(ReadOnlySpan<byte> header) => header.SequenceEqual(Bytes) || header.SequenceEqual(Older);
}
