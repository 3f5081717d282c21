namespace Dragoman.Storage.Log;

/// <summary>How long a log keeps what it holds.</summary>
/// <param name="MaxAgeMs">Batches whose newest record is older than this many milliseconds go; -1 for no limit.</param>
/// <param name="MaxBytes">The oldest batches go while at least this many bytes would be left; -1 for no limit.</param>
public sealed record LogRetention(long MaxAgeMs, long MaxBytes)
{
    /// <summary>Keeps everything.</summary>
    public static LogRetention Unlimited { get; } = new(-1, -1);
}
