using System.Buffers.Binary;
using System.IO.Hashing;
using K4os.Compression.LZ4;

namespace Dragoman.Storage.Records.Compression;

/// <summary>
/// The LZ4 frame format 1.6 over the library's block codec: frames one after the other, blocks dependent or not,
/// checksums of every kind, content size stated or not, skippable frames.
/// </summary>
/// <remarks>
/// <para>
/// A frame is magic 0x184D2204 (little-endian, as all numbers here), FLG, BD, content size uint64 if flagged, the header
/// checksum (second byte of the xxHash-32 of FLG to content size), blocks of a uint32 size (high bit: stored) with an
/// xxHash-32 each if flagged, a zero size, and an xxHash-32 of the content if flagged (lz4_Frame_format.md).
/// </para>
/// <para>
/// Kafka clients computed the header checksum over the magic too in the old message formats; in batches of magic 2 it is
/// as specified (KIP-57), and a wrong one is corrupt here.
/// </para>
/// </remarks>
internal static class Lz4FrameCodec
{
    private const uint FrameMagic = 0x184D2204;
    private const uint SkippableMagic = 0x184D2A50;
    private const uint SkippableMask = 0xFFFFFFF0;
    private const uint StoredBlock = 0x80000000;
    private const int MaxHistory = 64 * 1024;

    private const byte VersionMask = 0xC0;
    private const byte Version = 0x40;
    private const byte IndependentFlag = 0x20;
    private const byte BlockChecksumFlag = 0x10;
    private const byte ContentSizeFlag = 0x08;
    private const byte ContentChecksumFlag = 0x04;
    private const byte ReservedFlag = 0x02;
    private const byte DictionaryFlag = 0x01;

    // What Java's client writes: independent blocks of at most 64 KiB, no checksums but the header's.
    private const byte WriteFlags = Version | IndependentFlag;
    private const byte WriteDescriptor = 4 << 4;
    private const int WriteBlockSize = 64 * 1024;

    public static DecompressionResult Decompress(ReadOnlySpan<byte> source, int maxBytes, PooledBuffer destination)
    {
        long limit = (long)destination.Length + maxBytes;
        while (!source.IsEmpty)
        {
            if (source.Length < sizeof(uint))
            {
                return DecompressionResult.Corrupt;
            }

            uint magic = BinaryPrimitives.ReadUInt32LittleEndian(source);
            source = source[sizeof(uint)..];
            DecompressionResult result =
                magic == FrameMagic ? DecompressFrame(ref source, limit, destination)
                : (magic & SkippableMask) == SkippableMagic ? Skip(ref source)
                : DecompressionResult.Corrupt;
            if (result != DecompressionResult.Ok)
            {
                return result;
            }
        }

        return DecompressionResult.Ok;
    }

    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer destination)
    {
        Span<byte> header = destination.GetSpan(7);
        BinaryPrimitives.WriteUInt32LittleEndian(header, FrameMagic);
        header[4] = WriteFlags;
        header[5] = WriteDescriptor;
        header[6] = HeaderChecksum(header[4..6]);
        destination.Advance(7);

        while (!source.IsEmpty)
        {
            ReadOnlySpan<byte> block = source[..Math.Min(source.Length, WriteBlockSize)];
            Span<byte> target = destination.GetSpan(sizeof(uint) + LZ4Codec.MaximumOutputSize(block.Length));
            int written = LZ4Codec.Encode(block, target[sizeof(uint)..]);
            uint size = (uint)written;
            if (written <= 0 || written >= block.Length)
            {
                block.CopyTo(target[sizeof(uint)..]);
                written = block.Length;
                size = (uint)written | StoredBlock;
            }

            BinaryPrimitives.WriteUInt32LittleEndian(target, size);
            destination.Advance(sizeof(uint) + written);
            source = source[block.Length..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(destination.GetSpan(sizeof(uint)), 0);
        destination.Advance(sizeof(uint));
    }

    private static DecompressionResult DecompressFrame(ref ReadOnlySpan<byte> source, long limit, PooledBuffer destination)
    {
        if (!TryReadHeader(ref source, out byte flags, out int maxBlock, out ulong? contentSize))
        {
            return DecompressionResult.Corrupt;
        }

        int start = destination.Length;
        if (contentSize is { } stated && stated > (ulong)(limit - start))
        {
            return DecompressionResult.TooLarge;
        }

        while (true)
        {
            if (!TryReadUInt32(ref source, out uint size))
            {
                return DecompressionResult.Corrupt;
            }

            if (size == 0)
            {
                break;
            }

            bool stored = (size & StoredBlock) != 0;
            uint length = size & ~StoredBlock;
            if (length == 0 || length > (uint)maxBlock || length > (uint)source.Length)
            {
                return DecompressionResult.Corrupt;
            }

            ReadOnlySpan<byte> block = source[..(int)length];
            source = source[(int)length..];
            if ((flags & BlockChecksumFlag) != 0
                && (!TryReadUInt32(ref source, out uint checksum) || checksum != XxHash32.HashToUInt32(block)))
            {
                return DecompressionResult.Corrupt;
            }

            if (stored)
            {
                if (destination.Length + block.Length > limit)
                {
                    return DecompressionResult.TooLarge;
                }

                destination.Write(block);
            }
            else if (!DecompressBlock(block, maxBlock, (flags & IndependentFlag) != 0 ? destination.Length : start, destination))
            {
                return DecompressionResult.Corrupt;
            }

            if (destination.Length > limit)
            {
                return DecompressionResult.TooLarge;
            }
        }

        ReadOnlySpan<byte> content = destination.WrittenSpan[start..];
        if ((flags & ContentChecksumFlag) != 0
            && (!TryReadUInt32(ref source, out uint contentChecksum) || contentChecksum != XxHash32.HashToUInt32(content)))
        {
            return DecompressionResult.Corrupt;
        }

        return contentSize is { } size64 && size64 != (ulong)content.Length
            ? DecompressionResult.Corrupt
            : DecompressionResult.Ok;
    }

    private static bool DecompressBlock(ReadOnlySpan<byte> block, int maxBlock, int historyStart, PooledBuffer destination)
    {
        // One byte of a match length stands for at most 255 bytes, so a short block needs no room for the largest.
        int room = (int)Math.Min(maxBlock, (255L * block.Length) + 16);
        Span<byte> target = destination.GetSpan(room)[..room];
        ReadOnlySpan<byte> history = destination.WrittenSpan[historyStart..];
        if (history.Length > MaxHistory)
        {
            history = history[^MaxHistory..];
        }

        if (!RefersBack(block, history.Length))
        {
            return false;
        }

        int written = history.IsEmpty ? LZ4Codec.Decode(block, target) : LZ4Codec.Decode(block, target, history);
        if (written < 0)
        {
            return false;
        }

        destination.Advance(written);
        return true;
    }

    /// <summary>
    /// Whether all matches of a block refer to what lies before them. One with an offset of zero, which no encoder writes,
    /// refers to itself, and decoders leave in its place what was in the buffer: somebody else's messages.
    /// </summary>
    private static bool RefersBack(ReadOnlySpan<byte> block, int history)
    {
        long produced = history;
        for (int at = 0; at < block.Length;)
        {
            byte token = block[at++];
            long literals = token >> 4;
            if (literals == 15 && !TryReadLength(block, ref at, ref literals))
            {
                return false;
            }

            if (literals > block.Length - at)
            {
                return false;
            }

            at += (int)literals;
            produced += literals;
            if (at == block.Length)
            {
                // The last sequence has literals alone.
                return true;
            }

            if (block.Length - at < sizeof(ushort))
            {
                return false;
            }

            int offset = BinaryPrimitives.ReadUInt16LittleEndian(block[at..]);
            at += sizeof(ushort);
            if (offset == 0 || offset > produced)
            {
                return false;
            }

            long match = token & 15;
            if (match == 15 && !TryReadLength(block, ref at, ref match))
            {
                return false;
            }

            produced += match + 4;
        }

        return false;
    }

    private static bool TryReadLength(ReadOnlySpan<byte> block, ref int at, ref long length)
    {
        while (at < block.Length)
        {
            byte more = block[at++];
            length += more;
            if (more != 255)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryReadHeader(ref ReadOnlySpan<byte> source, out byte flags, out int maxBlock, out ulong? contentSize)
    {
        flags = 0;
        maxBlock = 0;
        contentSize = null;
        if (source.Length < 3)
        {
            return false;
        }

        flags = source[0];
        byte descriptor = source[1];
        int blockCode = descriptor >> 4;
        if ((flags & VersionMask) != Version
            || (flags & (ReservedFlag | DictionaryFlag)) != 0
            || (descriptor & 0x8F) != 0
            || blockCode < 4)
        {
            return false;
        }

        maxBlock = 1 << (8 + 2 * blockCode);
        int size = (flags & ContentSizeFlag) != 0 ? 2 + sizeof(ulong) : 2;
        if (source.Length <= size || source[size] != HeaderChecksum(source[..size]))
        {
            return false;
        }

        if (size > 2)
        {
            contentSize = BinaryPrimitives.ReadUInt64LittleEndian(source[2..]);
        }

        source = source[(size + 1)..];
        return true;
    }

    private static DecompressionResult Skip(ref ReadOnlySpan<byte> source)
    {
        if (!TryReadUInt32(ref source, out uint size) || size > (uint)source.Length)
        {
            return DecompressionResult.Corrupt;
        }

        source = source[(int)size..];
        return DecompressionResult.Ok;
    }

    private static byte HeaderChecksum(ReadOnlySpan<byte> descriptor) => (byte)(XxHash32.HashToUInt32(descriptor) >> 8);

    private static bool TryReadUInt32(ref ReadOnlySpan<byte> source, out uint value)
    {
        if (!BinaryPrimitives.TryReadUInt32LittleEndian(source, out value))
        {
            return false;
        }

        source = source[sizeof(uint)..];
        return true;
    }
}
