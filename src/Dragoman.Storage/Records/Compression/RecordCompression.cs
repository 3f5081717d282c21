namespace Dragoman.Storage.Records.Compression;

/// <summary>How a decompression ended.</summary>
public enum DecompressionResult
{
    /// <summary>All bytes were decompressed.</summary>
    Ok = 0,

    /// <summary>The bytes are no valid compressed data, are cut short, or fail their own checksum.</summary>
    Corrupt,

    /// <summary>They would decompress to more than was allowed.</summary>
    TooLarge,

    /// <summary>No such codec.</summary>
    UnknownCodec,
}

/// <summary>
/// The codecs of record batches. Each compresses a whole batch body at once, in the framing that Kafka's Java client and
/// librdkafka read, and decompresses every framing that producers are known to write.
/// </summary>
public static class RecordCompression
{
    // Codecs may need room for one more block than is allowed before they know that it is too much.
    private const int LargestBlock = 4 * 1024 * 1024;

    /// <summary>
    /// Decompresses a batch body and appends it to <paramref name="destination"/>, whose former content stays.
    /// </summary>
    /// <param name="codec">The codec of the batch.</param>
    /// <param name="source">The compressed body; an empty one is corrupt, except without compression.</param>
    /// <param name="maxBytes">
    /// The most that may be appended. Memory stays within a small multiple of it, whatever the source claims.
    /// </param>
    /// <param name="destination">Gets the result; if the result is not <see cref="DecompressionResult.Ok"/>, nothing.</param>
    public static DecompressionResult Decompress(
        CompressionCodec codec, ReadOnlySpan<byte> source, int maxBytes, PooledBuffer destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        ArgumentNullException.ThrowIfNull(destination);
        int before = destination.Length;
        maxBytes = Math.Min(maxBytes, Math.Max(0, Array.MaxLength - LargestBlock - before));
        DecompressionResult result = codec switch
        {
            CompressionCodec.None => Copy(source, maxBytes, destination),
            > CompressionCodec.Zstd => DecompressionResult.UnknownCodec,
            _ when source.IsEmpty => DecompressionResult.Corrupt,
            CompressionCodec.Gzip => GzipCodec.Decompress(source, maxBytes, destination),
            CompressionCodec.Snappy => SnappyCodec.Decompress(source, maxBytes, destination),
            CompressionCodec.Lz4 => Lz4FrameCodec.Decompress(source, maxBytes, destination),
            _ => ZstdCodec.Decompress(source, maxBytes, destination),
        };

        if (result == DecompressionResult.Ok && destination.Length - before > maxBytes)
        {
            result = DecompressionResult.TooLarge;
        }

        if (result != DecompressionResult.Ok)
        {
            destination.Truncate(before);
        }

        return result;
    }

    /// <summary>Compresses a batch body and appends the result to <paramref name="destination"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such codec.</exception>
    public static void Compress(CompressionCodec codec, ReadOnlySpan<byte> source, PooledBuffer destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        switch (codec)
        {
            case CompressionCodec.None:
                destination.Write(source);
                break;
            case CompressionCodec.Gzip:
                GzipCodec.Compress(source, destination);
                break;
            case CompressionCodec.Snappy:
                SnappyCodec.Compress(source, destination);
                break;
            case CompressionCodec.Lz4:
                Lz4FrameCodec.Compress(source, destination);
                break;
            case CompressionCodec.Zstd:
                ZstdCodec.Compress(source, destination);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(codec), codec, "No such compression codec.");
        }
    }

    private static DecompressionResult Copy(ReadOnlySpan<byte> source, int maxBytes, PooledBuffer destination)
    {
        if (source.Length > maxBytes)
        {
            return DecompressionResult.TooLarge;
        }

        destination.Write(source);
        return DecompressionResult.Ok;
    }
}
