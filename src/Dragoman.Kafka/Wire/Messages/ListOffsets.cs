namespace Dragoman.Kafka.Wire.Messages;

/// <summary>Asks for offsets by time, or for special ones.</summary>
[KafkaRequest(ApiKey.ListOffsets, "1-8", FlexibleFrom = 6)]
public sealed partial class ListOffsetsRequest
{
    /// <summary>The fetching broker's node id; -1 for a client.</summary>
    [Field("0+")]
    public int ReplicaId { get; set; }

    /// <summary>Whether records of open and aborted transactions are to be seen.</summary>
    [Field("2+")]
    public IsolationLevel IsolationLevel { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<ListOffsetsTopic> Topics { get; set; } = [];

    /// <summary>Which offsets of a topic are wanted.</summary>
    public sealed partial class ListOffsetsTopic
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<ListOffsetsPartition> Partitions { get; set; } = [];
    }

    /// <summary>Which offset of a partition is wanted.</summary>
    public sealed partial class ListOffsetsPartition
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>The leader epoch that the client believes in, so that a stale side is fenced; -1 not to check.</summary>
        [Field("4+")]
        public int CurrentLeaderEpoch { get; set; } = -1;

        /// <summary>Milliseconds since 1970, or a negative number for a special offset: -1 latest, -2 earliest, -3 of the greatest timestamp, -4 earliest local.</summary>
        [Field("0+")]
        public long Timestamp { get; set; }
    }
}

/// <summary>Offsets.</summary>
[KafkaResponse(ApiKey.ListOffsets, "1-8", FlexibleFrom = 6)]
public sealed partial class ListOffsetsResponse
{
    /// <summary>Milliseconds that a quota held the request back; 0 for none.</summary>
    [Field("2+")]
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    [Field("0+")]
    public List<ListOffsetsTopicResponse> Topics { get; set; } = [];

    /// <summary>The offsets of a topic.</summary>
    public sealed partial class ListOffsetsTopicResponse
    {
        /// <summary>The name.</summary>
        [Field("0+")]
        public string Name { get; set; } = "";

        /// <summary>The partitions.</summary>
        [Field("0+")]
        public List<ListOffsetsPartitionResponse> Partitions { get; set; } = [];
    }

    /// <summary>The offset of a partition.</summary>
    public sealed partial class ListOffsetsPartitionResponse
    {
        /// <summary>The partition.</summary>
        [Field("0+")]
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, or <see cref="ErrorCode.None"/>.</summary>
        [Field("0+")]
        public ErrorCode ErrorCode { get; set; }

        /// <summary>Milliseconds since 1970, or a negative number for a special offset: -1 latest, -2 earliest, -3 of the greatest timestamp, -4 earliest local.</summary>
        [Field("1+")]
        public long Timestamp { get; set; } = -1;

        /// <summary>The offset; -1 when there is none.</summary>
        [Field("1+")]
        public long Offset { get; set; } = -1;

        /// <summary>The leader epoch; -1 when unknown.</summary>
        [Field("4+")]
        public int LeaderEpoch { get; set; } = -1;
    }
}
