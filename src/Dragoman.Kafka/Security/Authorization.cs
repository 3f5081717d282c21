using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Handlers;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Protocols.Authentication;

namespace Dragoman.Kafka.Security;

/// <summary>What the client behind a request may do, asked as Kafka's brokers ask it.</summary>
internal static class Authorization
{
    /// <summary>Whether it may do something with a topic.</summary>
    public static bool MayUseTopic(this PendingRequest request, Operations operation, string name)
    {
        if (!request.Broker.Accounts.IsEnabled) return true;
        // What is escaped is asked for under the name that it means.
        if (!name.Contains('%', StringComparison.Ordinal) && !KafkaTopicNames.IsLegal(name, out _)) return request.Session.Identity.Allows(operation, ResourceKind.Topic, null, name);
        return request.MayUseTopic(operation, KafkaTopicNames.Parse(name));
    }

    /// <summary>Whether it may do something with a topic.</summary>
    public static bool MayUseTopic(this PendingRequest request, Operations operation, TopicName name) => request.Session.Identity.AllowsTopic(operation, name);

    /// <summary>Whether a client may do something with a topic; where that is a queue, the queue's permissions count.</summary>
    public static bool AllowsTopic(this ClientIdentity identity, Operations operation, TopicName name) => name.IsOfQueue
        ? identity.Allows(operation, ResourceKind.Queue, name.Namespace, name.Name[TopicName.QueuePrefix.Length..])
        : identity.Allows(operation, ResourceKind.Topic, name.Namespace, name.Name);

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

    /// <summary>Whether it may create a topic: by a rule on the cluster or on the topic.</summary>
    public static bool MayCreateTopic(this PendingRequest request, string name) =>
        request.MayUseCluster(Operations.Create) || request.MayUseTopic(Operations.Create, name);

    /// <summary>What it may do with a topic, as a bit set by <c>AclOperation</c>'s numbers.</summary>
    public static int TopicOperations(this PendingRequest request, TopicName name) =>
        Bits(Cluster.AllTopicOperations, operation => request.MayUseTopic(operation, name));

    /// <summary>What it may do with the cluster, as a bit set by <c>AclOperation</c>'s numbers.</summary>
    public static int ClusterOperations(this PendingRequest request) => Bits(Cluster.AllClusterOperations, request.MayUseCluster);

    /// <summary>What it may do with a group, as a bit set by <c>AclOperation</c>'s numbers.</summary>
    public static int GroupOperations(this PendingRequest request, string group) =>
        Bits(Cluster.AllGroupOperations, operation => request.MayUseGroup(operation, group));

    private static int Bits(int all, Func<Operations, bool> allows)
    {
        var bits = 0;
        for (var bit = 0; bit < 31; bit++)
            if ((all & (1 << bit)) != 0 && allows(Acl.OperationOf((AclOperation)bit))) bits |= 1 << bit;
        return bits;
    }
}
