namespace Dragoman.Admin.Model;

/// <summary>Topics.</summary>
/// <param name="Topics">In the order of their names.</param>
public sealed record TopicList(IReadOnlyList<TopicSummary> Topics);

/// <summary>A topic in a list.</summary>
/// <param name="Namespace">Its namespace, <c>tenant/namespace</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its id: a topic created anew has another.</param>
/// <param name="Partitions">How many partitions it has.</param>
/// <param name="Records">Offsets between start and end of its partitions: the records, where compaction and transactions left no gaps.</param>
/// <param name="Bytes">Bytes that it holds.</param>
/// <param name="CommitMode">What an acknowledgement means.</param>
public sealed record TopicSummary(string Namespace, string Name, Guid Id, int Partitions, long Records, long Bytes, string CommitMode);

/// <summary>A topic in full.</summary>
/// <param name="Namespace">Its namespace, <c>tenant/namespace</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its id.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="Settings">Its settings.</param>
/// <param name="Partitions">Its partitions.</param>
public sealed record TopicDetails(string Namespace, string Name, Guid Id, DateTimeOffset CreatedAt, TopicSettingsModel Settings, IReadOnlyList<PartitionDetails> Partitions);

/// <summary>A partition.</summary>
/// <param name="Partition">Its index.</param>
/// <param name="StartOffset">The first offset that can be read.</param>
/// <param name="LastStableOffset">The offset before which no transaction is open.</param>
/// <param name="HighWatermark">The offset after the last committed record.</param>
/// <param name="LeaderEpoch">The current leader epoch.</param>
/// <param name="Bytes">Bytes that it holds.</param>
/// <param name="Routes">How far the topic's routes have carried it; missing where there are none.</param>
public sealed record PartitionDetails(int Partition, long StartOffset, long LastStableOffset, long HighWatermark, int LeaderEpoch, long Bytes, RouteProgress? Routes = null);

/// <summary>How far routes have carried the records of a partition to queues and other topics.</summary>
/// <param name="NextOffset">The first offset that was not carried yet.</param>
/// <param name="Lag">Offsets that are stable and were not carried yet.</param>
/// <param name="Lost">Offsets that were removed before they were carried, since the broker started.</param>
/// <param name="Refused">Messages that a queue or topic refused, since the broker started.</param>
/// <param name="Problem">Why they do not go on now; missing if they do.</param>
public sealed record RouteProgress(long NextOffset, long Lag, long Lost, long Refused, string? Problem = null);

/// <summary>Settings of a topic. In a request, what is missing stays as it is, or is the broker's default.</summary>
public sealed record TopicSettingsModel
{
    /// <summary>Messages older than this many milliseconds go; -1 keeps them.</summary>
    public long? RetentionMs { get; init; }

    /// <summary>Bytes that each partition keeps at least; -1 for no limit.</summary>
    public long? RetentionBytes { get; init; }

    /// <summary>The largest record batch taken, in bytes.</summary>
    public int? MaxMessageBytes { get; init; }

    /// <summary>Who sets timestamps: <c>createTime</c> (the producer) or <c>logAppendTime</c> (the broker).</summary>
    public string? TimestampType { get; init; }

    /// <summary><c>fsync</c>, <c>written</c> or <c>memory</c>. Memory is chosen when the topic is created, or never.</summary>
    public string? CommitMode { get; init; }

    /// <summary>Whether every message must have a key and the newest of each key is kept.</summary>
    public bool? Compacted { get; init; }

    /// <summary>Settings that protocols keep with the topic, by the protocol's own names. In a change, null removes one.</summary>
    public IReadOnlyDictionary<string, string?>? Attributes { get; init; }
}

/// <summary>A topic to be created.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Partitions">How many partitions; the broker's default if missing.</param>
/// <param name="Settings">Settings that differ from the broker's defaults.</param>
public sealed record CreateTopicRequest(string Name, int? Partitions = null, TopicSettingsModel? Settings = null);

/// <summary>Changes to a topic.</summary>
/// <param name="Partitions">The new number of partitions, larger than the present one.</param>
/// <param name="Settings">The settings to change.</param>
public sealed record ChangeTopicRequest(int? Partitions = null, TopicSettingsModel? Settings = null);
