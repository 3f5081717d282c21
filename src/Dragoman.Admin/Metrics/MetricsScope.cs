using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Protocols.RabbitMq;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Metrics;

/// <summary>What a request for metrics wants: sums, or every queue, channel and connection; all families, or some; of all virtual hosts, or some.</summary>
/// <param name="IsPerObject">Whether each object has a sample of its own.</param>
/// <param name="Families">The families; null for all.</param>
/// <param name="Spaces">The namespaces; null for all.</param>
/// <param name="Queues">The queues; null for all.</param>
internal sealed record MetricsScope(bool IsPerObject, IReadOnlySet<string>? Families, IReadOnlySet<NamespaceName>? Spaces, IReadOnlySet<string>? Queues)
{
    /// <summary>Sums over all objects.</summary>
    public static MetricsScope Aggregated { get; } = new(false, null, null, null);

    /// <summary>Every object.</summary>
    public static MetricsScope PerObject { get; } = new(true, null, null, null);

    /// <summary>The families that a request names (<c>family</c>), of the virtual hosts (<c>vhost</c>) and queues (<c>queue</c>) that it names.</summary>
    public static MetricsScope Detailed(IQueryCollection query)
    {
        var spaces = new HashSet<NamespaceName>();
        foreach (var vhost in query["vhost"])
            if (vhost is not null && VirtualHosts.ToNamespace(vhost) is { } space) spaces.Add(space);
        return new MetricsScope(
            true, query["family"].OfType<string>().ToHashSet(StringComparer.Ordinal), query.ContainsKey("vhost") ? spaces : null,
            query.ContainsKey("queue") ? query["queue"].OfType<string>().ToHashSet(StringComparer.Ordinal) : null);
    }

    /// <summary>Whether a family is wanted.</summary>
    public bool Wants(string family) => Families?.Contains(family) ?? true;

    /// <summary>Whether a namespace is wanted.</summary>
    public bool Wants(NamespaceName space) => Spaces?.Contains(space) ?? true;

    /// <summary>Whether a queue is wanted.</summary>
    public bool Wants(QueueName queue) => Wants(queue.Namespace) && (Queues?.Contains(queue.Name) ?? true);
}
