using System.Globalization;
using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Configs;

/// <summary>The configurations of groups (Kafka's <c>GroupConfig</c>): of those that the broker assigns, so far.</summary>
internal static class GroupConfigs
{
    /// <summary>All of them, with the values where nothing is set.</summary>
    public static IReadOnlyList<TopicConfig> All(GroupOptions options) =>
    [
        new(ConsumerSettings.HeartbeatInterval, ConfigValueType.Int, Text(options.ConsumerHeartbeatInterval), "The longest time between a member's heartbeats. Unless it is set, small groups are asked for more.") { Min = 100, Max = 60_000 },
        new(ConsumerSettings.SessionTimeout, ConfigValueType.Int, Text(options.ConsumerSessionTimeout), "How long a member is in without a heartbeat.")
        {
            Min = (long)options.ConsumerMinSessionTimeout.TotalMilliseconds,
            Max = (long)options.ConsumerMaxSessionTimeout.TotalMilliseconds,
        },
    ];

    /// <summary>Finds a configuration.</summary>
    /// <exception cref="KafkaRequestException">There is none of the name.</exception>
    public static TopicConfig Find(string name, GroupOptions options) =>
        All(options).FirstOrDefault(c => c.Name == name) ?? throw new KafkaRequestException(ErrorCode.InvalidConfig, $"Unknown group config name: {name}");

    /// <summary>Refuses values that do not go together.</summary>
    /// <exception cref="KafkaRequestException">They do not.</exception>
    public static void Check(IReadOnlyDictionary<string, string> configured, GroupOptions options)
    {
        long ValueOf(string name) => long.Parse(configured.GetValueOrDefault(name) ?? Find(name, options).Default, CultureInfo.InvariantCulture);
        if (ValueOf(ConsumerSettings.HeartbeatInterval) >= ValueOf(ConsumerSettings.SessionTimeout))
            throw new KafkaRequestException(ErrorCode.InvalidConfig, $"{ConsumerSettings.SessionTimeout} must be greater than {ConsumerSettings.HeartbeatInterval}.");
    }

    private static string Text(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
