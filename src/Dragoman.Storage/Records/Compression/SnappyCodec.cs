using System.Buffers.Binary;
using Snappier;

namespace Dragoman.Storage.Records.Compression;

/// <summary>
/// Snappy in the framing of xerial's snappy-java, which Kafka's Java client made the rule, and as one raw block, which
/// some producers write.
/// </summary>
/// <remarks>
/// The framing is a 16-byte header (8 bytes magic, int32 version 1, int32 oldest compatible version 1, big-endian),
/// then blocks, each an int32 big-endian length and a raw Snappy block. A header may stand again before a block, where
/// streams were concatenated. (snappy-java, SnappyOutputStream; librdkafka, snappy_java_uncompress.)
/// </remarks>
internal static class SnappyCodec
{
    private const int FrameHeaderSize = 16;
    private const int BlockSize = 32 * 1024;

    private static ReadOnlySpan<byte> FrameMagic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    public static DecompressionResult Decompress(ReadOnlySpan<byte> source, int maxBytes, PooledBuffer destination)
    {
        try
        {
            if (!source.StartsWith(FrameMagic))
            {
                return DecompressBlock(source, ref maxBytes, destination);
            }

            while (!source.IsEmpty)
            {
                if (source.StartsWith(FrameMagic))
                {
                    if (source.Length < FrameHeaderSize)
                    {
                        return DecompressionResult.Corrupt;
                    }

                    source = source[FrameHeaderSize..];
                    continue;
                }

                if (source.Length < sizeof(int))
                {
                    return DecompressionResult.Corrupt;
                }

                int length = BinaryPrimitives.ReadInt32BigEndian(source);
                source = source[sizeof(int)..];
                if (length <= 0 || length > source.Length)
                {
                    return DecompressionResult.Corrupt;
                }

                DecompressionResult result = DecompressBlock(source[..length], ref maxBytes, destination);
                if (result != DecompressionResult.Ok)
                {
                    return result;
                }

                source = source[length..];
            }

            return DecompressionResult.Ok;
        }
        catch (InvalidDataException)
        {
            return DecompressionResult.Corrupt;
        }
    }

    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer destination)
    {
        Span<byte> header = destination.GetSpan(FrameHeaderSize);
        FrameMagic.CopyTo(header);
        BinaryPrimitives.WriteInt32BigEndian(header[8..], 1);
        BinaryPrimitives.WriteInt32BigEndian(header[12..], 1);
        destination.Advance(FrameHeaderSize);

        while (!source.IsEmpty)
        {
            ReadOnlySpan<byte> block = source[..Math.Min(source.Length, BlockSize)];
            Span<byte> target = destination.GetSpan(sizeof(int) + Snappy.GetMaxCompressedLength(block.Length));
            int written = Snappy.Compress(block, target[sizeof(int)..]);
            BinaryPrimitives.WriteInt32BigEndian(target, written);
            destination.Advance(sizeof(int) + written);
            source = source[block.Length..];
        }
    }

    private static DecompressionResult DecompressBlock(ReadOnlySpan<byte> block, ref int maxBytes, PooledBuffer destination)
    {
        int length = Snappy.GetUncompressedLength(block);
        if (length < 0)
        {
            return DecompressionResult.Corrupt;
        }

        // A block says its size up front, which costs an attacker nothing: believe it only as far as Snappy can expand,
        // a copy of 64 bytes from a tag of two or three.
        if (length > 64L * block.Length)
        {
            return DecompressionResult.Corrupt;
        }

        if (length > maxBytes)
        {
            return DecompressionResult.TooLarge;
        }

        if (length == 0)
        {
            return DecompressionResult.Ok;
        }

        Span<byte> target = destination.GetSpan(length);
        if (!Snappy.TryDecompress(block, target[..length], out int written) || written != length)
        {
            return DecompressionResult.Corrupt;
        }

        destination.Advance(length);
        maxBytes -= length;
        return DecompressionResult.Ok;
    }
}
