namespace Dragoman.Broker.Groups.Consumer;

/// <summary>What is set for one group whose assignments are the broker's.</summary>
/// <param name="SessionTimeoutMs">Milliseconds without a heartbeat after which a member is out.</param>
/// <param name="HeartbeatIntervalMs">Milliseconds between a member's heartbeats; null for the broker's choice.</param>
internal sealed record ConsumerSettings(int SessionTimeoutMs, int? HeartbeatIntervalMs);
