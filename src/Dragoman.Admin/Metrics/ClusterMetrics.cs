using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.Metrics;

/// <summary>What there is, rather than what happens: virtual hosts, and exchanges with their bindings. Only where a request names these families.</summary>
internal sealed class ClusterMetrics(AdminNode node) : IMetricSource
{
    public async ValueTask WriteAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        if (scope.Wants("vhost_status"))
        {
            writer.Begin("vhost_status", "gauge", "Whether a given vhost is running");
            foreach (var space in node.Figures.Namespaces)
                if (scope.Wants(space)) writer.Sample(1, [new Label("vhost", VirtualHosts.FromNamespace(space))]);
        }
        var names = scope.Wants("exchange_names");
        var bindings = scope.Wants("exchange_bindings");
        if (!names && !bindings) return;
        var exchanges = node.Broker.Routing.List().Where(topic => scope.Wants(topic.Name.Namespace)).ToList();
        if (names)
        {
            writer.Begin("exchange_name", "gauge", "Enumerates exchanges without any additional info. This value is cluster-wide. A cheaper alternative to `exchange_bindings`");
            foreach (var topic in exchanges) writer.Sample(1, [new("vhost", VirtualHosts.FromNamespace(topic.Name.Namespace)), new("exchange", topic.Name.Name), new("type", topic.Facet.Type)]);
            await writer.FlushAsync(cancellation);
        }
        if (!bindings) return;
        writer.Begin("exchange_bindings", "gauge", "Number of bindings for an exchange. This value is cluster-wide.");
        foreach (var topic in exchanges)
        {
            writer.Sample(node.Broker.Routing.RoutesFrom(topic.Name).Count, [new("vhost", VirtualHosts.FromNamespace(topic.Name.Namespace)), new("exchange", topic.Name.Name), new("type", topic.Facet.Type)]);
            await writer.FlushAsync(cancellation);
        }
    }
}
