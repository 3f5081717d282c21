namespace Dragoman.Broker.Quotas;

/// <summary>
/// Tokens that come at a rate, up to eleven seconds' worth; whoever takes more than there is leaves a debt, and others
/// have to wait until it is paid (KIP-599).
/// </summary>
internal sealed class TokenBucket(long nowMs)
{
    private const double BurstSeconds = 11;

    private readonly Lock _lock = new();
    private double? _tokens;
    private long _since = nowMs;

    public long LastUsed => Volatile.Read(ref _since);

    /// <summary>Takes tokens.</summary>
    /// <param name="amount">How many.</param>
    /// <param name="limit">How many come a second.</param>
    /// <param name="strict">Whether to take none while there is a debt.</param>
    /// <param name="now">The time in milliseconds.</param>
    /// <returns>Whether they were taken, and how many milliseconds it takes to pay the debt there is now.</returns>
    public (bool Taken, long WaitMs) Take(double amount, double limit, bool strict, long now)
    {
        lock (_lock)
        {
            var burst = limit * BurstSeconds;
            var tokens = Math.Min(burst, (_tokens ?? burst) + limit * (now - _since) / 1000);
            Volatile.Write(ref _since, now);
            var taken = !strict || tokens >= 0;
            if (taken) tokens -= amount;
            _tokens = tokens;
            return (taken, tokens >= 0 ? 0 : (long)Math.Ceiling(-tokens / limit * 1000));
        }
    }
}
