using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>GET /_dragoman/v1/overview</c>: the node at a glance.</summary>
internal sealed class Overview(AdminNode node)
{
    public Task HandleAsync(HttpContext context)
    {
        RequestPath.RequireMethod(context, HttpMethods.Get);
        var broker = node.Broker;
        var store = broker.Store;
        var topics = broker.Topics.List();
        var partitions = 0;
        long bytes = 0;
        foreach (var topic in topics)
        {
            partitions += topic.Partitions.Count;
            foreach (var partition in topic.Partitions) bytes += partition.SizeBytes;
        }
        var recovery = store.Recovery;
        var report = new NodeOverview
        {
            Version = node.Version,
            NodeId = broker.Options.NodeId,
            ClusterId = store.Id,
            StartedAt = node.StartedAt,
            UptimeSeconds = (long)(broker.Time.GetUtcNow() - node.StartedAt).TotalSeconds,
            DataDirectory = broker.Options.Store.Directory,
            LeaderEpoch = store.Epoch,
            Listeners = node.Listeners,
            Topics = topics.Count,
            Partitions = partitions,
            StoredBytes = bytes,
            LastQueueError = broker.LastQueueError?.Message,
            PendingBytes = store.Space.PendingBytes,
            DiskFull = store.Space.IsFull,
            MemoryTopicBytes = store.MemoryBytes,
            ManagedMemoryBytes = GC.GetTotalMemory(forceFullCollection: false),
            ResidentMemoryBytes = Environment.WorkingSet,
            Recovery = new RecoveryOverview(recovery.IsNew, recovery.WasClean, recovery.Rounds, recovery.Commits, recovery.Bytes, recovery.Tail),
        };
        return Json.WriteAsync(context, report, AdminJson.Default.NodeOverview);
    }
}
