namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for the cluster's nodes and topics. Null <see cref="Topics"/> are all topics; in version 0 an empty list is.</summary>
[KafkaRequest(ApiKey.Metadata, "0-13", FlexibleFrom = 9)]
public sealed partial class MetadataRequest
{
    /// <summary>The topics.</summary>
    [Field("0+", Nullable = "1+")]
    public List<MetadataRequestTopic>? Topics { get; set; }

    /// <summary>Whether a topic that does not exist may be created, if the broker allows it as well.</summary>
    [Field("4+")]
    public bool AllowAutoTopicCreation { get; set; } = true;

    /// <summary>Whether to answer what the client may do to the cluster.</summary>
    [Field("8-10")]
    public bool IncludeClusterAuthorizedOperations { get; set; }

    /// <summary>Whether to answer what the client may do to each topic.</summary>
    [Field("8+")]
    public bool IncludeTopicAuthorizedOperations { get; set; }

    /// <summary>A topic to describe, by name or by id.</summary>
    public sealed partial class MetadataRequestTopic
    {
        /// <summary>The topic's id; all zeros when the topic goes by its name.</summary>
        [Field("10+")]
        public Guid TopicId { get; set; }

        /// <summary>The name.</summary>
        [Field("0+", Nullable = "10+")]
        public string? Name { get; set; } = "";
    }
}

/// <summary>The cluster's nodes and topics.</summary>
[KafkaResponse(ApiKey.Metadata, "0-13", FlexibleFrom = 9)]
public sealed partial class MetadataResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("3+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The nodes of the cluster.</summary>
    [Field("0+")]
    public List<MetadataResponseBroker> Brokers { get; set; } = [];

    /// <summary>The cluster's id; null when unknown.</summary>
    [Field("2+", Nullable = "2+")]
    public string? ClusterId { get; set; }

    /// <summary>The controller's node id; -1 when there is none.</summary>
    [Field("1+")]
    public int ControllerId { get; set; } = -1;

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<MetadataResponseTopic> Topics { get; set; } = [];

    /// <summary>Bits of what the client may do to the cluster; the lowest number when not asked.</summary>
    [Field("8-10")]
    public int ClusterAuthorizedOperations { get; set; } = int.MinValue;

    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("13+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>A node of the cluster.</summary>
    public sealed partial class MetadataResponseBroker
    {
        /// <summary>The node's id.</summary>
        [Field("0+")]
        public int NodeId { get; set; }

        /// <summary>Host name or address to connect to.</summary>
        [Field("0+")]
        public string Host { get; set; } = "";

        /// <summary>Port to connect to.</summary>
        [Field("0+")]
        public int Port { get; set; }

        /// <summary>The rack that the node is in; null when it is in none.</summary>
        [Field("1+", Nullable = "1+")]
        public string? Rack { get; set; }
    }

    /// <summary>A topic.</summary>
    public sealed partial class MetadataResponseTopic
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The name.</summary>
        [Field("0+", Nullable = "12+")]
        public string? Name { get; set; } = "";

        /// <summary>The topic's id; all zeros when the topic goes by its name.</summary>
        [Field("10+")]
        public Guid TopicId { get; set; }

        /// <summary>Whether the topic is the broker's own.</summary>
        [Field("1+")]
        public bool IsInternal { get; set; }

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<MetadataResponsePartition> Partitions { get; set; } = [];

        /// <summary>Bits of what the client may do to the topic; the lowest number when not asked.</summary>
        [Field("8+")]
        public int TopicAuthorizedOperations { get; set; } = int.MinValue;
    }

    /// <summary>A partition.</summary>
    public sealed partial class MetadataResponsePartition
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>The leader's node id; -1 when there is none.</summary>
        [Field("0+")]
        public int LeaderId { get; set; }

        /// <summary>The leader epoch; -1 when unknown.</summary>
        [Field("7+")]
        public int LeaderEpoch { get; set; } = -1;

        /// <summary>The nodes that have the partition.</summary>
        [Field("0+")]
        public List<int> ReplicaNodes { get; set; } = [];

        /// <summary>The nodes that are in sync with the leader.</summary>
        [Field("0+")]
        public List<int> IsrNodes { get; set; } = [];

        /// <summary>The nodes that have the partition and are down.</summary>
        [Field("5+")]
        public List<int> OfflineReplicas { get; set; } = [];
    }
}
