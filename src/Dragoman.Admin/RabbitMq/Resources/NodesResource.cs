using System.Globalization;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Statistics;
using Dragoman.Admin.Statistics;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary><c>/api/nodes</c>: the one node there is, what it uses, and of how much.</summary>
internal sealed class NodesResource : IResource
{
    public void Map(EndpointTable table)
    {
        table.Map("/nodes").Get(static request => request.WriteListAsync([ListEntry.Of(Describe(request))]), Access.Monitoring);
        table.Map("/nodes/:node").Get(static request => request.WriteAsync(Describe(Checked(request), alone: true)), Access.Monitoring);
        table.Map("/nodes/:node/memory").Get(static request => request.WriteAsync(new JsonObject { ["memory"] = Memory(Checked(request).Node) }), Access.Monitoring);
        table.Map("/nodes/:node/memory/relative").Get(static request => request.WriteAsync(new JsonObject { ["memory"] = Relative(Memory(Checked(request).Node)) }), Access.Monitoring);
    }

    private static ApiRequest Checked(ApiRequest request) => request["node"] == request.Node.RabbitMqName ? request : throw ManagementException.NotFound();

    private static JsonObject Describe(ApiRequest request, bool alone = false)
    {
        var node = request.Node;
        var store = node.Broker.Store;
        Span<long> values = stackalloc long[Figures.OfNode];
        node.Figures.Read(values);
        var described = new JsonObject
        {
            ["partitions"] = new JsonArray(),
            ["os_pid"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            ["fd_total"] = NodeFigures.MaxOpenFiles,
            ["sockets_total"] = NodeFigures.MaxOpenFiles,
            ["mem_limit"] = NodeFigures.MemoryLimit,
            ["mem_alarm"] = node.IsLowOnMemory(),
            ["disk_free_limit"] = store.Options.HeadroomBytes,
            ["disk_free_alarm"] = node.Broker.IsDiskFull,
            ["proc_total"] = NodeFigures.MaxThreads,
            ["rates_mode"] = "basic",
            ["uptime"] = (long)(node.Broker.Time.GetUtcNow() - node.StartedAt).TotalMilliseconds,
            ["run_queue"] = ThreadPool.PendingWorkItemCount,
            ["processors"] = Environment.ProcessorCount,
            ["exchange_types"] = OverviewResource.ExchangeTypeList(),
            ["auth_mechanisms"] = new JsonArray(
                Mechanism("PLAIN", "SASL PLAIN authentication mechanism"), Mechanism("AMQPLAIN", "QPid AMQPLAIN mechanism"), Mechanism("EXTERNAL", "TLS client certificates")),
            ["applications"] = new JsonArray(new JsonObject { ["name"] = "rabbit", ["description"] = $"Dragoman {node.Version}", ["version"] = node.RabbitMqVersion }),
            ["contexts"] = OverviewResource.Contexts(node, withNode: false),
            ["log_files"] = new JsonArray("stderr"),
            ["db_dir"] = node.Broker.Options.Store.Directory,
            ["config_files"] = new JsonArray(),
            ["net_ticktime"] = 60,
            ["enabled_plugins"] = new JsonArray("rabbitmq_management", "rabbitmq_prometheus"),
            ["mem_calculation_strategy"] = "rss",
            ["name"] = node.RabbitMqName,
            ["type"] = "disc",
            ["running"] = true,
            ["being_drained"] = false,
        };
        StatisticsWriter.Of(request).AddResources(described, values);
        described["cluster_links"] = new JsonArray();
        if (alone && request.Flag("memory")) described["memory"] = Memory(node);
        return described;
    }

    /// <summary>
    /// Where the process's memory is: what the runtime tells, and what the broker counts itself. What only Erlang has is there
    /// with nothing in it, because clients read all of RabbitMQ's categories.
    /// </summary>
    private static JsonObject Memory(AdminNode node)
    {
        var info = GC.GetGCMemoryInfo();
        var resident = Environment.WorkingSet;
        var managed = GC.GetTotalMemory(forceFullCollection: false);
        return new JsonObject
        {
            ["connection_readers"] = 0,
            ["connection_writers"] = 0,
            ["connection_channels"] = 0,
            ["queue_procs"] = 0,
            ["queue_slave_procs"] = 0,
            ["quorum_queue_procs"] = 0,
            ["quorum_queue_dlx_procs"] = 0,
            ["stream_queue_procs"] = 0,
            ["stream_queue_replica_reader_procs"] = 0,
            ["stream_queue_coordinator_procs"] = 0,
            ["plugins"] = 0,
            ["metrics"] = 0,
            ["mgmt_db"] = 0,
            ["mnesia"] = 0,
            ["quorum_ets"] = 0,
            ["other_ets"] = 0,
            ["msg_index"] = 0,
            ["code"] = 0,
            ["atom"] = 0,
            ["allocated_unused"] = 0,
            ["binary"] = node.Broker.Store.MemoryBytes,
            ["connection_other"] = node.Broker.Store.Space.PendingBytes,
            ["other_proc"] = managed,
            ["reserved_unallocated"] = Math.Max(0, info.TotalCommittedBytes - managed),
            ["other_system"] = Math.Max(0, resident - info.TotalCommittedBytes),
            ["strategy"] = "rss",
            ["total"] = new JsonObject { ["erlang"] = managed, ["rss"] = resident, ["allocated"] = info.TotalCommittedBytes },
        };
    }

    private static JsonObject Relative(JsonObject memory)
    {
        var total = memory["total"]!["rss"]!.GetValue<long>();
        var shares = new JsonObject { ["total"] = 100 };
        foreach (var (name, value) in memory)
            if (name is not ("total" or "strategy")) shares[name] = total == 0 ? 0 : (long)Math.Ceiling(100.0 * (value!.AsValue().TryGetValue(out long bytes) ? bytes : 0) / total);
        return shares;
    }

    private static JsonObject Mechanism(string name, string description) => new() { ["name"] = name, ["description"] = description, ["enabled"] = true };
}
