namespace Dragoman.Storage.Log.Compaction;

/// <summary>Holds work back so that it takes no more than so many bytes of the disk a second.</summary>
internal sealed class Throttle(TimeProvider time, long bytesPerSecond)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    private long _since = time.GetTimestamp();
    private long _spent;

    /// <summary>Notes that bytes were read or written, and waits if that was too fast.</summary>
    public async ValueTask SpendAsync(long bytes, CancellationToken cancellation)
    {
        _spent += bytes;
        var ahead = TimeSpan.FromSeconds((double)_spent / bytesPerSecond) - time.GetElapsedTime(_since);
        if (ahead < Step) return;
        await Task.Delay(ahead, time, cancellation);
        // Time that went unused is no credit for later.
        _since = time.GetTimestamp();
        _spent = 0;
    }
}
