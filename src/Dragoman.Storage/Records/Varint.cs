using System.Numerics;

namespace Dragoman.Storage.Records;

/// <summary>
/// Zigzag varints as records use them: base 128, least significant group first, the sign in the lowest bit
/// (Protocol Buffers' sint32 and sint64).
/// </summary>
internal static class Varint
{
    public const int MaxInt32Size = 5;
    public const int MaxInt64Size = 10;

    public static int SizeOf(int value) => SizeOfRaw((uint)((value << 1) ^ (value >> 31)));

    public static int SizeOf(long value) => SizeOfRaw((ulong)((value << 1) ^ (value >> 63)));

    public static int Write(Span<byte> destination, int value) =>
        WriteRaw(destination, (uint)((value << 1) ^ (value >> 31)));

    public static int Write(Span<byte> destination, long value) =>
        WriteRaw(destination, (ulong)((value << 1) ^ (value >> 63)));

    /// <summary>Reads a value and moves the position behind it. False if it is cut short or does not fit 32 bits.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, ref int position, out int value)
    {
        if ((uint)position < (uint)source.Length && source[position] < 0x80)
        {
            uint single = source[position++];
            value = (int)(single >> 1) ^ -(int)(single & 1);
            return true;
        }

        bool read = TryReadRaw(source, ref position, MaxInt32Size, out ulong raw) && raw <= uint.MaxValue;
        value = read ? (int)(raw >> 1) ^ -(int)(raw & 1) : 0;
        return read;
    }

    /// <summary>Reads a value and moves the position behind it. False if it is cut short or does not fit 64 bits.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, ref int position, out long value)
    {
        bool read = TryReadRaw(source, ref position, MaxInt64Size, out ulong raw);
        value = read ? (long)(raw >> 1) ^ -(long)(raw & 1) : 0;
        return read;
    }

    private static int SizeOfRaw(ulong raw) => (BitOperations.Log2(raw | 1) / 7) + 1;

    private static int WriteRaw(Span<byte> destination, ulong raw)
    {
        int count = 0;
        while (raw >= 0x80)
        {
            destination[count++] = (byte)(raw | 0x80);
            raw >>= 7;
        }

        destination[count++] = (byte)raw;
        return count;
    }

    private static bool TryReadRaw(ReadOnlySpan<byte> source, ref int position, int maxSize, out ulong raw)
    {
        raw = 0;
        for (int i = 0; i < maxSize && (uint)position < (uint)source.Length; i++)
        {
            byte group = source[position++];
            if (i == MaxInt64Size - 1 && group > 1)
            {
                return false;
            }

            raw |= (ulong)(group & 0x7f) << (7 * i);
            if (group < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
