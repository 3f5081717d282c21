namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks where leader epochs end, to find out if a log was truncated (KIP-320).</summary>
[KafkaRequest(ApiKey.OffsetForLeaderEpoch, "2-4", FlexibleFrom = 4)]
public sealed partial class OffsetForLeaderEpochRequest
{
    /// <summary>The fetching broker's node id; -1 for a client.</summary>
    [Field("3+")]
    public int ReplicaId { get; set; } = -2;

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<OffsetForLeaderTopic> Topics { get; set; } = [];

    /// <summary>Which epochs of a topic are asked about.</summary>
    public sealed partial class OffsetForLeaderTopic
    {
        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string Topic { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<OffsetForLeaderPartition> Partitions { get; set; } = [];
    }

    /// <summary>Which epoch of a partition is asked about.</summary>
    public sealed partial class OffsetForLeaderPartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int Partition { get; set; }

        /// <summary>The leader epoch that the client believes in, so that a stale side is fenced; -1 not to check.</summary>
        [Field("2+")]
        public int CurrentLeaderEpoch { get; set; } = -1;

        /// <summary>The leader epoch; -1 when unknown.</summary>
        [Field("0+")]
        public int LeaderEpoch { get; set; }
    }
}

/// <summary>Where leader epochs end.</summary>
[KafkaResponse(ApiKey.OffsetForLeaderEpoch, "2-4", FlexibleFrom = 4)]
public sealed partial class OffsetForLeaderEpochResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("2+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<OffsetForLeaderTopicResult> Topics { get; set; } = [];

    /// <summary>Where the epochs of a topic end.</summary>
    public sealed partial class OffsetForLeaderTopicResult
    {
        /// <summary>The topic's name.</summary>
        [Field("0+")]
        public string Topic { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<EpochEndOffset> Partitions { get; set; } = [];
    }

    /// <summary>Where an epoch ends.</summary>
    public sealed partial class EpochEndOffset
    {
        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The partition.</summary>
        [Field("0+")]
        public int Partition { get; set; }

        /// <summary>The leader epoch; -1 when unknown.</summary>
        [Field("1+")]
        public int LeaderEpoch { get; set; } = -1;

        /// <summary>The offset behind the epoch's last record; -1 when unknown.</summary>
        [Field("0+")]
        public long EndOffset { get; set; } = -1;
    }
}
