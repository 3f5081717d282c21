using ZstdSharp.Unsafe;
using static ZstdSharp.Unsafe.Methods;

namespace Dragoman.Storage.Records.Compression;

/// <summary>
/// Zstandard (RFC 8878): frames one after the other, with or without their content size; no dictionaries.
/// </summary>
/// <remarks>
/// Decompression goes straight into the result, which serves as the window. So the window size that a frame claims,
/// the means of attack against streaming decoders, allocates nothing, and the 128 MiB windows of the highest compression
/// levels need no special limit.
/// </remarks>
internal static unsafe class ZstdCodec
{
    // The default of Kafka's clients and of zstd itself.
    private const int Level = 3;

    private const int FirstGuess = 64 * 1024;
    private const ulong ContentSizeError = unchecked(0UL - 2);

    private static readonly ObjectSlots<DecompressionContext> Decompressors = new(static () => new DecompressionContext());
    private static readonly ObjectSlots<CompressionContext> Compressors = new(static () => new CompressionContext());

    public static DecompressionResult Decompress(ReadOnlySpan<byte> source, int maxBytes, PooledBuffer destination)
    {
        fixed (byte* start = source)
        {
            // An upper bound from walking the block headers: exact if every frame states its size, otherwise blocks times
            // their maximum, which is 128 KiB for a repeated byte of four bytes; so it is a target, not something to rent.
            ulong bound = ZSTD_decompressBound(start, (nuint)source.Length);
            if (bound >= ContentSizeError)
            {
                return DecompressionResult.Corrupt;
            }

            int most = (int)Math.Min((ulong)maxBytes, bound);
            int room = (int)Math.Min(most, Math.Max(FirstGuess, 4L * source.Length));
            DecompressionContext context = Decompressors.Take();
            try
            {
                while (true)
                {
                    nuint written = context.Decompress(start, source.Length, destination.GetSpan(room)[..room]);
                    if (!ZSTD_isError(written))
                    {
                        destination.Advance((int)written);
                        return DecompressionResult.Ok;
                    }

                    if (ZSTD_getErrorCode(written) != ZSTD_ErrorCode.ZSTD_error_dstSize_tooSmall)
                    {
                        return DecompressionResult.Corrupt;
                    }

                    if (room == most)
                    {
                        return (ulong)maxBytes < bound ? DecompressionResult.TooLarge : DecompressionResult.Corrupt;
                    }

                    room = (int)Math.Min(most, 4L * room);
                }
            }
            finally
            {
                Decompressors.Put(context);
            }
        }
    }

    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer destination)
    {
        int room = checked((int)ZSTD_compressBound((nuint)source.Length));
        CompressionContext context = Compressors.Take();
        try
        {
            destination.Advance(context.Compress(source, destination.GetSpan(room)));
        }
        finally
        {
            Compressors.Put(context);
        }
    }

    private sealed class DecompressionContext : IDisposable
    {
        private ZSTD_DCtx_s* _context = ZSTD_createDCtx();

        ~DecompressionContext() => Free();

        public nuint Decompress(byte* source, int length, Span<byte> target)
        {
            fixed (byte* start = target)
            {
                nuint written = ZSTD_decompressDCtx(_context, start, (nuint)target.Length, source, (nuint)length);
                GC.KeepAlive(this);
                return written;
            }
        }

        public void Dispose()
        {
            Free();
            GC.SuppressFinalize(this);
        }

        private void Free()
        {
            ZSTD_freeDCtx(_context);
            _context = null;
        }
    }

    private sealed class CompressionContext : IDisposable
    {
        private ZSTD_CCtx_s* _context = ZSTD_createCCtx();

        ~CompressionContext() => Free();

        public int Compress(ReadOnlySpan<byte> source, Span<byte> target)
        {
            fixed (byte* from = source)
            fixed (byte* to = target)
            {
                nuint written = ZSTD_compressCCtx(_context, to, (nuint)target.Length, from, (nuint)source.Length, Level);
                GC.KeepAlive(this);
                if (ZSTD_isError(written))
                {
                    throw new InvalidOperationException(
                        $"Zstandard refused to compress {source.Length} bytes: {ZSTD_getErrorCode(written)}.");
                }

                return (int)written;
            }
        }

        public void Dispose()
        {
            Free();
            GC.SuppressFinalize(this);
        }

        private void Free()
        {
            ZSTD_freeCCtx(_context);
            _context = null;
        }
    }
}
