using Dragoman.Amqp.Topology;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Links.Definitions;
using Dragoman.Protocols;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Links.Ends;

/// <summary>What links do to this broker at either end.</summary>
internal static class LocalEnds
{
    /// <summary>The namespace of a virtual host.</summary>
    /// <exception cref="LinkException">There is none of the name.</exception>
    public static NamespaceName SpaceOf(EndDefinition end) =>
        VirtualHosts.ToNamespace(end.Uris[0].VirtualHost ?? VirtualHosts.Default) ?? throw new LinkException($"NOT_ALLOWED - vhost '{end.Uris[0].VirtualHost}' not found");

    /// <summary>Finds a queue, and declares it if it is not there.</summary>
    /// <exception cref="LinkException">It cannot be.</exception>
    public static async Task<IQueueHandle> DeclareAsync(Broker.Broker broker, EndDefinition end, CancellationToken cancellation)
    {
        var name = new QueueName(SpaceOf(end), end.Queue!);
        var virtualHost = VirtualHosts.FromNamespace(name.Namespace);
        if (broker.Queues.Find(name) is { } known) return known;
        if (end.IsPredeclared) throw new LinkException($"NOT_FOUND - no queue '{name.Name}' in vhost '{virtualHost}'");
        QueueSettings settings;
        try
        {
            settings = new QueueDeclaration { IsDurable = true, Arguments = end.QueueArguments }.ToSettings($"queue '{name.Name}' in vhost '{virtualHost}'");
        }
        catch (RequestFailedException refused)
        {
            throw new LinkException($"PRECONDITION_FAILED - {refused.Message}", refused);
        }
        var answer = await broker.Queues.DeclareAsync(name, settings, cancellation).ConfigureAwait(false);
        return answer.Queue ?? throw new LinkException(answer.Message ?? $"queue '{name.Name}' in vhost '{virtualHost}' cannot be declared: {answer.Status}");
    }
}
