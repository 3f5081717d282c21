using Dragoman.Protocols.Connections;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin.Metrics;

/// <summary>Connections of all protocols: what goes in and out. Sums include connections that are gone.</summary>
internal sealed class ConnectionMetrics(AdminNode node) : IMetricSource
{
    private static readonly (string Family, string Name, string Type, string Help, Func<LiveConnection, long> Read)[] Metrics =
    [
        ("connection_coarse_metrics", "connection_incoming_bytes_total", "counter", "Total number of bytes received on a connection", static c => c.ReceivedBytes),
        ("connection_coarse_metrics", "connection_outgoing_bytes_total", "counter", "Total number of bytes sent on a connection", static c => c.SentBytes),
        ("connection_metrics", "connection_incoming_packets_total", "counter", "Total number of packets received on a connection", static c => c.ReceivedPackets),
        ("connection_metrics", "connection_outgoing_packets_total", "counter", "Total number of packets sent on a connection", static c => c.SentPackets),
        ("connection_metrics", "connection_channels", "gauge", "Channels on a connection", static c => c.Channels?.Count ?? 0),
    ];

    public async ValueTask WriteAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        if (!Metrics.Any(m => scope.Wants(m.Family))) return;
        var rows = node.Connections.All.Where(c => scope.Wants(c.Namespace)).ToList();
        var gone = node.Connections.Traffic;
        long[] sums = [gone.ReceivedBytes, gone.SentBytes, gone.ReceivedPackets, gone.SentPackets, rows.Sum(static c => c.Channels?.Count ?? 0)];
        for (var i = 0; i < Metrics.Length; i++)
        {
            var (family, name, type, help, read) = Metrics[i];
            if (!scope.Wants(family)) continue;
            writer.Begin(name, type, help);
            if (!scope.IsPerObject) writer.Sample(sums[i]);
            else
                foreach (var connection in rows)
                {
                    writer.Sample(read(connection), [new("connection", connection.Name), new("vhost", VirtualHosts.FromNamespace(connection.Namespace)), new("protocol", connection.Protocol)]);
                    await writer.FlushAsync(cancellation);
                }
            await writer.FlushAsync(cancellation);
        }
    }
}
