using Dragoman.Broker.Statistics;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.Metrics;

/// <summary>Exchanges: what was published to each, and what each has handed to queues. There are no sums of these.</summary>
internal sealed class ExchangeMetrics(AdminNode node) : IMetricSource
{
    public async ValueTask WriteAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        if (!scope.IsPerObject || !(scope.Wants("exchange_metrics") || scope.Wants("channel_exchange_metrics"))) return;
        await WriteAsync("exchange_messages_published_total", "Total number of messages published into an exchange", MessageCounter.PublishIn);
        await WriteAsync("exchange_messages_routed_total", "Total number of messages that an exchange has handed to queues", MessageCounter.PublishOut);

        async ValueTask WriteAsync(string name, string help, MessageCounter counter)
        {
            writer.Begin(name, "counter", help);
            foreach (var (topic, counters) in node.Broker.Statistics.Topics)
            {
                if (!scope.Wants(topic.Namespace)) continue;
                writer.Sample(counters[counter], [new("vhost", VirtualHosts.FromNamespace(topic.Namespace)), new("exchange", topic.Name)]);
                await writer.FlushAsync(cancellation);
            }
        }
    }
}
