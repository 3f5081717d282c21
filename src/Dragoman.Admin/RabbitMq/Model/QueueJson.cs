using System.Globalization;
using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.RabbitMq.Resources;
using Dragoman.Admin.RabbitMq.Statistics;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>A queue as RabbitMQ shows it.</summary>
internal static class QueueJson
{
    /// <summary>Describes a queue.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="statistics">What is counted of it.</param>
    /// <param name="inFull">Whether with all that only one queue at a time is asked for.</param>
    public static async ValueTask<JsonObject> DescribeAsync(ApiRequest request, IQueueHandle queue, StatisticsWriter statistics, bool inFull)
    {
        var declared = request.Topology.Describe(queue.Settings);
        var json = Things.ToJson(queue, declared);
        json["type"] = declared.Type;
        json["exclusive"] = declared.IsExclusive;
        json["node"] = request.Node.RabbitMqName;
        json["state"] = "running";
        if (declared.Type is "quorum" or "stream")
        {
            if (declared.Type == "quorum") json["delivery_limit"] = queue.Settings.Subscription.MaxDeliveries is > 0 and var most ? most - 1 : "unlimited";
            json["leader"] = request.Node.RabbitMqName;
            json["members"] = new JsonArray(request.Node.RabbitMqName);
            json["online"] = new JsonArray(request.Node.RabbitMqName);
        }
        statistics.Add(json, queue, request.Flag("enable_queue_totals"));
        if (request.Flag("disable_stats")) return json;
        var counts = await queue.GetCountsAsync();
        json["consumers"] = counts.Consumers;
        AddBytes(json, queue, counts);
        var match = request.Broker.Policies.Match(queue);
        json["policy"] = match.Policy?.Name;
        json["operator_policy"] = match.Operator?.Name;
        json["effective_policy_definition"] = PolicyJson.Definition(match);
        if (!inFull) return json;
        var consumers = ConsumersResource.Of(request.Node, queue);
        json["exclusive_consumer_tag"] = TagOf(consumers, static c => (bool)c["exclusive"]!);
        json["single_active_consumer_tag"] = TagOf(consumers, static c => (string?)c["activity_status"] == "single_active");
        json["consumer_details"] = consumers;
        json["incoming"] = new JsonArray();
        json["deliveries"] = new JsonArray();
        await AddDetailsAsync(json, queue, counts);
        return json;
    }

    private static string? TagOf(JsonArray consumers, Func<JsonNode, bool> isIt) => (string?)consumers.FirstOrDefault(c => isIt(c!))?["consumer_tag"];

    /// <summary>The bytes of what waits and of what is held: of what waits those that are counted for a limit, else by the average in the log.</summary>
    private static void AddBytes(JsonObject json, IQueueHandle queue, SubscriptionCounts counts)
    {
        var average = queue.AverageBytes;
        var ready = counts.ReadyBytes > 0 ? counts.ReadyBytes : (long)(average * counts.Ready);
        var held = (long)(average * counts.Leased);
        json["message_bytes"] = ready + held;
        json["message_bytes_ready"] = ready;
        json["message_bytes_unacknowledged"] = held;
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
