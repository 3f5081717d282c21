using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Dragoman.Storage.Records.Compression;

/// <summary>gzip (RFC 1952), members one after the other. The only codec whose library needs objects per call.</summary>
internal static unsafe class GzipCodec
{
    private const int HeaderSize = 10;
    private const int TrailerSize = 8;
    private const int FirstStep = 4096;
    private const int LargestStep = 1 << 20;

    public static DecompressionResult Decompress(ReadOnlySpan<byte> source, int maxBytes, PooledBuffer destination)
    {
        if (source.Length < HeaderSize + TrailerSize)
        {
            return DecompressionResult.Corrupt;
        }

        int before = destination.Length;
        DecompressionResult result = DecompressMembers(source, maxBytes, destination);
        return result == DecompressionResult.Ok && !EndsWithTrailer(source, destination.WrittenSpan[before..])
            ? DecompressionResult.Corrupt
            : result;
    }

    private static DecompressionResult DecompressMembers(ReadOnlySpan<byte> source, int maxBytes, PooledBuffer destination)
    {
        int limit = (int)Math.Min((long)destination.Length + maxBytes, Array.MaxLength);
        fixed (byte* start = source)
        {
            try
            {
                using var compressed = new UnmanagedMemoryStream(start, source.Length);
                using var gzip = new GZipStream(compressed, CompressionMode.Decompress);
                int step = Math.Clamp(source.Length * 2, FirstStep, LargestStep);
                Span<byte> beyond = stackalloc byte[1];
                while (true)
                {
                    int room = limit - destination.Length;
                    if (room == 0)
                    {
                        return gzip.Read(beyond) == 0 ? DecompressionResult.Ok : DecompressionResult.TooLarge;
                    }

                    Span<byte> span = destination.GetSpan(Math.Min(step, room));
                    int read = gzip.Read(span[..Math.Min(span.Length, room)]);
                    if (read == 0)
                    {
                        return DecompressionResult.Ok;
                    }

                    destination.Advance(read);
                }
            }
            catch (Exception e) when (e is InvalidDataException or IOException)
            {
                return DecompressionResult.Corrupt;
            }
        }
    }

    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer destination)
    {
        using var target = new PooledBufferStream(destination);
        using var gzip = new GZipStream(target, CompressionLevel.Optimal);
        gzip.Write(source);
        if (source.IsEmpty)
        {
            // The library writes no member at all for no data, which no reader takes for a gzip of nothing.
            destination.Write(EmptyMember);
        }
    }

    /// <summary>
    /// Whether the source ends with the last member's trailer: CRC-32 and size of its content, little-endian.
    /// </summary>
    /// <remarks>
    /// The library takes the end of its input for the end of the data, wherever that is. It checks a member's trailer only
    /// if it gets that far, so a missing one is found here; every earlier member's it has checked.
    /// </remarks>
    private static bool EndsWithTrailer(ReadOnlySpan<byte> source, ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> trailer = source[^TrailerSize..];
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]);
        return size <= (uint)content.Length
            && Crc32.HashToUInt32(content[^(int)size..]) == BinaryPrimitives.ReadUInt32LittleEndian(trailer);
    }

    private static ReadOnlySpan<byte> EmptyMember =>
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Lets the library write into a buffer that outlives it.</summary>
    private sealed class PooledBufferStream(PooledBuffer buffer) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() { }

        public override int Read(byte[] target, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] source, int offset, int count) => buffer.Write(source.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> source) => buffer.Write(source);
    }
}
