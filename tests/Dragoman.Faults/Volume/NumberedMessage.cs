using System.Buffers.Binary;

namespace Dragoman.Faults.Volume;

/// <summary>A small message that says which one it is, twice over, so that a damaged one is told from another.</summary>
internal static class NumberedMessage
{
    /// <summary>Bytes of each.</summary>
    public const int Size = 48;

    /// <summary>The message of a number.</summary>
    public static byte[] Make(long number)
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        bytes.AsSpan(8, Size - 16).Fill((byte)number);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(Size - 8), ~number);
        return bytes;
    }

    /// <summary>The number of a message.</summary>
    /// <exception cref="InvalidDataException">It is not what <see cref="Make"/> made.</exception>
    public static long Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new InvalidDataException($"A message has {bytes.Length} bytes, not {Size}.");
        var number = BinaryPrimitives.ReadInt64BigEndian(bytes);
        var isWhole = BinaryPrimitives.ReadInt64BigEndian(bytes[(Size - 8)..]) == ~number && bytes[8..(Size - 8)].IndexOfAnyExcept((byte)number) < 0;
        return isWhole ? number : throw new InvalidDataException($"A message that calls itself {number} has other bytes than it was sent with.");
    }
}
