using Dragoman.Kafka.Sessions;

namespace Dragoman.Kafka.Handlers;

/// <summary>What clients hear about this node and the cluster it makes up alone.</summary>
internal static class Cluster
{
    /// <summary>
    /// All operations on a topic, as a bit set by <c>AclOperation</c>'s numbers: read, write, create, delete, alter,
    /// describe, describe configs, alter configs.
    /// </summary>
    public const int AllTopicOperations = (1 << 3) | (1 << 4) | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 8) | (1 << 10) | (1 << 11);

    /// <summary>All operations on a group: read, delete, describe, describe and alter configs.</summary>
    public const int AllGroupOperations = (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11);

    /// <summary>All operations on a cluster: create, alter, describe, cluster action, describe and alter configs, idempotent write.</summary>
    public const int AllClusterOperations = (1 << 5) | (1 << 7) | (1 << 8) | (1 << 9) | (1 << 10) | (1 << 11) | (1 << 12);

    /// <summary>The cluster's id: the store's, spelled as Kafka spells its own.</summary>
    public static string IdOf(Broker.Broker broker) =>
        Convert.ToBase64String(broker.Id.ToByteArray(bigEndian: true)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>Where clients shall connect to: as configured, or else where this one has connected to.</summary>
    public static (string Host, int Port) AddressFor(KafkaSession session)
    {
        var options = session.FrontEnd.Options;
        var local = session.Local;
        var address = local?.Address is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : local?.Address;
        var host = options.AdvertisedHost ?? address?.ToString() ?? "localhost";
        return (host, options.AdvertisedPort ?? local?.Port ?? session.FrontEnd.Bound?.Port ?? KafkaFrontEnd.DefaultPort);
    }
}
