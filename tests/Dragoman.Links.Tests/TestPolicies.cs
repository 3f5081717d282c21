using System.Collections.Concurrent;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Links.Federation;

namespace Dragoman.Links.Tests;

/// <summary>Which exchanges and queues are federated with which upstream.</summary>
internal sealed class TestPolicies : IFederationPolicies
{
    private readonly ConcurrentDictionary<string, string> _exchanges = new();
    private readonly ConcurrentDictionary<string, string> _queues = new();

    public event Action? Changed;

    public void FederateExchange(string name, string upstream)
    {
        _exchanges[name] = upstream;
        Changed?.Invoke();
    }

    public void FederateQueue(string name, string upstream)
    {
        _queues[name] = upstream;
        Changed?.Invoke();
    }

    public UpstreamChoice? Find(TopicName exchange) => _exchanges.TryGetValue(exchange.Name, out var upstream) ? new UpstreamChoice(upstream, null, null) : null;

    public UpstreamChoice? Find(IQueueHandle queue) => _queues.TryGetValue(queue.Name.Name, out var upstream) ? new UpstreamChoice(upstream, null, null) : null;
}
