namespace Dragoman.Storage.Log.Compaction;

/// <summary>Holds work back so that it takes no more than so many bytes of the disk a second.</summary>
internal sealed class Throttle(TimeProvider time, long bytesPerSecond)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private long _bytesPerSecond = bytesPerSecond;
    private long _since = time.GetTimestamp();
    private long _spent;

    /// <summary>How many, above 0. It can be changed while the work goes on.</summary>
    public long BytesPerSecond
    {
        get => Volatile.Read(ref _bytesPerSecond);
        set => Volatile.Write(ref _bytesPerSecond, Math.Max(1, value));
    }

    /// <summary>Notes that bytes were read or written, and waits if that was too fast.</summary>
    public async ValueTask SpendAsync(long bytes, CancellationToken cancellation)
    {
        // Time that went unused is no credit for later.
        if (time.GetElapsedTime(_since) > Window && Ahead <= TimeSpan.Zero) (_since, _spent) = (time.GetTimestamp(), 0);
        _spent += bytes;
        // Not all at once: the rate may be raised meanwhile.
        while (Ahead is var ahead && ahead >= Step) await Task.Delay(ahead < Window ? ahead : Window, time, cancellation);
    }

    private TimeSpan Ahead => TimeSpan.FromSeconds(Math.Min((double)_spent / BytesPerSecond, int.MaxValue)) - time.GetElapsedTime(_since);
}
