using System.Globalization;
using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing;

/// <summary>
/// The queues in which topics of type <see cref="ExchangeTypes.RecentHistory"/> keep what was last published to them. Every
/// message goes there in one commit with its arrival elsewhere; whoever is bound to the topic later gets copies.
/// </summary>
/// <param name="queues">The queues.</param>
/// <param name="find">Tells how a topic routes, if it is one of these.</param>
/// <param name="scheduler">Runs what is to be done for a topic.</param>
/// <param name="graph">Leads messages there.</param>
internal sealed class HistoryQueues(Queues.Queues queues, Func<TopicName, ExchangeFacet?> find, IScheduler scheduler, RouteGraph graph)
    : CompanionQueues(queues, find, scheduler, "amq.history.", Attribute)
{
    private const string Attribute = "history-of";

    /// <summary>Messages that are read at a time.</summary>
    private const int Page = 256;

    /// <summary>Whether settings are those of a queue that keeps a topic's last messages.</summary>
    public static bool IsHistory(QueueSettings settings) => settings.Attributes.ContainsKey(Attribute);

    /// <summary>Leads a topic's messages to its queue, which is there from before.</summary>
    public void Attach(TopicName topic)
    {
        if (Find(topic) is { } queue) graph.SetHistory(topic, queue);
    }

    /// <summary>Where a topic's history ends now; -1 if it has none.</summary>
    public long EndOf(TopicName topic) => Find(topic) is LocalQueue queue ? queue.Subscription.Log.LastStableOffset : -1;

    /// <summary>Publishes copies of what a topic has kept.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="end">What came later is left out.</param>
    /// <param name="queue">The queue that gets them; null for where another topic leads them.</param>
    /// <param name="target">That topic.</param>
    public async ValueTask<RoutingAnswer> CopyAsync(TopicName topic, long end, IQueueHandle? queue, TopicName? target)
    {
        if (Find(topic) is not { } history) return new RoutingAnswer(RoutingStatus.Ok);
        var next = 0L;
        while (next < end)
        {
            var peeked = await history.PeekAsync(next, Page);
            if (peeked.Deliveries is not { Count: > 0 } deliveries) break;
            using var set = new PublishSet();
            using (deliveries)
            {
                for (var i = 0; i < deliveries.Count && deliveries[i].Offset < end && (set.Count == 0 || set.Cost < Queues.MaxSetCost / 2); i++)
                {
                    next = deliveries[i].Offset + 1;
                    Add(set, deliveries.Message(i), queue, target);
                }
                if (set.Count == 0) break;
            }
            var answer = await Queues.PublishAsync(set, default);
            if (answer.Status == QueueStatus.StorageError) return new RoutingAnswer(RoutingStatus.StorageError, null, answer.Message);
            if (answer.Status == QueueStatus.Full) return new RoutingAnswer(RoutingStatus.Full, null, answer.Message);
        }
        return new RoutingAnswer(RoutingStatus.Ok);
    }

    /// <inheritdoc/>
    protected override QueueSettings SettingsFor(TopicName topic, ExchangeFacet facet) =>
        QueueSettings.Default with { MaxLength = long.Parse(facet.Attributes.GetValueOrDefault(ExchangeTypes.HistoryLengthAttribute, ExchangeTypes.DefaultHistoryLength), CultureInfo.InvariantCulture) };

    /// <inheritdoc/>
    protected override Task ReadyAsync(TopicName topic, LocalQueue queue)
    {
        graph.SetHistory(topic, queue);
        return Task.CompletedTask;
    }

    private void Add(PublishSet set, MessageView message, IQueueHandle? queue, TopicName? target)
    {
        using var headers = new RecordHeadersWriter();
        ReadOnlySpan<byte> key = default;
        foreach (var header in message.Headers)
        {
            if (header.Key.SequenceEqual(CanonicalHeaders.RoutingKey)) key = header.Value.Span;
            // What queues act upon is written anew.
            if (!SpecialHeaders.Is(header.Key)) headers.Add(header.Key, header.Value);
        }
        var properties = SpecialHeaders.Read(message.Headers) with { Timestamp = message.Timestamp, DeliverAt = -1 };
        if (queue is not null)
        {
            set.Add(properties, key, message.Value.Span, headers.Headers, [queue], []);
            return;
        }
        var result = new RouteResult();
        graph.Resolve(target!, Encoding.UTF8.GetString(key), headers.Headers, result);
        set.Add(properties, key, message.Value.Span, headers.Headers, result.Queues, result.Logs, result.Routes);
    }
}
