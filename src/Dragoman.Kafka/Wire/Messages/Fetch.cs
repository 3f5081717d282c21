namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Reads record batches from partitions, waiting for them if asked to. Topics go by id from version 13 on (KIP-516).</summary>
[KafkaRequest(ApiKey.Fetch, "4-16", FlexibleFrom = 12)]
public sealed partial class FetchRequest
{
    /// <summary>The cluster's id; null when unknown.</summary>
    [Field("12+", Nullable = "12+", Tag = 0)]
    public string? ClusterId { get; set; }

    /// <summary>The fetching broker's node id; -1 for a client.</summary>
    [Field("0-14")]
    public int ReplicaId { get; set; } = -1;

    /// <summary>The fetching broker; null for a client.</summary>
    [Field("15+", Tag = 1)]
    public FetchingReplica? ReplicaState { get; set; }

    /// <summary>Milliseconds to wait for <see cref="MinBytes"/>.</summary>
    [Field("0+")]
    public int MaxWaitMs { get; set; }

    /// <summary>How many bytes of records to wait for.</summary>
    [Field("0+")]
    public int MinBytes { get; set; }

    /// <summary>How many bytes of records to answer at most; the first batch goes out whatever its size.</summary>
    [Field("3+")]
    public int MaxBytes { get; set; } = int.MaxValue;

    /// <summary>Whether records of open and aborted transactions are to be seen.</summary>
    [Field("4+")]
    public IsolationLevel IsolationLevel { get; set; }

    /// <summary>The fetch session (KIP-227); 0 for none.</summary>
    [Field("7+")]
    public int SessionId { get; set; }

    /// <summary>The request's number in its fetch session: -1 outside any, 0 to open one.</summary>
    [Field("7+")]
    public int SessionEpoch { get; set; } = -1;

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<FetchTopic> Topics { get; set; } = [];

    /// <summary>What to drop from the fetch session.</summary>
    [Field("7+")]
    public List<ForgottenTopic> ForgottenTopicsData { get; set; } = [];

    /// <summary>The rack that the client is in; empty for none.</summary>
    [Field("11+")]
    public string RackId { get; set; } = "";

    /// <summary>A broker that fetches.</summary>
    public sealed partial class FetchingReplica
    {
        /// <summary>The fetching broker's node id; -1 for a client.</summary>
        [Field("15+")]
        public int ReplicaId { get; set; } = -1;

        /// <summary>The fetching broker's epoch; -1 for a client.</summary>
        [Field("15+")]
        public long ReplicaEpoch { get; set; } = -1;
    }

    /// <summary>What to fetch of a topic.</summary>
    public sealed partial class FetchTopic
    {
        /// <summary>The topic's name.</summary>
        [Field("0-12")]
        public string Topic { get; set; } = "";

        /// <summary>The topic's id; all zeros when the topic goes by its name.</summary>
        [Field("13+")]
        public Guid TopicId { get; set; }

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<FetchPartition> Partitions { get; set; } = [];
    }

    /// <summary>Partitions to drop from the session.</summary>
    public sealed partial class ForgottenTopic
    {
        /// <summary>The topic's name.</summary>
        [Field("7-12")]
        public string Topic { get; set; } = "";

        /// <summary>The topic's id; all zeros when the topic goes by its name.</summary>
        [Field("13+")]
        public Guid TopicId { get; set; }

        /// <summary>The partitions.</summary>
        [Field("7+")]
        public List<int> Partitions { get; set; } = [];
    }

    /// <summary>What to fetch of a partition.</summary>
    public sealed partial class FetchPartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int Partition { get; set; }

        /// <summary>The leader epoch that the client believes in, so that a stale side is fenced; -1 not to check.</summary>
        [Field("9+")]
        public int CurrentLeaderEpoch { get; set; } = -1;

        /// <summary>The first offset wanted.</summary>
        [Field("0+")]
        public long FetchOffset { get; set; }

        /// <summary>The leader epoch of the last record that the client has; -1 when it does not say.</summary>
        [Field("12+")]
        public int LastFetchedEpoch { get; set; } = -1;

        /// <summary>The first offset that the log still has; -1 when unknown.</summary>
        [Field("5+")]
        public long LogStartOffset { get; set; } = -1;

        /// <summary>How many bytes of records to answer at most for this partition.</summary>
        [Field("0+")]
        public int PartitionMaxBytes { get; set; }
    }
}

/// <summary>Record batches. A source in <see cref="PartitionData.Records"/> writes them straight into the output.</summary>
[KafkaResponse(ApiKey.Fetch, "4-16", FlexibleFrom = 12)]
public sealed partial class FetchResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("7+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The fetch session (KIP-227); 0 for none.</summary>
    [Field("7+")]
    public int SessionId { get; set; }

    /// <summary>The answer, by topic.</summary>
    [Field("0+")]
    public List<FetchableTopicResponse> Responses { get; set; } = [];

    /// <summary>Where the leaders named above can be reached (KIP-951).</summary>
    [Field("16+", Tag = 0)]
    public List<NodeEndpoint> NodeEndpoints { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class FetchableTopicResponse
    {
        /// <summary>The topic's name.</summary>
        [Field("0-12")]
        public string Topic { get; set; } = "";

        /// <summary>The topic's id; all zeros when the topic goes by its name.</summary>
        [Field("13+")]
        public Guid TopicId { get; set; }

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<PartitionData> Partitions { get; set; } = [];
    }

    /// <summary>Where a node can be reached.</summary>
    public sealed partial class NodeEndpoint
    {
        /// <summary>The node's id.</summary>
        [Field("16+")]
        public int NodeId { get; set; }

        /// <summary>Host name or address to connect to.</summary>
        [Field("16+")]
        public string Host { get; set; } = "";

        /// <summary>Port to connect to.</summary>
        [Field("16+")]
        public int Port { get; set; }

        /// <summary>The rack that the node is in; null when it is in none.</summary>
        [Field("16+", Nullable = "16+")]
        public string? Rack { get; set; }
    }

    /// <summary>The answer for a partition.</summary>
    public sealed partial class PartitionData
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The offset behind the last record that every in-sync replica has.</summary>
        [Field("0+")]
        public long HighWatermark { get; set; }

        /// <summary>The offset of the first record of an open transaction, or the high watermark; -1 when unknown.</summary>
        [Field("4+")]
        public long LastStableOffset { get; set; } = -1;

        /// <summary>The first offset that the log still has; -1 when unknown.</summary>
        [Field("5+")]
        public long LogStartOffset { get; set; } = -1;

        /// <summary>Where the client's log parts from this one; null when it does not.</summary>
        [Field("12+", Tag = 0)]
        public EpochEndOffset? DivergingEpoch { get; set; }

        /// <summary>Who leads the partition, where the request went to the wrong broker (KIP-951); null to say nothing.</summary>
        [Field("12+", Tag = 1)]
        public LeaderIdAndEpoch? CurrentLeader { get; set; }

        /// <summary>The aborted transactions within the records, in the order of their first offsets; null under read uncommitted.</summary>
        [Field("4+", Nullable = "4+")]
        public List<AbortedTransaction>? AbortedTransactions { get; set; }

        /// <summary>The node that the client should read from instead; -1 for this one.</summary>
        [Field("11+")]
        public int PreferredReadReplica { get; set; } = -1;

        /// <summary>Record batches, one behind the other.</summary>
        [Field("0+", Nullable = "0+")]
        public Records Records { get; set; }
    }

    /// <summary>Where an epoch ends.</summary>
    public sealed partial class EpochEndOffset
    {
        /// <summary>The leader epoch.</summary>
        [Field("12+")]
        public int Epoch { get; set; } = -1;

        /// <summary>The offset behind the epoch's last record; -1 when unknown.</summary>
        [Field("12+")]
        public long EndOffset { get; set; } = -1;
    }

    /// <summary>The leader of a partition.</summary>
    public sealed partial class LeaderIdAndEpoch
    {
        /// <summary>The leader's node id; -1 when there is none.</summary>
        [Field("12+")]
        public int LeaderId { get; set; } = -1;

        /// <summary>The leader epoch; -1 when unknown.</summary>
        [Field("12+")]
        public int LeaderEpoch { get; set; } = -1;
    }

    /// <summary>A transaction whose records a read-committed consumer leaves out.</summary>
    public sealed partial class AbortedTransaction
    {
        /// <summary>The producer's id; -1 for none.</summary>
        [Field("4+")]
        public long ProducerId { get; set; }

        /// <summary>The offset of the transaction's first record.</summary>
        [Field("4+")]
        public long FirstOffset { get; set; }
    }
}
