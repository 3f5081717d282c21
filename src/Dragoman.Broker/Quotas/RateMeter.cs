namespace Dragoman.Broker.Quotas;

/// <summary>
/// Measures a rate over the last ten seconds and a bit, as Kafka does (<c>Rate</c>, <c>SampledStat</c>: eleven samples of a second):
/// what was unused in that time can be used at once.
/// </summary>
internal sealed class RateMeter
{
    private const int Samples = 11;
    private const long SampleMs = 1000;

    private readonly Lock _lock = new();
    private readonly double[] _totals = new double[Samples];
    private readonly long[] _starts = new long[Samples];
    private int _current;
    private long _lastUsed;

    public RateMeter(long nowMs)
    {
        Array.Fill(_starts, long.MinValue);
        _starts[0] = nowMs;
        _lastUsed = nowMs;
    }

    /// <summary>When it was last used, in milliseconds of the caller's clock.</summary>
    public long LastUsed => Volatile.Read(ref _lastUsed);

    /// <summary>Notes an amount and says how long to wait, in milliseconds, until the rate is back at the limit.</summary>
    public long Record(double amount, double limit, long nowMs)
    {
        lock (_lock)
        {
            Volatile.Write(ref _lastUsed, nowMs);
            if (nowMs - _starts[_current] >= SampleMs)
            {
                _current = (_current + 1) % Samples;
                _starts[_current] = nowMs;
                _totals[_current] = 0;
            }
            _totals[_current] += amount;
            var (total, oldest) = (0.0, nowMs);
            for (var i = 0; i < Samples; i++)
            {
                if (_starts[i] == long.MinValue || nowMs - _starts[i] >= Samples * SampleMs) continue;
                total += _totals[i];
                oldest = Math.Min(oldest, _starts[i]);
            }
            // A window that is not full counts as if nothing had come before.
            var elapsed = nowMs - oldest;
            elapsed += Math.Max(0, Samples - 1 - elapsed / SampleMs) * SampleMs;
            return (long)Math.Clamp(Math.Ceiling(total * 1000 / limit - elapsed), 0, int.MaxValue);
        }
    }

    /// <summary>Takes back what the last <see cref="Record"/> noted.</summary>
    public void Return(double amount)
    {
        lock (_lock) _totals[_current] = Math.Max(0, _totals[_current] - amount);
    }

    /// <summary>The most that can be taken at once.</summary>
    public static double Burst(double limit) => limit * (Samples - 1);
}
