using Dragoman.Admin.Statistics;

namespace Dragoman.Admin.Metrics;

/// <summary>The node: what it uses and may use, what comes and goes, and how many of each thing there are.</summary>
internal sealed class NodeMetrics(AdminNode node) : IMetricSource
{
    public ValueTask WriteAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        Span<long> values = stackalloc long[Figures.OfNode];
        node.Figures.Read(values);
        if (scope.Wants("alarm_metrics")) WriteAlarms(writer);
        if (scope.Wants("connection_churn_metrics")) WriteChurn(writer, values);
        if (scope.Wants("node_coarse_metrics"))
        {
            writer.One("process_open_fds", "gauge", "Open file descriptors", values[Figures.OpenFiles]);
            writer.One("process_open_tcp_sockets", "gauge", "Open TCP sockets", values[Figures.Sockets]);
            writer.One("process_resident_memory_bytes", "gauge", "Memory used in bytes", values[Figures.Memory]);
            writer.One("disk_space_available_bytes", "gauge", "Disk space available in bytes", values[Figures.DiskFree]);
        }
        if (scope.Wants("node_metrics"))
        {
            writer.One("process_max_fds", "gauge", "Open file descriptors limit", NodeFigures.MaxOpenFiles);
            writer.One("process_max_tcp_sockets", "gauge", "Open TCP sockets limit", NodeFigures.MaxOpenFiles);
            writer.One("resident_memory_limit_bytes", "gauge", "Memory high watermark in bytes", NodeFigures.MemoryLimit);
            writer.One("disk_space_available_limit_bytes", "gauge", "Free disk space low watermark in bytes", node.Broker.Store.Options.HeadroomBytes);
        }
        if (scope.Wants("node_persister_metrics"))
        {
            writer.One("io_write_ops_total", "counter", "Total number of I/O write operations", values[Figures.JournalWrites]);
            writer.One("io_write_bytes_total", "counter", "Total number of I/O bytes written", values[Figures.JournalBytes]);
            writer.One("io_sync_ops_total", "counter", "Total number of I/O sync operations", values[Figures.JournalSyncs]);
        }
        if (scope.Families is null) WriteCounts(writer);
        return writer.FlushAsync(cancellation);
    }

    private void WriteAlarms(MetricsWriter writer)
    {
        writer.One("alarms_free_disk_space_watermark", "untyped", "is 1 if free disk space watermark alarm is in effect", node.Broker.IsDiskFull ? 1 : 0);
        writer.One("alarms_memory_used_watermark", "untyped", "is 1 if VM memory watermark alarm is in effect", node.IsLowOnMemory() ? 1 : 0);
    }

    private static void WriteChurn(MetricsWriter writer, ReadOnlySpan<long> values)
    {
        writer.One("connections_opened_total", "counter", "Total number of connections opened", values[Figures.ConnectionsOpened]);
        writer.One("connections_closed_total", "counter", "Total number of connections closed or terminated", values[Figures.ConnectionsClosed]);
        writer.One("channels_opened_total", "counter", "Total number of channels opened", values[Figures.ChannelsOpened]);
        writer.One("channels_closed_total", "counter", "Total number of channels closed", values[Figures.ChannelsClosed]);
        writer.One("queues_declared_total", "counter", "Total number of queues declared", values[Figures.QueuesDeclared]);
        writer.One("queues_created_total", "counter", "Total number of queues created", values[Figures.QueuesCreated]);
        writer.One("queues_deleted_total", "counter", "Total number of queues deleted", values[Figures.QueuesDeleted]);
    }

    private void WriteCounts(MetricsWriter writer)
    {
        long channels = 0;
        foreach (var connection in node.Connections.All) channels += connection.Channels?.Count ?? 0;
        long queues = 0;
        long consumers = 0;
        foreach (var queue in node.Broker.Queues.All)
        {
            queues++;
            consumers += NodeFigures.CountsOf(queue).Consumers;
        }
        writer.One("connections", "gauge", "Connections currently open", node.Connections.Count);
        writer.One("channels", "gauge", "Channels currently open", channels);
        writer.One("consumers", "gauge", "Consumers currently connected", consumers);
        writer.One("queues", "gauge", "Queues available", queues);
    }
}
