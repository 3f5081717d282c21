using Dragoman.Broker.Groups;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Forwarding;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;

namespace Dragoman.Broker;

/// <summary>Where the simulator comes between the parts of a broker.</summary>
internal sealed record BrokerSeams
{
    /// <summary>Mistakes that tests plant.</summary>
    public TransactionDefects Defects { get; init; } = new();

    /// <summary>Mistakes that tests plant where routes carry on what logs hold.</summary>
    public ForwardingDefects Forwarding { get; init; } = new();

    /// <summary>Mistakes in queues that tests plant.</summary>
    public QueueDefects QueueDefects { get; init; } = new();

    /// <summary>Entries of a queue's indexes of times that are kept in memory before they go to scratch files.</summary>
    public int DueEntriesInMemory { get; init; } = 1 << 16;

    /// <summary>Mistakes that tests plant in groups.</summary>
    public GroupDefects GroupDefects { get; init; } = new();

    /// <summary>The topics as the coordinator of transactions sees them: handles may be put in front that delay, move and fail.</summary>
    public Func<ITopics, ITopics> TopicsOfTransactions { get; init; } = static topics => topics;
}
