using System.Buffers.Binary;
using CsCheck;
using Dragoman.Storage.Records;
using Dragoman.Storage.Records.Compression;

namespace Dragoman.Storage.Tests.Records;

public class RecordCompressionTests
{
    private const int Mebibyte = 1 << 20;

    public static TheoryData<CompressionCodec> AllCodecs => TestRecords.AllCodecs;

    public static TheoryData<CompressionCodec> RealCodecs =>
        new(TestRecords.Codecs.Where(c => c != CompressionCodec.None));

    public static TheoryData<string, CompressionCodec, string> Foreign => new()
    {
        { nameof(ForeignFrames.GzipMembers), CompressionCodec.Gzip, ForeignFrames.GzipMembers },
        { nameof(ForeignFrames.SnappyRaw), CompressionCodec.Snappy, ForeignFrames.SnappyRaw },
        { nameof(ForeignFrames.SnappyXerial), CompressionCodec.Snappy, ForeignFrames.SnappyXerial },
        { nameof(ForeignFrames.SnappyXerialConcatenated), CompressionCodec.Snappy, ForeignFrames.SnappyXerialConcatenated },
        { nameof(ForeignFrames.Lz4Linked), CompressionCodec.Lz4, ForeignFrames.Lz4Linked },
        { nameof(ForeignFrames.Lz4Checksums), CompressionCodec.Lz4, ForeignFrames.Lz4Checksums },
        { nameof(ForeignFrames.Lz4Large), CompressionCodec.Lz4, ForeignFrames.Lz4Large },
        { nameof(ForeignFrames.Lz4Frames), CompressionCodec.Lz4, ForeignFrames.Lz4Frames },
        { nameof(ForeignFrames.ZstdSized), CompressionCodec.Zstd, ForeignFrames.ZstdSized },
        { nameof(ForeignFrames.ZstdUnsized), CompressionCodec.Zstd, ForeignFrames.ZstdUnsized },
        { nameof(ForeignFrames.ZstdStreamed), CompressionCodec.Zstd, ForeignFrames.ZstdStreamed },
        { nameof(ForeignFrames.ZstdFrames), CompressionCodec.Zstd, ForeignFrames.ZstdFrames },
    };

    [Theory]
    [MemberData(nameof(AllCodecs))]
    public void Any_bytes_come_back(CompressionCodec codec)
    {
        Gen<byte[]> random = Gen.Byte.Array[0, 70_000];
        Gen<byte[]> repeating = Gen.Select(Gen.Byte.Array[1, 40], Gen.Int[0, 200_000])
            .Select((unit, length) => Enumerable.Range(0, length).Select(i => unit[i % unit.Length]).ToArray());
        Gen.OneOf(random, repeating).Sample(bytes =>
        {
            using PooledBuffer compressed = Compress(codec, bytes);
            using var plain = new PooledBuffer();
            plain.Write([42]);
            Assert.Equal(
                DecompressionResult.Ok,
                RecordCompression.Decompress(codec, compressed.WrittenSpan, bytes.Length, plain));
            Assert.Equal(42, plain.WrittenSpan[0]);
            Assert.True(plain.WrittenSpan[1..].SequenceEqual(bytes));
        }, iter: 60);
    }

    [Theory]
    [MemberData(nameof(AllCodecs))]
    public void Nothing_comes_back_as_nothing(CompressionCodec codec)
    {
        using PooledBuffer compressed = Compress(codec, []);
        using var plain = new PooledBuffer();
        Assert.Equal(DecompressionResult.Ok, RecordCompression.Decompress(codec, compressed.WrittenSpan, 0, plain));
        Assert.Equal(0, plain.Length);
    }

    [Theory]
    [MemberData(nameof(Foreign))]
    public void Frames_of_other_libraries_are_read(string name, CompressionCodec codec, string base64)
    {
        byte[] source = Convert.FromBase64String(base64);
        using var plain = new PooledBuffer();
        DecompressionResult result = RecordCompression.Decompress(codec, source, ForeignFrames.Payload.Length, plain);
        Assert.True(result == DecompressionResult.Ok, name);
        Assert.True(plain.WrittenSpan.SequenceEqual(ForeignFrames.Payload), name);

        plain.Clear();
        result = RecordCompression.Decompress(codec, source, ForeignFrames.Payload.Length - 1, plain);
        Assert.True(result == DecompressionResult.TooLarge, name);
        Assert.Equal(0, plain.Length);
    }

    [Theory]
    [MemberData(nameof(Foreign))]
    public void Frames_cut_short_or_changed_never_throw_and_leave_nothing_behind(string name, CompressionCodec codec, string base64)
    {
        byte[] source = Convert.FromBase64String(base64);
        var random = new Random(1);
        using var plain = new PooledBuffer();
        for (int i = 0; i < 400; i++)
        {
            byte[] changed = [.. source];
            for (int change = 0; change < 1 + (i % 3); change++)
            {
                // The first bytes are where the structure is.
                changed[random.Next(i % 2 == 0 ? Math.Min(64, changed.Length) : changed.Length)] = (byte)random.Next(256);
            }

            ReadOnlySpan<byte> cut = changed.AsSpan(0, i % 4 == 0 ? random.Next(changed.Length) : changed.Length);
            DecompressionResult result = RecordCompression.Decompress(codec, cut, 2 * ForeignFrames.Payload.Length, plain);
            if (result != DecompressionResult.Ok)
            {
                Assert.Equal(0, plain.Length);
            }

            Assert.InRange(plain.Length, 0, 2 * ForeignFrames.Payload.Length);
            Assert.True(plain.Capacity <= 8 * Mebibyte, name);
            plain.Clear();
        }
    }

    [Theory]
    [MemberData(nameof(RealCodecs))]
    public void Truncation_anywhere_is_never_taken_for_the_whole(CompressionCodec codec)
    {
        byte[] bytes = [.. ForeignFrames.Payload.Take(3000)];
        using PooledBuffer compressed = Compress(codec, bytes);
        using var plain = new PooledBuffer();
        for (int length = 0; length < compressed.Length; length++)
        {
            // A xerial stream may end after any block, its header included, so there the result is only shorter.
            DecompressionResult result = RecordCompression.Decompress(codec, compressed.WrittenSpan[..length], bytes.Length, plain);
            Assert.True(result != DecompressionResult.Ok || (codec == CompressionCodec.Snappy && plain.Length < bytes.Length), $"{length}");
            plain.Clear();
        }
    }

    [Theory]
    [MemberData(nameof(RealCodecs))]
    public void A_bomb_costs_bounded_memory(CompressionCodec codec)
    {
        using PooledBuffer bomb = Compress(codec, new byte[64 * Mebibyte]);
        using var plain = new PooledBuffer();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(DecompressionResult.TooLarge, RecordCompression.Decompress(codec, bomb.WrittenSpan, Mebibyte, plain));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 * Mebibyte);
        Assert.InRange(plain.Capacity, 0, 8 * Mebibyte);
    }

    [Fact]
    public void Sizes_that_lie_cost_nothing()
    {
        // Raw Snappy that claims 1 GiB in its first five bytes.
        Lie(CompressionCodec.Snappy, [0x80, 0x80, 0x80, 0x80, 0x04, 0, 0, 0]);

        // xerial blocks of impossible lengths.
        byte[] xerial = [0x82, .. "SNAPPY\0"u8, 0, 0, 0, 1, 0, 0, 0, 1];
        Lie(CompressionCodec.Snappy, [.. xerial, 0x7f, 0xff, 0xff, 0xff, 0]);
        Lie(CompressionCodec.Snappy, [.. xerial, 0xff, 0xff, 0xff, 0xff, 0]);
        Lie(CompressionCodec.Snappy, [.. xerial, 0, 0, 0]);
        Lie(CompressionCodec.Snappy, xerial[..12]);

        // An LZ4 frame that states 2^60 bytes.
        byte[] lz4 = Convert.FromBase64String(ForeignFrames.Lz4Linked);
        BinaryPrimitives.WriteUInt64LittleEndian(lz4.AsSpan(6), 1ul << 60);
        lz4[14] = (byte)(System.IO.Hashing.XxHash32.HashToUInt32(lz4.AsSpan(4, 10)) >> 8);
        Lie(CompressionCodec.Lz4, lz4, DecompressionResult.TooLarge);

        // A Zstandard frame with an 8-byte content size of 2^60 and a window of 2 GiB, then one raw block.
        byte[] zstd = [0x28, 0xB5, 0x2F, 0xFD, 0xC0, 0xA8, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x09, 0, 0, (byte)'a'];
        Lie(CompressionCodec.Zstd, zstd);
        zstd[13] = 0;
        zstd[6] = 1;
        using var plain = new PooledBuffer();
        Assert.Equal(DecompressionResult.Ok, RecordCompression.Decompress(CompressionCodec.Zstd, zstd, 10, plain));
        Assert.Equal("a"u8, plain.WrittenSpan);

        static void Lie(CompressionCodec codec, byte[] source, DecompressionResult? expected = null)
        {
            using var plain = new PooledBuffer();
            DecompressionResult result = RecordCompression.Decompress(codec, source, int.MaxValue, plain);
            Assert.NotEqual(DecompressionResult.Ok, result);
            Assert.Equal(expected ?? result, result);
            Assert.InRange(plain.Capacity, 0, Mebibyte);
        }
    }

    [Fact]
    public void A_match_that_refers_to_itself_does_not_show_what_was_in_memory()
    {
        // Four literals, then a match of eight bytes at offset zero, then five literals.
        byte[] block = [0x44, 1, 2, 3, 4, 0, 0, 0x50, 5, 6, 7, 8, 9];
        byte[] frame = [0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0x82, (byte)block.Length, 0, 0, 0, .. block, 0, 0, 0, 0];
        using var plain = new PooledBuffer();
        Assert.Equal(DecompressionResult.Corrupt, RecordCompression.Decompress(CompressionCodec.Lz4, frame, 1000, plain));
        // The same at an offset that is right.
        frame[11 + 5] = 4;
        plain.Clear();
        Assert.Equal(DecompressionResult.Ok, RecordCompression.Decompress(CompressionCodec.Lz4, frame, 1000, plain));
        Assert.Equal([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9], plain.WrittenSpan.ToArray());
    }

    [Fact]
    public void Wrong_lz4_checksums_are_found()
    {
        byte[] source = Convert.FromBase64String(ForeignFrames.Lz4Checksums);
        using var plain = new PooledBuffer();
        foreach (int at in new[] { 6, source.Length - 1, 7 + 4 + BinaryPrimitives.ReadInt32LittleEndian(source.AsSpan(7)) })
        {
            source[at] ^= 1;
            Assert.Equal(DecompressionResult.Corrupt, RecordCompression.Decompress(CompressionCodec.Lz4, source, Mebibyte, plain));
            source[at] ^= 1;
        }

        Assert.Equal(DecompressionResult.Ok, RecordCompression.Decompress(CompressionCodec.Lz4, source, Mebibyte, plain));
    }

    [Fact]
    public void Codecs_that_do_not_exist_are_named()
    {
        using var buffer = new PooledBuffer();
        Assert.Equal(DecompressionResult.UnknownCodec, RecordCompression.Decompress((CompressionCodec)5, [1], 10, buffer));
        Assert.Throws<ArgumentOutOfRangeException>(() => RecordCompression.Compress((CompressionCodec)5, [1], buffer));
    }

    private static PooledBuffer Compress(CompressionCodec codec, byte[] bytes)
    {
        var buffer = new PooledBuffer();
        RecordCompression.Compress(codec, bytes, buffer);
        return buffer;
    }
}
