using Dragoman.Broker.Statistics;

namespace Dragoman.Admin.Metrics;

/// <summary>What channels have counted since the start, by protocol: sums that only rise, as rates need them.</summary>
internal sealed class GlobalMetrics(AdminNode node) : IMetricSource
{
    private static readonly (string Name, string Help, MessageCounter[] Counters)[] Metrics =
    [
        ("acknowledged", "Total number of messages acknowledged by consumers", [MessageCounter.Ack]),
        ("confirmed", "Total number of messages confirmed to publishers", [MessageCounter.Confirm]),
        ("delivered_consume_auto_ack", "Total number of messages delivered to consumers using basic.consume with automatic acknowledgment", [MessageCounter.DeliverNoAck]),
        ("delivered_consume_manual_ack", "Total number of messages delivered to consumers using basic.consume with manual acknowledgment", [MessageCounter.Deliver]),
        ("delivered_get_auto_ack", "Total number of messages delivered to consumers using basic.get with automatic acknowledgment", [MessageCounter.GetNoAck]),
        ("delivered_get_manual_ack", "Total number of messages delivered to consumers using basic.get with manual acknowledgment", [MessageCounter.Get]),
        ("delivered", "Total number of messages delivered to consumers", [MessageCounter.Deliver, MessageCounter.DeliverNoAck, MessageCounter.Get, MessageCounter.GetNoAck]),
        ("get_empty", "Total number of times basic.get operations fetched no message", [MessageCounter.GetEmpty]),
        ("received_confirm", "Total number of messages received from publishers expecting confirmations", [MessageCounter.PublishForConfirm]),
        ("received", "Total number of messages received from publishers", [MessageCounter.Publish]),
        ("redelivered", "Total number of messages redelivered to consumers", [MessageCounter.Redeliver]),
        ("routed", "Total number of messages routed to queues or streams", [MessageCounter.PublishOut]),
        ("unroutable_dropped", "Total number of messages published as non-mandatory into an exchange and dropped as unroutable", [MessageCounter.DropUnroutable]),
        ("unroutable_returned", "Total number of messages published as mandatory into an exchange and returned to the publisher as unroutable", [MessageCounter.ReturnUnroutable]),
    ];

    public ValueTask WriteAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        var protocols = node.Connections.SumProtocols();
        foreach (var (name, help, counters) in Metrics)
        {
            writer.Begin($"global_messages_{name}_total", "counter", help);
            foreach (var (protocol, totals) in protocols) writer.Sample(counters.Sum(c => totals[(int)c]), [new Label("protocol", protocol)]);
        }
        var consumers = new Dictionary<string, long>(StringComparer.Ordinal);
        var publishers = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (protocol, _) in protocols) consumers[protocol] = publishers[protocol] = 0;
        foreach (var connection in node.Connections.All)
        {
            if (connection.Channels is not { } channels) continue;
            foreach (var channel in channels.List())
            {
                consumers[channels.Protocol] = consumers.GetValueOrDefault(channels.Protocol) + channel.Consumers.Count;
                if (channel.Counters[MessageCounter.Publish] > 0) publishers[channels.Protocol] = publishers.GetValueOrDefault(channels.Protocol) + 1;
            }
        }
        Write("global_consumers", "Current number of consumers", consumers);
        Write("global_publishers", "Current number of publishers", publishers);
        return writer.FlushAsync(cancellation);

        void Write(string name, string help, Dictionary<string, long> byProtocol)
        {
            writer.Begin(name, "gauge", help);
            foreach (var (protocol, count) in byProtocol) writer.Sample(count, [new Label("protocol", protocol)]);
        }
    }
}
