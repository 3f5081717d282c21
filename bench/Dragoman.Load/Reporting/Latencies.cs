using System.Diagnostics;
using HdrHistogram;

namespace Dragoman.Load.Reporting;

/// <summary>Latencies of one worker, in microseconds; merged at the end. Not thread-safe.</summary>
internal sealed class Latencies
{
    private const long Highest = 3_600_000_000;

    private readonly LongHistogram _histogram = new(1, Highest, 3);

    public void RecordSince(long timestamp) => _histogram.RecordValue(Math.Clamp((long)Stopwatch.GetElapsedTime(timestamp).TotalMicroseconds, 1, Highest));

    public static Percentiles Merge(IEnumerable<Latencies> parts)
    {
        var all = new LongHistogram(1, Highest, 3);
        foreach (var part in parts) all.Add(part._histogram);
        return new Percentiles(all.TotalCount, At(50), At(90), At(99), At(99.9), At(100));

        double At(double percentile) => all.TotalCount == 0 ? double.NaN : all.GetValueAtPercentile(percentile) / 1000.0;
    }
}

/// <summary>Latencies in milliseconds.</summary>
internal sealed record Percentiles(long Count, double P50, double P90, double P99, double P999, double Max)
{
    public override string ToString() => Count == 0 ? "none" : $"{P50:F2} / {P90:F2} / {P99:F2} / {P999:F2} / {Max:F1} ms";
}
