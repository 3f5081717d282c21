using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Security;

/// <summary>What the client behind a request may do, asked as Kafka's brokers ask it.</summary>
internal static class Authorization
{
    /// <summary>Whether it may do something with a topic.</summary>
    public static bool MayUseTopic(this PendingRequest request, Operations operation, string name)
    {
        if (!request.Broker.Accounts.IsEnabled) return true;
        if (!KafkaTopicNames.IsLegal(name, out _)) return request.Session.Identity.Allows(operation, ResourceKind.Topic, null, name);
        return request.MayUseTopic(operation, KafkaTopicNames.Parse(name));
    }

    /// <summary>Whether it may do something with a topic.</summary>
    public static bool MayUseTopic(this PendingRequest request, Operations operation, TopicName name) =>
        request.Session.Identity.Allows(operation, ResourceKind.Topic, name.Namespace, name.Name);

    /// <summary>Whether it may do something with a group.</summary>
    public static bool MayUseGroup(this PendingRequest request, Operations operation, string group) =>
        request.Session.Identity.Allows(operation, ResourceKind.Group, null, group);

    /// <summary>Whether it may do something with a transactional id.</summary>
    public static bool MayUseTransactionalId(this PendingRequest request, Operations operation, string id) =>
        request.Session.Identity.Allows(operation, ResourceKind.TransactionalId, null, id);

    /// <summary>Whether it may do something with the cluster.</summary>
    public static bool MayUseCluster(this PendingRequest request, Operations operation) =>
        request.Session.Identity.Allows(operation, ResourceKind.Cluster, null, Permission.ClusterName);

    /// <summary>Whether it may produce idempotently: who may write to any topic may (KIP-679).</summary>
    public static bool MayProduceIdempotently(this PendingRequest request) =>
        request.MayUseCluster(Operations.IdempotentWrite) || request.Session.Identity.AllowsAny(Operations.Write, ResourceKind.Topic);

    /// <summary>Refuses what concerns the whole cluster.</summary>
    /// <exception cref="KafkaRequestException">The client may not do it.</exception>
    public static void RequireCluster(this PendingRequest request, Operations operation)
    {
        if (!request.MayUseCluster(operation)) throw new KafkaRequestException(ErrorCode.ClusterAuthorizationFailed, $"The client may not {operation} the cluster.");
    }
}
