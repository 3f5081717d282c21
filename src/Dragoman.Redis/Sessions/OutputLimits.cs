namespace Dragoman.Redis.Sessions;

/// <summary>How much may wait for a client that listens: Redis' <c>client-output-buffer-limit</c>.</summary>
/// <param name="Hard">Bytes at which it is disconnected; 0 for no limit of its own.</param>
/// <param name="Soft">Bytes above which it may be for a while only; 0 for no limit.</param>
/// <param name="SoftSeconds">For how long.</param>
internal sealed record OutputLimit(long Hard, long Soft, int SoftSeconds);

/// <summary>The limits of this front end, and what waits for all of its clients together.</summary>
internal sealed class OutputLimits(long total)
{
    // Whoever has less than this waiting is not what fills the memory.
    private const int Innocent = 64 << 10;

    private long _waiting;

    /// <summary>The limit of clients that listen; can be changed at any time.</summary>
    public OutputLimit PubSub { get; set; } = new(32 << 20, 8 << 20, 60);

    /// <summary>The limit of other clients. They are not read from while they do not read, so that there need not be one.</summary>
    public OutputLimit Normal { get; set; } = new(0, 0, 0);

    /// <summary>Bytes that wait for all clients.</summary>
    public long Waiting => Interlocked.Read(ref _waiting);

    /// <summary>Counts bytes that are waiting, or with a negative number are no longer.</summary>
    public void Add(long bytes) => Interlocked.Add(ref _waiting, bytes);

    /// <summary>Whether a client is too far behind for more.</summary>
    /// <param name="waiting">Bytes that wait for it.</param>
    /// <param name="listens">Whether it listens.</param>
    public bool IsTooMuch(long waiting, bool listens)
    {
        var limit = listens ? PubSub : Normal;
        if (limit.Hard > 0 && waiting > limit.Hard) return true;
        return waiting > Innocent && Waiting > total;
    }
}
