namespace Dragoman.Admin.Metrics;

/// <summary>Who the node is: what other metrics are joined with.</summary>
internal sealed class IdentityMetrics(AdminNode node) : IMetricSource
{
    public ValueTask WriteAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        writer.Begin("build_info", "untyped", "RabbitMQ & Erlang/OTP version info");
        writer.Sample(1, [new("rabbitmq_version", node.RabbitMqVersion), new("prometheus_plugin_version", node.RabbitMqVersion), new("product_name", "Dragoman"), new("product_version", node.Version)]);
        writer.Begin("identity_info", "untyped", "RabbitMQ node & cluster identity info");
        writer.Sample(1, [
            new("rabbitmq_node", node.RabbitMqName), new("rabbitmq_cluster", $"dragoman@{node.Broker.Options.NodeId}"),
            new("rabbitmq_cluster_permanent_id", $"dragoman-{node.Broker.Id}"), new("rabbitmq_endpoint", "")]);
        return writer.FlushAsync(cancellation);
    }
}
