using Dragoman.Admin.Statistics;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.Metrics;

/// <summary>Queues: what they hold, and what they have counted. Sums of what was counted include queues that are gone.</summary>
internal sealed class QueueMetrics(AdminNode node) : IMetricSource
{
    private static readonly (string Name, string Help, MessageCounter Counter)[] Delivered =
    [
        ("queue_get_ack_total", "Total number of messages fetched from a queue with basic.get in manual acknowledgement mode", MessageCounter.Get),
        ("queue_get_total", "Total number of messages fetched from a queue with basic.get in automatic acknowledgement mode", MessageCounter.GetNoAck),
        ("queue_messages_delivered_ack_total", "Total number of messages delivered from a queue to consumers in manual acknowledgement mode", MessageCounter.Deliver),
        ("queue_messages_delivered_total", "Total number of messages delivered from a queue to consumers in automatic acknowledgement mode", MessageCounter.DeliverNoAck),
        ("queue_messages_redelivered_total", "Total number of messages redelivered from a queue to consumers", MessageCounter.Redeliver),
        ("queue_messages_acked_total", "Total number of messages acknowledged by consumers on a queue", MessageCounter.Ack),
        ("queue_get_empty_total", "Total number of times basic.get operations fetched no message on a queue", MessageCounter.GetEmpty),
    ];

    private readonly record struct Row(IQueueHandle Queue, long Ready, long Unacknowledged, int Consumers);

    public async ValueTask WriteAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        var coarse = scope.Wants("queue_coarse_metrics");
        var consumers = scope.Wants("queue_metrics") || scope.Wants("queue_consumer_count");
        var delivered = scope.Wants("queue_delivery_metrics");
        var published = scope.Wants("channel_queue_exchange_metrics") || scope.Wants("queue_exchange_metrics");
        if (!(coarse || consumers || delivered || published)) return;
        var rows = new List<Row>();
        foreach (var queue in node.Broker.Queues.All)
        {
            if (!scope.Wants(queue.Name)) continue;
            var counts = NodeFigures.CountsOf(queue);
            rows.Add(new Row(queue, counts.Ready, counts.Unacknowledged, counts.Consumers));
        }
        if (coarse)
        {
            await GaugeAsync("queue_messages_ready", "Messages ready to be delivered to consumers", static r => r.Ready);
            await GaugeAsync("queue_messages_unacked", "Messages delivered to consumers but not yet acknowledged", static r => r.Unacknowledged);
            await GaugeAsync("queue_messages", "Sum of ready and unacknowledged messages - total queue depth", static r => r.Ready + r.Unacknowledged);
        }
        if (consumers) await GaugeAsync("queue_consumers", "Consumers on a queue", static r => r.Consumers);
        var sums = new long[MessageCounters.Count];
        if (!scope.IsPerObject && (delivered || published)) Sum(sums);
        if (published) await CounterAsync("queue_messages_published_total", "Total number of messages published to queues", MessageCounter.Publish);
        if (!delivered) return;
        foreach (var (name, help, counter) in Delivered) await CounterAsync(name, help, counter);

        async ValueTask GaugeAsync(string name, string help, Func<Row, long> read)
        {
            writer.Begin(name, "gauge", help);
            if (scope.IsPerObject) await EachAsync(read);
            else writer.Sample(rows.Sum(read));
            await writer.FlushAsync(cancellation);
        }

        async ValueTask CounterAsync(string name, string help, MessageCounter counter)
        {
            writer.Begin(name, "counter", help);
            if (scope.IsPerObject) await EachAsync(row => row.Queue.Counters[counter]);
            else writer.Sample(sums[(int)counter]);
            await writer.FlushAsync(cancellation);
        }

        async ValueTask EachAsync(Func<Row, long> read)
        {
            foreach (var row in rows)
            {
                var name = row.Queue.Name;
                writer.Sample(read(row), [new("vhost", VirtualHosts.FromNamespace(name.Namespace)), new("queue", name.Name)]);
                await writer.FlushAsync(cancellation);
            }
        }
    }

    private void Sum(Span<long> sums) => node.Broker.Statistics.Sum(node.Broker.Queues, null, sums);
}
