using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;

namespace Dragoman.Links.Federation;

internal sealed class NoPolicies : IFederationPolicies
{
    public UpstreamChoice? Find(TopicName exchange) => null;

    public UpstreamChoice? Find(IQueueHandle queue) => null;

    public event Action? Changed
    {
        add { }
        remove { }
    }
}
