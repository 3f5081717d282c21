using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;

namespace Dragoman.Links.Federation;

/// <summary>What policies say of federation.</summary>
internal interface IFederationPolicies
{
    /// <summary>The upstreams of an exchange; null for none.</summary>
    UpstreamChoice? Find(TopicName exchange);

    /// <summary>The upstreams of a queue; null for none.</summary>
    UpstreamChoice? Find(IQueueHandle queue);

    /// <summary>Called when that may have changed.</summary>
    event Action? Changed;
}
