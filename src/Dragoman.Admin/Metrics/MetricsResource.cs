using Dragoman.Admin.Http;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Metrics;

/// <summary>
/// <c>/metrics</c>: what Prometheus collects, under the names of RabbitMQ's plugin <c>rabbitmq_prometheus</c>, and
/// Dragoman's own that begin with <c>dragoman_</c>. <c>/metrics/per-object</c> has each queue, channel and connection
/// apart, <c>/metrics/detailed</c> those families of them that the request names.
/// </summary>
internal sealed class MetricsResource(AdminNode node)
{
    private const string ContentType = "text/plain; version=0.0.4; charset=utf-8";
    private const string RabbitPrefix = "rabbitmq_";

    private readonly IMetricSource[] _rabbit = [new NodeMetrics(node), new QueueMetrics(node), new ExchangeMetrics(node), new ChannelMetrics(node), new ConnectionMetrics(node)];
    private readonly IdentityMetrics _identity = new(node);
    private readonly GlobalMetrics _global = new(node);
    private readonly ClusterMetrics _cluster = new(node);
    private readonly DragomanMetrics _own = new(node);

    /// <summary>Answers with sums.</summary>
    public Task AggregatedAsync(HttpContext context) => AllAsync(context, MetricsScope.Aggregated);

    /// <summary>Answers with each object.</summary>
    public Task PerObjectAsync(HttpContext context) => AllAsync(context, MetricsScope.PerObject);

    /// <summary>Answers with families that the request names.</summary>
    public async Task DetailedAsync(HttpContext context)
    {
        if (!Begin(context)) return;
        var scope = MetricsScope.Detailed(context.Request.Query);
        var cancellation = context.RequestAborted;
        var output = context.Response.BodyWriter;
        var detailed = new MetricsWriter(output, $"{RabbitPrefix}detailed_");
        foreach (var source in _rabbit) await source.WriteAsync(detailed, scope, cancellation);
        await _cluster.WriteAsync(new MetricsWriter(output, $"{RabbitPrefix}cluster_"), scope, cancellation);
        await _identity.WriteAsync(new MetricsWriter(output, RabbitPrefix), scope, cancellation);
        await output.FlushAsync(cancellation);
    }

    private async Task AllAsync(HttpContext context, MetricsScope scope)
    {
        if (!Begin(context)) return;
        var cancellation = context.RequestAborted;
        var output = context.Response.BodyWriter;
        var rabbit = new MetricsWriter(output, RabbitPrefix);
        await _identity.WriteAsync(rabbit, scope, cancellation);
        foreach (var source in _rabbit) await source.WriteAsync(rabbit, scope, cancellation);
        await _global.WriteAsync(rabbit, scope, cancellation);
        await _own.WriteAsync(new MetricsWriter(output, ""), scope, cancellation);
        await output.FlushAsync(cancellation);
    }

    private static bool Begin(HttpContext context)
    {
        RequestPath.RequireMethod(context, HttpMethods.Get);
        context.Response.ContentType = ContentType;
        return !HttpMethods.IsHead(context.Request.Method);
    }
}
