using Dragoman.Broker.Producers;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage.Inspection;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Inspection;

/// <summary>A topic as a stopped broker's directory describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its id.</param>
/// <param name="Settings">Its settings.</param>
/// <param name="LogIds">The logs of its partitions, by index.</param>
public sealed record InspectedTopic(TopicName Name, Guid Id, TopicSettings Settings, IReadOnlyList<long> LogIds);

/// <summary>What a stopped broker's directory holds.</summary>
/// <param name="Store">What storage knows of it.</param>
/// <param name="Topics">The topics, in the order of their names.</param>
/// <param name="NextProducerId">The first producer id that was not reserved.</param>
/// <param name="StateNames">What the states in the store are, by their ids.</param>
public sealed record BrokerInspection(StoreInspection Store, IReadOnlyList<InspectedTopic> Topics, long NextProducerId, IReadOnlyDictionary<long, string> StateNames);

/// <summary>Reads the directory of a stopped broker and says what is in it, with the names that the broker gives things.</summary>
public static class BrokerInspector
{
    /// <summary>Reads everything; changes nothing.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="directory">The data directory.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="DirectoryInUseException">A broker has the directory.</exception>
    /// <exception cref="IOException">The disk failed, or there is no store in the directory.</exception>
    public static BrokerInspection Inspect(IFileSystem files, string directory, StoreInspectionOptions options, CancellationToken cancellation = default)
    {
        var machines = Broker.CreateMachines();
        var registry = (TopicRegistry)machines[Broker.TopicsState];
        var producers = (ProducerIdState)machines[Broker.ProducerIdsState];
        var names = new Dictionary<long, string> { [Broker.TopicsState] = "topics", [Broker.ProducerIdsState] = "producer ids", [Broker.SecurityStateId] = "accounts", [Broker.QuotasState] = "quotas", [Broker.ConfigsState] = "configurations", [Broker.QueuesState] = "queues", [Broker.RoutesState] = "routes", [Broker.NamespacesState] = "namespaces" };
        for (var i = 0; i < TransactionContext.Shards; i++) names.Add(Broker.FirstTransactionState + i, $"transactions, share {i}");
        var store = new StoreInspector(files, directory, machines, options).Inspect(cancellation);
        var topics = new List<InspectedTopic>();
        foreach (var entry in registry.Entries.Values) topics.Add(new InspectedTopic(entry.Name, entry.Id, entry.Settings, entry.LogIds));
        topics.Sort(static (a, b) => string.CompareOrdinal(a.Name.ToString(), b.Name.ToString()));
        return new BrokerInspection(store, topics, producers.Next, names);
    }
}
