using System.Buffers;
using System.IO.Hashing;
using System.Text;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>Hashes that are the same on every start and every machine.</summary>
internal static class StableHash
{
    private const int MaxOnStack = 256;

    /// <summary>The hash of a text.</summary>
    public static ulong Of(string text)
    {
        var size = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (size <= MaxOnStack)
        {
            Span<byte> bytes = stackalloc byte[MaxOnStack];
            return Of(bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
        }
        var rented = ArrayPool<byte>.Shared.Rent(size);
        var hash = Of(rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented)));
        ArrayPool<byte>.Shared.Return(rented);
        return hash;
    }

    /// <summary>The hash of bytes.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes) => XxHash3.HashToUInt64(bytes);

    /// <summary>The hash of two hashes, in their order.</summary>
    public static ulong Of(ulong one, ulong other)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes, one);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], other);
        return Of(bytes);
    }
}
