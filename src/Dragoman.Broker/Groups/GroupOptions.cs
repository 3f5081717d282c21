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

    /// <summary>
    /// How long a group that was empty waits for further members before its first generation;
    /// <c>group.initial.rebalance.delay.ms</c>. Kafka waits 3 seconds. Members that start together come within a fraction
    /// of one, each that comes prolongs the wait, and a single consumer should not have to wait for nobody.
    /// </summary>
    public TimeSpan InitialRebalanceDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The shortest session that a member may ask for; Kafka's <c>group.min.session.timeout.ms</c>.</summary>
    public TimeSpan MinSessionTimeout { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>The longest session that a member may ask for; Kafka's <c>group.max.session.timeout.ms</c>.</summary>
    public TimeSpan MaxSessionTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The most members of a group; Kafka's <c>group.max.size</c>.</summary>
    public int MaxSize { get; init; } = int.MaxValue;

    /// <summary>How long a new member that waits for its first generation is kept although it shows no sign of life. 5 minutes in Kafka.</summary>
    public TimeSpan NewMemberJoinTimeout { get; init; } = TimeSpan.FromMinutes(5);
}
