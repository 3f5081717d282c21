namespace Dragoman.Broker.Groups;

/// <summary>How consumer groups behave. Names and defaults are Kafka's where nothing else is said.</summary>
public sealed record GroupOptions
{
    /// <summary>
    /// How long the offsets of a group that has no members are kept, and those of a topic that a group has stopped
    /// reading; Kafka's <c>offsets.retention.minutes</c>, 7 days.
    /// </summary>
    public TimeSpan OffsetsRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How often to look for offsets that have expired; Kafka's <c>offsets.retention.check.interval.ms</c>.</summary>
    public TimeSpan OffsetsRetentionCheckInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The most characters kept beside an offset; Kafka's <c>offset.metadata.max.bytes</c>.</summary>
    public int MaxOffsetMetadata { get; init; } = 4096;
}
