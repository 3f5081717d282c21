using System.Diagnostics;
using System.Globalization;
using Dragoman.Broker.Groups;

namespace Dragoman.Admin.Metrics;

/// <summary>What RabbitMQ has no name for: the journal, topics with their logs, consumer groups, and the process.</summary>
internal sealed class DragomanMetrics(AdminNode node) : IMetricSource
{
    public async ValueTask WriteAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        WriteProcess(writer);
        WriteStorage(writer);
        await WriteTopicsAsync(writer, scope, cancellation);
        await WriteGroupsAsync(writer, scope, cancellation);
        writer.Begin("dragoman_connections", "gauge", "Connections by protocol");
        foreach (var protocol in node.Connections.All.GroupBy(static c => c.Protocol)) writer.Sample(protocol.Count(), [new Label("protocol", protocol.Key)]);
        writer.Begin("dragoman_forwarding_lag", "gauge", "Records of topics that their routes have yet to carry on");
        writer.Sample(node.Broker.Routing.Forwarding.Sum(static f => Math.Max(0, f.EndOffset - f.NextOffset)));
        await writer.FlushAsync(cancellation);
    }

    private void WriteProcess(MetricsWriter writer)
    {
        using var process = Process.GetCurrentProcess();
        writer.One("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds", node.StartedAt.ToUnixTimeMilliseconds() / 1000.0);
        writer.One("process_cpu_seconds_total", "counter", "Processor time of the process in seconds", process.TotalProcessorTime.TotalSeconds);
        writer.Begin("dragoman_build_info", "gauge", "The version of Dragoman");
        writer.Sample(1, [new Label("version", node.Version)]);
        writer.One("dragoman_managed_memory_bytes", "gauge", "Memory of live and dead objects in bytes", GC.GetTotalMemory(forceFullCollection: false));
        writer.One("dragoman_allocated_bytes_total", "counter", "Memory that was ever allocated in bytes", GC.GetTotalAllocatedBytes());
        writer.Begin("dragoman_gc_collections_total", "counter", "Garbage collections");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++) writer.Sample(GC.CollectionCount(generation), [new Label("generation", generation.ToString(CultureInfo.InvariantCulture))]);
        writer.One("dragoman_gc_pause_seconds_total", "counter", "Time in which garbage collections have stopped the process in seconds", GC.GetTotalPauseDuration().TotalSeconds);
        writer.One("dragoman_threads", "gauge", "Threads of the pool", ThreadPool.ThreadCount);
        writer.One("dragoman_pending_work_items", "gauge", "Work that waits for a thread of the pool", ThreadPool.PendingWorkItemCount);
    }

    private void WriteStorage(MetricsWriter writer)
    {
        var store = node.Broker.Store;
        writer.One("dragoman_commits_total", "counter", "Commits, over all that this data has lived through", node.Broker.CompletedCommits);
        writer.One("dragoman_journal_rounds_total", "counter", "Rounds written to the journal: each is one write of all commits that had gathered", store.JournalCounters.Rounds);
        writer.One("dragoman_journal_written_bytes_total", "counter", "Bytes written to the journal", store.JournalCounters.Bytes);
        writer.One("dragoman_journal_syncs_total", "counter", "Times that the journal was made durable", store.JournalCounters.Syncs);
        writer.One("dragoman_journal_sealed_files", "gauge", "Files of the journal that wait for their checkpoint", store.SealedJournalFiles);
        writer.One("dragoman_pending_bytes", "gauge", "Bytes of commits that are under way", store.Space.PendingBytes);
        writer.One("dragoman_memory_topic_bytes", "gauge", "Bytes of messages that are kept in memory alone", store.MemoryBytes);
        writer.One("dragoman_disk_full", "gauge", "1 while publishers are refused for want of room on the disk", node.Broker.IsDiskFull ? 1 : 0);
        writer.One("dragoman_disk_free_bytes", "gauge", "Bytes free on the volume of the data directory", store.FreeBytes);
        writer.One("dragoman_leader_epoch", "gauge", "The leader epoch: it rises with every start that follows an unclean end", node.Broker.Epoch);
    }

    private async ValueTask WriteTopicsAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        var topics = node.Broker.Topics.List();
        writer.One("dragoman_topics", "gauge", "Topics that keep a log", topics.Count);
        writer.One("dragoman_partitions", "gauge", "Partitions of topics", topics.Sum(static t => t.Partitions.Count));
        writer.Begin("dragoman_topic_stored_bytes", "gauge", "Bytes that the logs of topics hold");
        if (scope.IsPerObject)
            foreach (var topic in topics)
            {
                writer.Sample(topic.Partitions.Sum(static p => p.SizeBytes), [new("namespace", topic.Name.Namespace.ToString()), new("topic", topic.Name.Name)]);
                await writer.FlushAsync(cancellation);
            }
        else
            writer.Sample(topics.Sum(static t => t.Partitions.Sum(static p => p.SizeBytes)));
        if (!scope.IsPerObject) return;
        writer.Begin("dragoman_topic_end_offset", "gauge", "The offset after the last record of a partition");
        foreach (var topic in topics)
            foreach (var partition in topic.Partitions)
            {
                if (!partition.TryGetOffsets(out var offsets)) continue;
                writer.Sample(offsets.HighWatermark, [new("namespace", topic.Name.Namespace.ToString()), new("topic", topic.Name.Name), new("partition", partition.Index.ToString(CultureInfo.InvariantCulture))]);
                await writer.FlushAsync(cancellation);
            }
    }

    private async ValueTask WriteGroupsAsync(MetricsWriter writer, MetricsScope scope, CancellationToken cancellation)
    {
        var listed = await node.Broker.Groups.ListAsync(cancellation);
        if (listed.Status != GroupStatus.Ok) return;
        writer.Begin("dragoman_groups", "gauge", "Consumer groups by their state");
        foreach (var state in Enum.GetValues<GroupState>()) writer.Sample(listed.Groups.Count(g => g.State == state), [new Label("state", Http.Text.Camel(state))]);
        if (!scope.IsPerObject) return;
        writer.Begin("dragoman_group_lag", "gauge", "Records of a partition that a group has not committed yet");
        foreach (var group in listed.Groups)
        {
            var committed = await node.Broker.Groups.FetchOffsetsAsync(group.Name, GroupCaller.Outsider, null, requireStable: false, cancellation);
            if (committed.Status != GroupStatus.Ok) continue;
            foreach (var offset in committed.Offsets)
            {
                if (offset.Committed is not { } at || node.Broker.TopicsWithQueues.Find(offset.Partition.Topic) is not { } topic) continue;
                if (offset.Partition.Partition >= topic.Partitions.Count || !topic.Partitions[offset.Partition.Partition].TryGetOffsets(out var offsets)) continue;
                writer.Sample(Math.Max(0, offsets.HighWatermark - at.Offset), [
                    new("namespace", group.Name.Namespace.ToString()), new("group", group.Name.Name), new("topic", topic.Name.Name),
                    new("partition", offset.Partition.Partition.ToString(CultureInfo.InvariantCulture))]);
            }
            await writer.FlushAsync(cancellation);
        }
    }
}
