using Dragoman.Broker.Queues;

namespace Dragoman.Broker.Policies;

/// <summary>What policies apply to, as RabbitMQ names it.</summary>
public static class PolicyTargets
{
    /// <summary>The name of a target.</summary>
    public static string NameOf(PolicyTarget target) => target switch
    {
        PolicyTarget.Queues => "queues",
        PolicyTarget.ClassicQueues => "classic_queues",
        PolicyTarget.QuorumQueues => "quorum_queues",
        PolicyTarget.Streams => "streams",
        PolicyTarget.Exchanges => "exchanges",
        _ => "all",
    };

    /// <summary>The target of a name; null for none.</summary>
    public static PolicyTarget? Parse(string name) => name switch
    {
        "all" => PolicyTarget.All,
        "queues" => PolicyTarget.Queues,
        "classic_queues" => PolicyTarget.ClassicQueues,
        "quorum_queues" => PolicyTarget.QuorumQueues,
        "streams" => PolicyTarget.Streams,
        "exchanges" => PolicyTarget.Exchanges,
        _ => null,
    };

    /// <summary>Whether a target takes in queues of a kind.</summary>
    internal static bool Includes(PolicyTarget target, QueueKind kind) => target switch
    {
        PolicyTarget.All or PolicyTarget.Queues => true,
        PolicyTarget.ClassicQueues => kind == QueueKind.Classic,
        PolicyTarget.QuorumQueues => kind == QueueKind.Quorum,
        PolicyTarget.Streams => kind == QueueKind.Stream,
        _ => false,
    };
}
