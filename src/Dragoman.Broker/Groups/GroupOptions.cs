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

    /// <summary>
    /// How long a member of a group that the broker assigns is in without a heartbeat, where nothing is set for the group;
    /// Kafka's <c>group.consumer.session.timeout.ms</c>, 45 seconds.
    /// </summary>
    public TimeSpan ConsumerSessionTimeout { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>The shortest session that can be set for a group; Kafka's <c>group.consumer.min.session.timeout.ms</c>, 45 seconds there.</summary>
    public TimeSpan ConsumerMinSessionTimeout { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>The longest session that can be set for a group; Kafka's <c>group.consumer.max.session.timeout.ms</c>, 60 seconds there.</summary>
    public TimeSpan ConsumerMaxSessionTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>
    /// The longest time between heartbeats of such a member, where nothing is set for the group; Kafka's
    /// <c>group.consumer.heartbeat.interval.ms</c>, 5 seconds. As it is what a rebalance takes, small groups are asked for
    /// more, up to ten a second from members that wait for others.
    /// </summary>
    public TimeSpan ConsumerHeartbeatInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The most members of such a group; Kafka's <c>group.consumer.max.size</c>.</summary>
    public int ConsumerMaxSize { get; init; } = int.MaxValue;

    /// <summary>How long a new member that waits for its first generation is kept although it shows no sign of life. 5 minutes in Kafka.</summary>
    public TimeSpan NewMemberJoinTimeout { get; init; } = TimeSpan.FromMinutes(5);
}
