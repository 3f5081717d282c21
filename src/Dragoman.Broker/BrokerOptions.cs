using Dragoman.Broker.Groups;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage;

namespace Dragoman.Broker;

/// <summary>How a broker behaves.</summary>
public sealed record BrokerOptions
{
    /// <summary>Where and how messages are stored.</summary>
    public required StoreOptions Store { get; init; }

    /// <summary>This node's number among the nodes of a cluster.</summary>
    public int NodeId { get; init; } = 1;

    /// <summary>Whether a topic is created when a client uses it, where the protocol allows that.</summary>
    public bool AutoCreateTopics { get; init; } = true;

    /// <summary>Partitions of a topic of which nothing else was said.</summary>
    public int DefaultPartitions { get; init; } = 1;

    /// <summary>Settings of a topic of which nothing else was said.</summary>
    public TopicSettings DefaultTopicSettings { get; init; } = TopicSettings.Default;

    /// <summary>How consumer groups behave.</summary>
    public GroupOptions Groups { get; init; } = new();

    /// <summary>What the coordinator of transactions allows.</summary>
    public TransactionOptions Transactions { get; init; } = new();
}
