using CsCheck;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Records;

public class Crc32CTests
{
    [Fact]
    public void Known_vectors_of_RFC_3720()
    {
        Assert.Equal(0u, Crc32C.Compute([]));
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
    }

    [Fact]
    public void Equals_a_bit_by_bit_computation_at_every_length_around_the_lanes()
    {
        byte[] bytes = new byte[40_000];
        new Random(1).NextBytes(bytes);
        foreach (int around in new[] { 0, 8, 256, 768, 1536, 4096, 12_288, 12_288 + 768, 24_576, 36_864 })
        {
            for (int length = Math.Max(0, around - 9); length <= around + 9; length++)
            {
                Assert.Equal(BitByBit(0, bytes.AsSpan(0, length)), Crc32C.Compute(bytes.AsSpan(0, length)));
            }
        }
    }

    [Fact]
    public void Equals_a_bit_by_bit_computation_of_any_bytes_at_any_alignment() =>
        Gen.Select(Gen.Byte.Array[0, 30_000], Gen.Int[0, 7], Gen.UInt).Sample((bytes, start, seed) =>
        {
            ReadOnlySpan<byte> span = bytes.AsSpan(Math.Min(start, bytes.Length));
            return Crc32C.Append(seed, span) == BitByBit(seed, span);
        }, iter: 200);

    [Fact]
    public void Appending_pieces_equals_computing_the_whole() =>
        Gen.Select(Gen.Byte.Array[0, 20_000], Gen.Byte.Array[0, 20_000]).Sample((first, second) =>
            Crc32C.Append(Crc32C.Compute(first), second) == Crc32C.Compute([.. first, .. second]), iter: 200);

    private static uint BitByBit(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint state = ~crc;
        foreach (byte b in bytes)
        {
            state ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                state = (state >> 1) ^ ((state & 1) * 0x82F63B78u);
            }
        }

        return ~state;
    }
}
