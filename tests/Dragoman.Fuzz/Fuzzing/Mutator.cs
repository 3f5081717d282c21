using System.Buffers.Binary;

namespace Dragoman.Fuzz.Fuzzing;

/// <summary>Damages bytes the way disks, bugs and attackers do: bits, numbers at their limits, lengths, and pieces moved.</summary>
internal static class Mutator
{
    private static readonly long[] Limits =
    [
        0, 1, -1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, int.MaxValue, int.MinValue, uint.MaxValue, (long)int.MaxValue + 1,
        int.MaxValue / 2, long.MaxValue, long.MinValue, long.MaxValue / 2,
    ];

    public static byte[] Mutate(byte[] input, Random random)
    {
        // Now and then nothing is damaged: what is valid must be taken.
        if (random.Next(16) == 0) return input;
        var bytes = (byte[])input.Clone();
        for (var n = random.Next(3) == 0 ? random.Next(1, 12) : random.Next(1, 3); n > 0; n--) bytes = Once(bytes, random);
        return bytes;
    }

    private static byte[] Once(byte[] bytes, Random random)
    {
        if (bytes.Length == 0) return Insert(bytes, 0, Noise(random.Next(1, 40), random));
        var at = random.Next(bytes.Length);
        switch (random.Next(14))
        {
            case 0:
            case 1:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 2:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 3:
                bytes[at] = (byte)Limits[random.Next(8)];
                return bytes;
            case 4:
            case 5:
                WriteNumber(bytes.AsSpan(at), Limits[random.Next(Limits.Length)], random);
                return bytes;
            case 6:
                AddToNumber(bytes.AsSpan(at), random.Next(-8, 9), random);
                return bytes;
            case 7:
                // The longest numbers that seven bits a byte can spell, and longer ones.
                Span<byte> varint = [0xFF, 0xFF, 0xFF, 0xFF, (byte)(random.Next(2) == 0 ? 0x0F : 0xFF), 0x01];
                varint[..Math.Min(random.Next(1, 7), bytes.Length - at)].CopyTo(bytes.AsSpan(at));
                return bytes;
            case 8:
                return bytes[..at];
            case 9:
                return Insert(bytes, at, Noise(random.Next(1, 20), random));
            case 10:
                return [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 20))..]];
            case 11:
                return Insert(bytes, random.Next(bytes.Length + 1), Piece(bytes, random));
            case 12:
                var piece = Piece(bytes, random);
                piece[..Math.Min(piece.Length, bytes.Length - at)].CopyTo(bytes.AsSpan(at));
                return bytes;
            default:
                bytes.AsSpan(at, Math.Min(bytes.Length - at, random.Next(1, 64))).Fill((byte)(random.Next(2) == 0 ? 0 : 0xFF));
                return bytes;
        }
    }

    private static void WriteNumber(Span<byte> target, long value, Random random)
    {
        Span<byte> number = stackalloc byte[8];
        var size = 1 << random.Next(1, 4);
        if (random.Next(2) == 0) BinaryPrimitives.WriteInt64LittleEndian(number, value);
        else BinaryPrimitives.WriteInt64BigEndian(number, value << (64 - 8 * size));
        number[..Math.Min(size, target.Length)].CopyTo(target);
    }

    private static void AddToNumber(Span<byte> target, int delta, Random random)
    {
        if (target.Length < 4) target[0] += (byte)delta;
        else if (random.Next(2) == 0) BinaryPrimitives.WriteInt32LittleEndian(target, BinaryPrimitives.ReadInt32LittleEndian(target) + delta);
        else BinaryPrimitives.WriteInt32BigEndian(target, BinaryPrimitives.ReadInt32BigEndian(target) + delta);
    }

    private static byte[] Piece(byte[] bytes, Random random)
    {
        var from = random.Next(bytes.Length);
        return bytes[from..Math.Min(bytes.Length, from + random.Next(1, 100))];
    }

    private static byte[] Insert(byte[] bytes, int at, byte[] inserted) => [.. bytes[..at], .. inserted, .. bytes[at..]];

    private static byte[] Noise(int length, Random random)
    {
        var noise = new byte[length];
        random.NextBytes(noise);
        return noise;
    }
}
