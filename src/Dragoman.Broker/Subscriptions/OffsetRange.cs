namespace Dragoman.Broker.Subscriptions;

/// <summary>Offsets from <paramref name="Start"/> up to, not including, <paramref name="End"/>.</summary>
/// <param name="Start">The first.</param>
/// <param name="End">The one after the last.</param>
public readonly record struct OffsetRange(long Start, long End)
{
    /// <summary>How many offsets there are.</summary>
    public long Count => End - Start;

    /// <summary>One offset.</summary>
    public static OffsetRange Of(long offset) => new(offset, offset + 1);
}
