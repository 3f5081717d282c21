using System.Collections.Immutable;
using System.Globalization;
using Dragoman.Broker.Configs;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>What holds for one group whose assignments are the broker's: what was configured of it, else the broker's options.</summary>
/// <param name="SessionTimeoutMs">Milliseconds without a heartbeat after which a member is out.</param>
/// <param name="HeartbeatIntervalMs">Milliseconds between a member's heartbeats; null for the broker's choice.</param>
public sealed record ConsumerSettings(int SessionTimeoutMs, int? HeartbeatIntervalMs)
{
    /// <summary>The configuration of the session timeout: Kafka's name for it, which configurations are kept under.</summary>
    public const string SessionTimeout = "consumer.session.timeout.ms";

    /// <summary>The configuration of the heartbeat interval.</summary>
    public const string HeartbeatInterval = "consumer.heartbeat.interval.ms";

    /// <summary>What configurations of a group are kept under.</summary>
    public static ConfigTarget TargetOf(GroupName group)
    {
        ArgumentNullException.ThrowIfNull(group);
        return new ConfigTarget(ConfigKind.Group, group.ToString());
    }

    internal static ConsumerSettings From(ImmutableSortedDictionary<string, string> configured, GroupOptions options) => new(
        NumberOf(configured, SessionTimeout) ?? (int)options.ConsumerSessionTimeout.TotalMilliseconds, NumberOf(configured, HeartbeatInterval));

    private static int? NumberOf(ImmutableSortedDictionary<string, string> configured, string name) =>
        configured.TryGetValue(name, out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
