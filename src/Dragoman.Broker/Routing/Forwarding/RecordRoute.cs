using Dragoman.Broker.Messages;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Routing.Forwarding;

/// <summary>What a record's headers say of its way, found in one pass over them.</summary>
internal readonly ref struct RecordRoute
{
    private RecordRoute(ReadOnlySpan<byte> routingKey, ReadOnlySpan<byte> passed, ReadOnlySpan<byte> deaths, bool hasMoreKeys, bool hasTopic, bool hasCreatedAt, bool isSpecial)
    {
        RoutingKey = routingKey;
        PassedTopics = passed;
        Deaths = deaths;
        HasMoreKeys = hasMoreKeys;
        HasTopic = hasTopic;
        HasCreatedAt = hasCreatedAt;
        IsSpecial = isSpecial;
    }

    /// <summary>What to route by: the record's key unless a header says otherwise.</summary>
    public ReadOnlySpan<byte> RoutingKey { get; }

    /// <summary>The value of <see cref="CanonicalHeaders.PassedTopics"/>.</summary>
    public ReadOnlySpan<byte> PassedTopics { get; }

    /// <summary>The value of <see cref="CanonicalHeaders.Deaths"/>.</summary>
    public ReadOnlySpan<byte> Deaths { get; }

    /// <summary>Whether there are <see cref="CanonicalHeaders.MoreRoutingKeys"/>.</summary>
    public bool HasMoreKeys { get; }

    /// <summary>Whether it says which topic it was published to: then a front end that routes wrote it.</summary>
    public bool HasTopic { get; }

    /// <summary>Whether it says when it was made.</summary>
    public bool HasCreatedAt { get; }

    /// <summary>Whether there are headers that a queue acts upon.</summary>
    public bool IsSpecial { get; }

    /// <summary>Whether a queue can take the headers as they are.</summary>
    public bool IsReady => HasTopic && !IsSpecial && !HasMoreKeys && PassedTopics.IsEmpty;

    public static RecordRoute Read(in MessageView message)
    {
        var routingKey = message.Key.Span;
        ReadOnlySpan<byte> passed = default, deaths = default;
        bool hasMoreKeys = false, hasTopic = false, hasCreatedAt = false, isSpecial = false;
        foreach (var header in message.Headers)
        {
            var name = header.Key;
            // Lengths tell nearly all other headers apart.
            switch (name.Length)
            {
                case 5:
                    hasTopic |= name.SequenceEqual(CanonicalHeaders.Topic);
                    break;
                case 6 when name.SequenceEqual(CanonicalHeaders.Deaths):
                    deaths = header.Value.Span;
                    break;
                case 8:
                    isSpecial |= name.SequenceEqual(CanonicalHeaders.Priority) || name.SequenceEqual(CanonicalHeaders.DeduplicationId);
                    break;
                case 10:
                    hasCreatedAt |= name.SequenceEqual(CanonicalHeaders.CreatedAt);
                    isSpecial |= name.SequenceEqual(CanonicalHeaders.ExpiresAt) || name.SequenceEqual(CanonicalHeaders.DeliverAt);
                    break;
                case 11 when name.SequenceEqual(CanonicalHeaders.RoutingKey):
                    routingKey = header.Value.Span;
                    break;
                case 13 when name.SequenceEqual(CanonicalHeaders.PassedTopics):
                    passed = header.Value.Span;
                    break;
                case 16:
                    hasMoreKeys |= name.SequenceEqual(CanonicalHeaders.MoreRoutingKeys);
                    break;
            }
        }
        return new RecordRoute(routingKey, passed, deaths, hasMoreKeys, hasTopic, hasCreatedAt, isSpecial);
    }
}
