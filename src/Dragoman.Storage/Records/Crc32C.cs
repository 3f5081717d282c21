using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dragoman.Storage.Records;

/// <summary>
/// CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected, initial value and final xor all ones; RFC 3720 appendix B.4),
/// the checksum of record batches and of journal rounds.
/// </summary>
public static class Crc32C
{
    // The CRC instruction of x86 and ARM takes one operand per cycle but answers after three, so a single chain runs at
    // a third of the speed. Three chains over three neighbouring lanes hide the latency; their results are joined by
    // moving the earlier ones over as many zero bytes as follow them. Long lanes make the join cheap, short ones let
    // small batches profit.
    private const int LongLane = 4096;
    private const int ShortLane = 256;

    private static readonly uint[] LongShift = BuildShiftTable(LongLane);
    private static readonly uint[] ShortShift = BuildShiftTable(ShortLane);

    /// <summary>The CRC-32C of the bytes. That of no bytes is 0.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>
    /// The CRC-32C of some earlier bytes followed by <paramref name="bytes"/>, where <paramref name="crc"/> is that of
    /// the earlier bytes (0 if there were none).
    /// </summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint state = ~crc;
        ref byte start = ref MemoryMarshal.GetReference(bytes);
        int offset = 0;

        while (bytes.Length - offset >= 3 * LongLane)
        {
            state = ThreeLanes(state, ref Unsafe.Add(ref start, offset), LongLane, LongShift);
            offset += 3 * LongLane;
        }

        while (bytes.Length - offset >= 3 * ShortLane)
        {
            state = ThreeLanes(state, ref Unsafe.Add(ref start, offset), ShortLane, ShortShift);
            offset += 3 * ShortLane;
        }

        for (; bytes.Length - offset >= sizeof(ulong); offset += sizeof(ulong))
        {
            state = BitOperations.Crc32C(state, ReadWord(ref start, offset));
        }

        for (; offset < bytes.Length; offset++)
        {
            state = BitOperations.Crc32C(state, Unsafe.Add(ref start, offset));
        }

        return ~state;
    }

    private static uint ThreeLanes(uint state, ref byte start, int lane, uint[] shift)
    {
        uint first = state;
        uint second = 0;
        uint third = 0;
        for (int i = 0; i < lane; i += sizeof(ulong))
        {
            first = BitOperations.Crc32C(first, ReadWord(ref start, i));
            second = BitOperations.Crc32C(second, ReadWord(ref start, i + lane));
            third = BitOperations.Crc32C(third, ReadWord(ref start, i + 2 * lane));
        }

        return Shift(shift, Shift(shift, first) ^ second) ^ third;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ReadWord(ref byte start, int offset)
    {
        ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word);
    }

    /// <summary>Moves a CRC state over as many zero bytes as the table was built for.</summary>
    private static uint Shift(uint[] table, uint state) =>
        table[state & 0xff]
        ^ table[256 + ((state >> 8) & 0xff)]
        ^ table[512 + ((state >> 16) & 0xff)]
        ^ table[768 + (state >> 24)];

    private static uint[] BuildShiftTable(int zeroBytes)
    {
        // Feeding zeros is linear over GF(2), so the images of the 32 single bits give all others.
        var table = new uint[4 * 256];
        for (int bit = 0; bit < 32; bit++)
        {
            uint image = 1u << bit;
            for (int i = 0; i < zeroBytes; i += sizeof(ulong))
            {
                image = BitOperations.Crc32C(image, 0ul);
            }

            int row = bit / 8 * 256;
            int step = 1 << (bit % 8);
            for (int i = 0; i < step; i++)
            {
                table[row + step + i] = table[row + i] ^ image;
            }
        }

        return table;
    }
}
