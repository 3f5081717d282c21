namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Appends record batches to partitions. The records are views on the request's frame.</summary>
[KafkaRequest(ApiKey.Produce, "3-11", FlexibleFrom = 9, AdvertisedFrom = 0)]
public sealed partial class ProduceRequest
{
    /// <summary>The transactional id of the producer; null when it has none.</summary>
    [Field("3+", Nullable = "3+")]
    public string? TransactionalId { get; set; }

    /// <summary>Which replicas must have the records before the answer: 0 none (and then there is no answer), 1 the leader, -1 all in sync.</summary>
    [Field("0+")]
    public short Acks { get; set; }

    /// <summary>Milliseconds to wait for the work to be done before answering that it was not.</summary>
    [Field("0+")]
    public int TimeoutMs { get; set; }

    /// <summary>What to append, by topic.</summary>
    [Field("0+")]
    public List<TopicProduceData> TopicData { get; set; } = [];

    /// <summary>What to append to a topic.</summary>
    public sealed partial class TopicProduceData
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>What to append, by partition.</summary>
        [Field("0+")]
        public List<PartitionProduceData> PartitionData { get; set; } = [];
    }

    /// <summary>What to append to a partition.</summary>
    public sealed partial class PartitionProduceData
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int Index { get; set; }

        /// <summary>Record batches, one behind the other.</summary>
        [Field("0+", Nullable = "0+")]
        public Records Records { get; set; }
    }
}

/// <summary>Says where appended batches went.</summary>
[KafkaResponse(ApiKey.Produce, "0-11", FlexibleFrom = 9)]
public sealed partial class ProduceResponse
{
    /// <summary>The answer, by topic.</summary>
    [Field("0+")]
    public List<TopicProduceResponse> Responses { get; set; } = [];

    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("1+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>Where the leaders named above can be reached (KIP-951).</summary>
    [Field("10+", Tag = 0)]
    public List<NodeEndpoint> NodeEndpoints { get; set; } = [];

    /// <summary>The answer for a topic.</summary>
    public sealed partial class TopicProduceResponse
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The answer, by partition.</summary>
        [Field("0+")]
        public List<PartitionProduceResponse> PartitionResponses { get; set; } = [];
    }

    /// <summary>Where a node can be reached.</summary>
    public sealed partial class NodeEndpoint
    {
        /// <summary>The node's id.</summary>
        [Field("10+")]
        public int NodeId { get; set; }

        /// <summary>Host name or address to connect to.</summary>
        [Field("10+")]
        public string Host { get; set; } = "";

        /// <summary>Port to connect to.</summary>
        [Field("10+")]
        public int Port { get; set; }

        /// <summary>The rack that the node is in; null when it is in none.</summary>
        [Field("10+", Nullable = "10+")]
        public string? Rack { get; set; }
    }

    /// <summary>The answer for a partition.</summary>
    public sealed partial class PartitionProduceResponse
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int Index { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The offset that the first record got; -1 on an error.</summary>
        [Field("0+")]
        public long BaseOffset { get; set; }

        /// <summary>The timestamp that the topic stamped on the records, in milliseconds since 1970; -1 where the producer's own was kept.</summary>
        [Field("2+")]
        public long LogAppendTimeMs { get; set; } = -1;

        /// <summary>The first offset that the log still has; -1 when unknown.</summary>
        [Field("5+")]
        public long LogStartOffset { get; set; } = -1;

        /// <summary>The records for which the batch was refused.</summary>
        [Field("8+")]
        public List<BatchIndexAndErrorMessage> RecordErrors { get; set; } = [];

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("8+", Nullable = "8+")]
        public string? ErrorMessage { get; set; }

        /// <summary>Who leads the partition, where the request went to the wrong broker (KIP-951); null to say nothing.</summary>
        [Field("10+", Tag = 0)]
        public LeaderIdAndEpoch? CurrentLeader { get; set; }
    }

    /// <summary>A record for which its batch was refused.</summary>
    public sealed partial class BatchIndexAndErrorMessage
    {
        /// <summary>The record's position in the batch.</summary>
        [Field("8+")]
        public int BatchIndex { get; set; }

        /// <summary>What is wrong with the record.</summary>
        [Field("8+", Nullable = "8+")]
        public string? BatchIndexErrorMessage { get; set; }
    }

    /// <summary>The leader of a partition.</summary>
    public sealed partial class LeaderIdAndEpoch
    {
        /// <summary>The leader's node id; -1 when there is none.</summary>
        [Field("10+")]
        public int LeaderId { get; set; } = -1;

        /// <summary>The leader epoch; -1 when unknown.</summary>
        [Field("10+")]
        public int LeaderEpoch { get; set; } = -1;
    }
}
