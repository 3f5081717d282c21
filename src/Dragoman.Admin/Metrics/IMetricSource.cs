namespace Dragoman.Admin.Metrics;

/// <summary>Writes some metrics.</summary>
internal interface IMetricSource
{
    /// <summary>Writes them, as far as they are wanted.</summary>
    ValueTask WriteAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation);
}
