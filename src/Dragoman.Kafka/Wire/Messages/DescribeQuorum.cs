namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks how the replicas of the cluster's metadata are doing.</summary>
[KafkaRequest(ApiKey.DescribeQuorum, "0-2", FlexibleFrom = 0)]
public sealed partial class DescribeQuorumRequest
{
    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<TopicData> Topics { get; set; } = [];

    /// <summary>A topic.</summary>
    public sealed partial class TopicData
    {
        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string TopicName { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<PartitionData> Partitions { get; set; } = [];
    }

    /// <summary>A partition.</summary>
    public sealed partial class PartitionData
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }
    }
}

/// <summary>How the replicas of the cluster's metadata are doing.</summary>
[KafkaResponse(ApiKey.DescribeQuorum, "0-2", FlexibleFrom = 0)]
public sealed partial class DescribeQuorumResponse
{
    /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
    [Field("0+")]
    public ErrorCode ErrorCode { get; set; }

    /// <summary>What went wrong, in words; null when nothing did.</summary>
    [Field("2+", Nullable = "2+")]
    public string? ErrorMessage { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<TopicData> Topics { get; set; } = [];

    /// <summary>The nodes.</summary>
    [Field("2+")]
    public List<Node> Nodes { get; set; } = [];

    /// <summary>A topic.</summary>
    public sealed partial class TopicData
    {
        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string TopicName { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<PartitionData> Partitions { get; set; } = [];
    }

    /// <summary>A node that takes part.</summary>
    public sealed partial class Node
    {
        /// <summary>The node's id.</summary>
        [Field("2+")]
        public int NodeId { get; set; }

        /// <summary>Its addresses.</summary>
        [Field("2+")]
        public List<Listener> Listeners { get; set; } = [];
    }

    /// <summary>A partition.</summary>
    public sealed partial class PartitionData
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>What went wrong, in words; null when nothing did.</summary>
        [Field("2+", Nullable = "2+")]
        public string? ErrorMessage { get; set; }

        /// <summary>The leader's node id; -1 when there is none.</summary>
        [Field("0+")]
        public int LeaderId { get; set; }

        /// <summary>The leader's epoch; -1 when unknown.</summary>
        [Field("0+")]
        public int LeaderEpoch { get; set; }

        /// <summary>Up to where a majority has it.</summary>
        [Field("0+")]
        public long HighWatermark { get; set; }

        /// <summary>The replicas that vote.</summary>
        [Field("0+")]
        public List<ReplicaState> CurrentVoters { get; set; } = [];

        /// <summary>The replicas that do not.</summary>
        [Field("0+")]
        public List<ReplicaState> Observers { get; set; } = [];
    }

    /// <summary>An address of a node.</summary>
    public sealed partial class Listener
    {
        /// <summary>The name.</summary>
        [Field("2+")]
        public string Name { get; set; } = "";

        /// <summary>Host name or address.</summary>
        [Field("2+")]
        public string Host { get; set; } = "";

        /// <summary>Port.</summary>
        [Field("2+")]
        public ushort Port { get; set; }
    }

    /// <summary>How far a replica has come.</summary>
    public sealed partial class ReplicaState
    {
        /// <summary>The node's id.</summary>
        [Field("0+")]
        public int ReplicaId { get; set; }

        /// <summary>The id of its data directory; all zeros when unknown.</summary>
        [Field("2+")]
        public Guid ReplicaDirectoryId { get; set; }

        /// <summary>Where it ends; -1 when unknown.</summary>
        [Field("0+")]
        public long LogEndOffset { get; set; }

        /// <summary>When it last asked, in milliseconds since 1970; -1 when unknown, and for the leader.</summary>
        [Field("1+")]
        public long LastFetchTimestamp { get; set; } = -1;

        /// <summary>When it last was where the leader is, in milliseconds since 1970; -1 when unknown.</summary>
        [Field("1+")]
        public long LastCaughtUpTimestamp { get; set; } = -1;
    }
}
