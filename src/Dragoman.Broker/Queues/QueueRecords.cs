using System.Globalization;
using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing.Forwarding;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Queues;

/// <summary>Makes of a record, as topics keep it, a message as queues keep it.</summary>
internal static class QueueRecords
{
    /// <summary>Adds a record to a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="message">The record.</param>
    /// <param name="route">What its headers say.</param>
    /// <param name="topic">The topic that it was published to, unless it says so itself; null for none.</param>
    /// <param name="now">The time: lifetimes count from when a message comes to the queue.</param>
    /// <param name="headers">Scratch.</param>
    public static void Add(MessageBatch batch, in MessageView message, in RecordRoute route, string? topic, long now, RecordHeadersWriter headers)
    {
        var properties = new MessageProperties { Timestamp = now };
        if (route.IsReady)
        {
            batch.Add(properties, message.Key, message.Value.Span, message.Headers);
            return;
        }
        headers.Clear();
        if (!route.HasTopic && topic is not null) headers.Add(CanonicalHeaders.Topic, Encoding.UTF8.GetBytes(topic));
        if (!route.HasTopic && !route.HasCreatedAt && message.Timestamp >= 0) AddNumber(headers, CanonicalHeaders.CreatedAt, message.Timestamp);
        var special = route.IsSpecial ? SpecialHeaders.Read(message.Headers) : properties;
        string? deduplication = null;
        foreach (var header in message.Headers)
        {
            var name = header.Key;
            if (name.SequenceEqual(CanonicalHeaders.MoreRoutingKeys) || name.SequenceEqual(CanonicalHeaders.PassedTopics)) continue;
            // What the queue acts upon it writes itself.
            if (special.ExpiresAt >= 0 && name.SequenceEqual(CanonicalHeaders.ExpiresAt)) continue;
            if (special.DeliverAt >= 0 && name.SequenceEqual(CanonicalHeaders.DeliverAt)) continue;
            if (special.Priority >= 0 && name.SequenceEqual(CanonicalHeaders.Priority)) continue;
            if (name.SequenceEqual(CanonicalHeaders.DeduplicationId))
            {
                deduplication = Encoding.UTF8.GetString(header.Value.Span);
                continue;
            }
            headers.Add(name, header.Value);
        }
        batch.Add(special with { Timestamp = now, DeduplicationId = deduplication }, message.Key, message.Value.Span, headers.Headers);
    }

    private static void AddNumber(RecordHeadersWriter headers, ReadOnlySpan<byte> name, long number)
    {
        Span<byte> digits = stackalloc byte[20];
        number.TryFormat(digits, out var length, default, CultureInfo.InvariantCulture);
        headers.Add(name, digits[..length]);
    }
}
