using System.Buffers.Text;
using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Queues;

/// <summary>Makes of a message that leaves a queue the one that goes to the dead-letter target, with its history.</summary>
internal static class DeadLetters
{
    /// <summary>The history of a message after one more death, newest first.</summary>
    public static List<Death> Bury(QueueName source, DeathReason reason, int deliveries, in MessageView message, long now)
    {
        var deaths = new List<Death>();
        if (message.Headers.TryGetLast(CanonicalHeaders.Deaths, out var history)) deaths.AddRange(DeathHistory.Decode(history.Span));
        var known = deaths.FindIndex(d => d.Queue == source.Name && d.Reason == reason);
        if (known >= 0)
        {
            var again = deaths[known];
            deaths.RemoveAt(known);
            deaths.Insert(0, again with { Count = again.Count + 1, Deliveries = again.Deliveries + deliveries });
            return deaths;
        }
        var expiresAt = SpecialHeaders.Read(message.Headers).ExpiresAt;
        var topic = message.Headers.TryGetLast(CanonicalHeaders.Topic, out var name) ? Encoding.UTF8.GetString(name.Span) : "";
        var keys = new List<string>();
        if (message.Headers.TryGetLast(CanonicalHeaders.RoutingKey, out var key)) keys.Add(Encoding.UTF8.GetString(key.Span));
        else if (!message.Key.IsNull) keys.Add(Encoding.UTF8.GetString(message.Key.Span));
        deaths.Insert(0, new Death(source.Name, reason, 1, now, topic, keys, expiresAt < 0 ? -1 : expiresAt - message.Timestamp, deliveries));
        return deaths;
    }

    /// <summary>
    /// Whether a message would go round in a circle: it was dead-lettered from the queue before, and nobody rejected it
    /// since. Such a message is dropped, as RabbitMQ does; otherwise it would go round for ever.
    /// </summary>
    public static bool IsCycle(string queue, IReadOnlyList<Death> deaths)
    {
        foreach (var death in deaths)
        {
            if (death.Reason == DeathReason.Rejected) return false;
            if (death.Queue == queue) return true;
        }
        return false;
    }

    /// <summary>Adds the message to a batch as it goes on: without delay and deduplication id, and without lifetime unless that begins now.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="message">The message.</param>
    /// <param name="deaths">Its history; null for one that is only moved.</param>
    /// <param name="topic">The topic that it goes through, or null if that stays.</param>
    /// <param name="routingKey">What it is routed by, or null if that stays.</param>
    /// <param name="timestamp">Its timestamp.</param>
    /// <param name="headers">Scratch.</param>
    public static void AddTo(MessageBatch batch, in MessageView message, IReadOnlyList<Death>? deaths, string? topic, string? routingKey, long timestamp, RecordHeadersWriter headers)
    {
        headers.Clear();
        short priority = -1;
        var expiresAt = -1L;
        foreach (var header in message.Headers)
        {
            var key = header.Key;
            if (key.SequenceEqual(CanonicalHeaders.ExpiresAt) || key.SequenceEqual(CanonicalHeaders.DeliverAt) || key.SequenceEqual(CanonicalHeaders.DeduplicationId)) continue;
            if (key.SequenceEqual(CanonicalHeaders.Lifetime))
            {
                if (Utf8Parser.TryParse(header.Value.Span, out long lifetime, out _)) expiresAt = timestamp + lifetime;
                continue;
            }
            if (deaths is not null && key.SequenceEqual(CanonicalHeaders.Deaths)) continue;
            if (topic is not null && key.SequenceEqual(CanonicalHeaders.Topic)) continue;
            if (routingKey is not null && key.SequenceEqual(CanonicalHeaders.RoutingKey)) continue;
            if (key.SequenceEqual(CanonicalHeaders.Priority))
            {
                priority = SpecialHeaders.Read(message.Headers).Priority;
                if (priority >= 0) continue;
            }
            headers.Add(key, header.Value);
        }
        if (topic is not null) headers.Add(CanonicalHeaders.Topic, Encoding.UTF8.GetBytes(topic));
        if (routingKey is not null) headers.Add(CanonicalHeaders.RoutingKey, Encoding.UTF8.GetBytes(routingKey));
        if (deaths is not null) headers.Add(CanonicalHeaders.Deaths, DeathHistory.Encode(deaths));
        batch.Add(new MessageProperties { Timestamp = timestamp, ExpiresAt = expiresAt, Priority = priority }, message.Key, message.Value.Span, headers.Headers);
    }
}
