using Dragoman.Admin.RabbitMq.Resources;
using Dragoman.Broker.Statistics;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.Metrics;

/// <summary>Channels: what they hold, and what they have counted. Sums of what was counted include channels that are gone.</summary>
internal sealed class ChannelMetrics(AdminNode node) : IMetricSource
{
    private static readonly (string Name, string Help, Func<LiveChannel, long> Read)[] Held =
    [
        ("channel_consumers", "Consumers on a channel", static c => c.Consumers.Count),
        ("channel_messages_unacked", "Delivered but not yet acknowledged messages", static c => c.Unacknowledged),
        ("channel_messages_unconfirmed", "Published but not yet confirmed messages", static c => c.Unconfirmed),
        ("channel_messages_uncommitted", "Messages received in a transaction but not yet committed", static c => c.Uncommitted),
        ("channel_acks_uncommitted", "Message acknowledgements in a transaction not yet committed", static c => c.UncommittedSettlements),
        ("consumer_prefetch", "Limit of unacknowledged messages for each consumer", static c => c.Prefetch),
        ("channel_prefetch", "Total limit of unacknowledged messages for all consumers on a channel", static c => c.GlobalPrefetch),
    ];

    private static readonly (string Family, string Name, string Help, MessageCounter Counter)[] Counted =
    [
        ("channel_exchange_metrics", "channel_messages_published_total", "Total number of messages published into an exchange on a channel", MessageCounter.Publish),
        ("channel_exchange_metrics", "channel_messages_confirmed_total", "Total number of messages published into an exchange and confirmed on the channel", MessageCounter.Confirm),
        ("channel_exchange_metrics", "channel_messages_unroutable_returned_total", "Total number of messages published as mandatory into an exchange and returned to the publisher as unroutable", MessageCounter.ReturnUnroutable),
        ("channel_exchange_metrics", "channel_messages_unroutable_dropped_total", "Total number of messages published as non-mandatory into an exchange and dropped as unroutable", MessageCounter.DropUnroutable),
        ("channel_queue_metrics", "channel_get_ack_total", "Total number of messages fetched with basic.get in manual acknowledgement mode", MessageCounter.Get),
        ("channel_queue_metrics", "channel_get_total", "Total number of messages fetched with basic.get in automatic acknowledgement mode", MessageCounter.GetNoAck),
        ("channel_queue_metrics", "channel_messages_delivered_ack_total", "Total number of messages delivered to consumers in manual acknowledgement mode", MessageCounter.Deliver),
        ("channel_queue_metrics", "channel_messages_delivered_total", "Total number of messages delivered to consumers in automatic acknowledgement mode", MessageCounter.DeliverNoAck),
        ("channel_queue_metrics", "channel_messages_redelivered_total", "Total number of messages redelivered to consumers", MessageCounter.Redeliver),
        ("channel_queue_metrics", "channel_messages_acked_total", "Total number of messages acknowledged by consumers", MessageCounter.Ack),
        ("channel_queue_metrics", "channel_get_empty_total", "Total number of times basic.get operations fetched no message", MessageCounter.GetEmpty),
    ];

    public async ValueTask WriteAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        var held = scope.Wants("channel_metrics");
        if (!held && !Counted.Any(c => scope.Wants(c.Family))) return;
        var rows = new List<(Label[] Labels, LiveChannel Channel)>();
        foreach (var connection in node.Connections.All)
        {
            if (connection.Channels is not { } channels || !scope.Wants(connection.Namespace)) continue;
            foreach (var channel in channels.List())
                rows.Add(([new("channel", ChannelsResource.NameOf(connection, channel)), new("vhost", VirtualHosts.FromNamespace(connection.Namespace))], channel));
        }
        if (held)
            foreach (var (name, help, read) in Held) await WriteAsync(name, "gauge", help, read, () => rows.Sum(r => read(r.Channel)));
        var totals = new long[MessageCounters.Count];
        foreach (var (_, ofProtocol) in node.Connections.SumProtocols())
            for (var i = 0; i < totals.Length; i++) totals[i] += ofProtocol[i];
        foreach (var (family, name, help, counter) in Counted)
            if (scope.Wants(family)) await WriteAsync(name, "counter", help, channel => channel.Counters[counter], () => totals[(int)counter]);

        async ValueTask WriteAsync(string name, string type, string help, Func<LiveChannel, long> read, Func<long> sum)
        {
            writer.Begin(name, type, help);
            if (!scope.IsPerObject) writer.Sample(sum());
            else
                foreach (var (labels, channel) in rows)
                {
                    writer.Sample(read(channel), labels);
                    await writer.FlushAsync(cancellation);
                }
            await writer.FlushAsync(cancellation);
        }
    }
}
