namespace Dragoman.Simulation;

/// <summary>
/// SplitMix64. Our own generator rather than <see cref="Random"/>, so that a seed that failed once means the same run
/// under every later version of .NET.
/// </summary>
public sealed class SimRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong NextUInt64()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 up to, not including, <paramref name="limit"/>.</summary>
    public long Next(long limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return (long)Math.BigMul(NextUInt64(), (ulong)limit, out _);
    }

    /// <inheritdoc cref="Next(long)"/>
    public int Next(int limit) => (int)Next((long)limit);

    /// <summary>A number from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public int Between(int first, int last) => first + Next(last - first + 1);

    /// <summary>From 0 up to, not including, 1.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>True for one in so many calls.</summary>
    public bool OneIn(int calls) => Next(calls) == 0;

    public T Pick<T>(IReadOnlyList<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return items[Next(items.Count)];
    }

    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte b in bytes)
        {
            b = (byte)NextUInt64();
        }
    }

    /// <summary>A generator of its own, so that what one part draws does not shift what another does.</summary>
    public SimRandom Fork() => new(NextUInt64());
}
