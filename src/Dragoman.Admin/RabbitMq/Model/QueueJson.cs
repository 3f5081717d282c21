using System.Globalization;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>A queue as RabbitMQ shows it.</summary>
internal static class QueueJson
{
    /// <summary>Describes a queue.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="inFull">Whether with all that only one queue at a time is asked for.</param>
    public static async ValueTask<JsonObject> DescribeAsync(ApiRequest request, IQueueHandle queue, bool inFull)
    {
        var declared = request.Topology.Describe(queue.Settings);
        var json = Things.ToJson(queue, declared);
        json["type"] = declared.Type;
        json["exclusive"] = declared.IsExclusive;
        json["node"] = request.Node.RabbitMqName;
        json["state"] = "running";
        if (declared.Type is "quorum" or "stream")
        {
            json["leader"] = request.Node.RabbitMqName;
            json["members"] = new JsonArray(request.Node.RabbitMqName);
            json["online"] = new JsonArray(request.Node.RabbitMqName);
        }
        if (request.Flag("disable_stats") && !request.Flag("enable_queue_totals")) return json;
        var counts = await queue.GetCountsAsync();
        json["messages"] = counts.Ready + counts.Delayed + counts.Leased;
        json["messages_ready"] = counts.Ready + counts.Delayed;
        json["messages_unacknowledged"] = counts.Leased;
        if (request.Flag("disable_stats")) return json;
        json["consumers"] = counts.Consumers;
        json["message_bytes_ready"] = counts.ReadyBytes;
        json["policy"] = null;
        json["operator_policy"] = null;
        json["effective_policy_definition"] = new JsonObject();
        if (inFull) await AddDetailsAsync(json, queue, counts);
        return json;
    }

    private static async ValueTask AddDetailsAsync(JsonObject json, IQueueHandle queue, SubscriptionCounts counts)
    {
        var kept = await queue.GetKeptAsync();
        var head = counts.Ready > 0 ? kept.OldestTimestamp : -1;
        json["head_message_timestamp"] = head >= 0 ? head / 1000 : null;
        json["storage_start_offset"] = kept.StartOffset;
        json["storage_end_offset"] = kept.EndOffset;
        json["created_at"] = queue.CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture);
    }
}
