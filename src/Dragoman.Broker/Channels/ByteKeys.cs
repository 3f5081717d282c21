using System.IO.Hashing;

namespace Dragoman.Broker.Channels;

/// <summary>Compares names that are bytes, and lets them be looked up without an array of their own.</summary>
public sealed class ByteKeys : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    // What clients choose must not let them choose collisions.
    private readonly long _seed;

    private ByteKeys(long seed) => _seed = seed;

    /// <summary>The one instance.</summary>
    public static ByteKeys Comparer { get; } = new(BitConverter.ToInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8)));

    /// <inheritdoc/>
    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    /// <inheritdoc/>
    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    /// <inheritdoc/>
    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

    /// <inheritdoc/>
    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    /// <inheritdoc/>
    public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)XxHash3.HashToUInt64(alternate, _seed);
}
