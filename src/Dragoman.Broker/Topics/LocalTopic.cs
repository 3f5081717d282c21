using Dragoman.Broker.Statistics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage;
using Dragoman.Storage.Log;

namespace Dragoman.Broker.Topics;

/// <summary>A topic whose partitions this node owns.</summary>
internal sealed class LocalTopic : ITopicHandle
{
    private readonly Store _store;
    private readonly TransactionGate _gate;
    private volatile TopicSettings _settings;
    private volatile LocalPartition[] _partitions = [];
    private volatile bool _deleted;

    public LocalTopic(Store store, TransactionGate gate, TopicEntry entry, BrokerStatistics statistics)
    {
        _store = store;
        _gate = gate;
        Name = entry.Name;
        Id = entry.Id;
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(entry.CreatedAtMs);
        _settings = entry.Settings;
        Counters = statistics.Of(Name);
        NamespaceCounters = statistics.Of(Name.Namespace);
        Update(entry);
    }

    public TopicName Name { get; }

    public Guid Id { get; }

    public DateTimeOffset CreatedAt { get; }

    public TopicSettings Settings => _settings;

    public IReadOnlyList<IPartitionHandle> Partitions => _partitions;

    public bool IsQueue => false;

    /// <summary>What is counted of its messages.</summary>
    public MessageCounters Counters { get; }

    /// <summary>The counters of its namespace.</summary>
    public MessageCounters NamespaceCounters { get; }

    public bool IsDeleted => _deleted;

    public void MarkDeleted() => _deleted = true;

    public void Update(TopicEntry entry)
    {
        var partitions = new LocalPartition[entry.LogIds.Count];
        var retention = new LogRetention(entry.Settings.RetentionMs, entry.Settings.RetentionBytes);
        for (var i = 0; i < partitions.Length; i++)
        {
            partitions[i] = i < _partitions.Length ? _partitions[i] : new LocalPartition(_store, _gate, this, i, _store.GetLog(entry.LogIds[i]));
            if (partitions[i].Log.Retention != retention) partitions[i].Log.Retention = retention;
            partitions[i].Log.Compaction = entry.Settings.Compacted ? entry.Settings.Compaction : null;
        }
        _settings = entry.Settings;
        _partitions = partitions;
    }
}
